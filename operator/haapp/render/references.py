"""The ConfigMaps and Secrets that an app's pod uses and that others make."""

from collections.abc import Iterator

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Spec

Reference = tuple[str, str]
"""("ConfigMap" or "Secret", name)."""


def config_references(app: App) -> frozenset[Reference]:
    """All that the containers and volumes of the pod refer to; not the ConfigMaps that the operator renders."""
    spec = app.spec
    found = {reference for container in _containers(spec) for reference in _of_container(container)}
    found |= {reference for volume in spec.pod.volumes for reference in _of_volume(volume)}
    configs = [spec.log_sidecar.config] if spec.log_sidecar is not None else []
    for config in [*configs, *(sidecar.config for sidecar in spec.sidecars)]:
        if config is not None and config.config_map_name is not None:
            found.add(("ConfigMap", config.config_map_name))
    return frozenset(found)


def _containers(spec: Spec) -> Iterator[Object]:
    yield spec.app
    yield from (step.container for step in spec.init_steps)
    yield from (sidecar.container for sidecar in spec.sidecars)
    if spec.log_sidecar is not None:
        yield {"env": spec.log_sidecar.env}


def _of_container(container: Object) -> Iterator[Reference]:
    for variable in container.get("env", ()):
        source = variable.get("valueFrom", {})
        yield from _named(source.get("configMapKeyRef"), source.get("secretKeyRef"))
    for source in container.get("envFrom", ()):
        yield from _named(source.get("configMapRef"), source.get("secretRef"))


def _of_volume(volume: Object) -> Iterator[Reference]:
    yield from _named(volume.get("configMap"), None)
    secret = volume.get("secret")
    if secret is not None and secret.get("secretName"):
        yield "Secret", secret["secretName"]
    for source in volume.get("projected", {}).get("sources", ()):
        yield from _named(source.get("configMap"), source.get("secret"))


def _named(config_map: Object | None, secret: Object | None) -> Iterator[Reference]:
    if config_map is not None and config_map.get("name"):
        yield "ConfigMap", config_map["name"]
    if secret is not None and secret.get("name"):
        yield "Secret", secret["name"]
