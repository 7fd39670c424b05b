"""Rules about images, environment and ports of single containers."""

import re
from collections.abc import Iterator
from typing import Final

from haapp.api import App
from haapp.cli.findings import Finding
from haapp.cli.practice import walk

_SECRET_NAME: Final = re.compile(
    r"(^|_)(PASS(WORD|WD)?|TOKEN|SECRET|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$", re.IGNORECASE
)
_URL_PASSWORD: Final = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@$]+@", re.IGNORECASE)


def moving_tag(app: App) -> Iterator[Finding]:
    for path, image in _images(app):
        name, _, digest = image.partition("@")
        _, _, tag = name.rpartition("/")[2].partition(":")
        if not digest and tag in ("", "latest"):
            yield Finding(
                "moving-tag",
                "warning",
                path,
                f"{image} is another image tomorrow: pods of one revision differ, and a rollback brings nothing back",
                "a tag that does not move, or a digest",
            )


def secret_in_clear(app: App) -> Iterator[Finding]:
    for container in walk.containers(app):
        for index, variable in enumerate(container.spec.get("env") or ()):
            name, value = str(variable.get("name")), str(variable.get("value") or "")
            if value and "$(" not in value and (_SECRET_NAME.search(name) or _URL_PASSWORD.match(value)):
                yield Finding(
                    "secret-in-clear",
                    "warning",
                    f"{container.path}.env[{index}].value",
                    f"everybody who may read this object reads {name}",
                    "valueFrom.secretKeyRef",
                )


def port_taken(app: App) -> Iterator[Finding]:
    """All containers of a pod share one network: a port can be listened on once."""
    taken: dict[tuple[int, str], str] = {}
    for path, owner, number, protocol in _ports(app):
        other = taken.setdefault((number, protocol), owner)
        if other != owner:
            yield Finding(
                "port-taken",
                "error",
                path,
                f"{other} listens on {protocol} port {number} too, and a pod's containers share one network",
                "another port",
            )


def host_path(app: App) -> Iterator[Finding]:
    for index, volume in enumerate(app.spec.pod.volumes):
        if "hostPath" in volume:
            yield Finding(
                "host-path",
                "warning",
                f"spec.pod.volumes[{index}].hostPath",
                "a pod on another node finds other files there, and Pod Security `baseline` refuses it",
                "a persistentVolumeClaim, or an emptyDir",
            )


def _images(app: App) -> Iterator[tuple[str, str]]:
    for container in walk.containers(app):
        yield f"{container.path}.image", str(container.spec.get("image") or "")
    if app.spec.log_sidecar and app.spec.log_sidecar.image:
        yield "spec.logSidecar.image", app.spec.log_sidecar.image
    if app.spec.cache and app.spec.cache.redis:
        yield "spec.cache.redis.image", app.spec.cache.redis.image


def _ports(app: App) -> Iterator[tuple[str, str, int, str]]:
    """Path, owner, number and protocol of each port that something in the pod listens on."""
    for container in walk.containers(app):
        for index, port in enumerate(() if container.step else container.spec.get("ports") or ()):
            where = f"{container.path}.ports[{index}].containerPort"
            yield where, container.path, int(port["containerPort"]), str(port.get("protocol") or "TCP")
    for index, sidecar in enumerate(app.spec.sidecars):
        path = f"spec.sidecars[{index}]"
        if sidecar.listen:
            yield f"{path}.listen.port", path, sidecar.listen.port, "TCP"
        if sidecar.metrics:
            yield f"{path}.metrics.port", path, sidecar.metrics.port, "TCP"
    cache = app.spec.cache
    if cache and cache.redis and cache.colocate == "Pod":
        yield "spec.cache.redis.port", "spec.cache.redis", cache.redis.port, "TCP"


RULES: Final = (moving_tag, secret_in_clear, port_taken, host_path)
