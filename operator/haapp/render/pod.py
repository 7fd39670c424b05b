"""The pod template: all containers in their order, volumes, placement, identity."""

from collections.abc import Mapping

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Spec
from haapp.render.affinity import app_affinity
from haapp.render.app_container import app_container, drains
from haapp.render.cache import cache_sidecars, cache_volumes
from haapp.render.init_steps import init_step_containers
from haapp.render.log_shipper import log_shippers, log_volumes
from haapp.render.merge import given, merge_text
from haapp.render.metadata import labels
from haapp.render.monitoring import scrape_annotations
from haapp.render.security import pod_security_context
from haapp.render.sidecars import config_volumes, sidecar_containers
from haapp.render.spread import spread_constraints

DEFAULT_GRACE_PERIOD = 30
"""terminationGracePeriodSeconds where the user states none; core/v1's own default."""


def pod_template(app: App, selector: Mapping[str, str], config_hash: str | None) -> Object:
    """What `deployment.yaml.j2` asks for as `pod`."""
    spec = app.spec
    return {
        "labels": _labels(app, selector),
        "annotations": _annotations(spec, config_hash),
        "service_account": spec.pod.service_account_name or app.name,
        # A ServiceAccount of the user's says itself whether its token is mounted.
        "token": False if spec.pod.service_account_name is None else None,
        "grace_period": _grace_period(app),
        "security_context": pod_security_context(spec.security),
        "affinity": app_affinity(app, selector),
        "spread": spread_constraints(spec, selector),
        "init_containers": _init_containers(app),
        "container": app_container(app),
        "volumes": _volumes(app),
        "extras": _extras(spec),
    }


def _init_containers(app: App) -> list[Object]:
    """Sidecars that steps may need, the steps, then the other sidecars. The kubelet stops sidecars in reverse order."""
    spec = app.spec
    return [
        *log_shippers(app),
        *cache_sidecars(app),
        *sidecar_containers(spec, "BeforeInitSteps"),
        *init_step_containers(spec),
        *sidecar_containers(spec, "BeforeApp"),
    ]


def _labels(app: App, selector: Mapping[str, str]) -> dict[str, str]:
    # An adopted Deployment finds its pods by its own selector: that comes first.
    ours = {**labels(app, names.COMPONENT_APP), **selector}
    return merge_text(ours, app.spec.pod.labels, "spec.pod.labels")


def _annotations(spec: Spec, config_hash: str | None) -> dict[str, str]:
    ours = {**scrape_annotations(spec), **given(**{names.CONFIG_HASH_ANNOTATION: config_hash})}
    return merge_text(ours, spec.pod.annotations, "spec.pod.annotations")


def _grace_period(app: App) -> int:
    stated = app.spec.pod.termination_grace_period_seconds
    period = DEFAULT_GRACE_PERIOD if stated is None else stated
    return period + (app.spec.rollout.drain_seconds if drains(app) else 0)


def _volumes(app: App) -> list[Object]:
    return [*log_volumes(app), *cache_volumes(app), *config_volumes(app.name, app.spec), *app.spec.pod.volumes]


def _extras(spec: Spec) -> Object:
    """Fields of the pod that are passed on as they are."""
    pod = spec.pod
    return given(
        imagePullSecrets=list(pod.image_pull_secrets),
        nodeSelector=pod.node_selector,
        tolerations=list(pod.tolerations),
        priorityClassName=pod.priority_class_name,
        runtimeClassName=pod.runtime_class_name,
        hostAliases=list(pod.host_aliases),
        dnsConfig=pod.dns_config,
        dnsPolicy=pod.dns_policy,
    )
