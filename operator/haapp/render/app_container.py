"""The main container."""

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.cache import cache_env
from haapp.render.last_words import LAST_WORDS
from haapp.render.log_shipper import log_mounts
from haapp.render.merge import add_mounts, add_port, merge_env
from haapp.render.ports import metrics_targets
from haapp.render.probes import probes
from haapp.render.security import harden
from haapp.render.sidecars import ambassador_env


def app_container(app: App) -> Object:
    """The app's own container: as the user wrote it, with probes, variables, log folder, drain and privileges."""
    spec = app.spec
    container: Object = {**LAST_WORDS, **spec.app, **probes(spec)}
    for target in metrics_targets(spec):
        if not target.sidecar:
            container = add_port(container, target.port, target.name)
    container = add_mounts(container, log_mounts(spec), "spec.app")
    env = merge_env([*ambassador_env(spec), *cache_env(app)], container.get("env", ()))
    if env:
        container["env"] = env
    if drains(app):
        sleep = {"sleep": {"seconds": spec.rollout.drain_seconds}}
        container["lifecycle"] = {**container.get("lifecycle", {}), "preStop": sleep}
    return harden(container, spec.security)


def drains(app: App) -> bool:
    """Whether the operator's preStop sleep is used: not where the app brings a preStop of its own."""
    return app.spec.rollout.drain_seconds > 0 and "preStop" not in app.spec.app.get("lifecycle", {})
