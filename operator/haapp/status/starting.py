"""Containers that run and have not said yet that they are well: within their startup probe's time, or not ready."""

from collections import Counter
from typing import Final

from haapp.api.spec import Spec
from haapp.placement.model import ContainerState, Pod
from haapp.render.errors import RenderError
from haapp.render.probes import DEFAULT_PERIOD, probes
from haapp.status.scene import Scene
from haapp.status.text import coarse, joined, listed, plural

DEFAULT_FAILURES: Final = 3
"""failureThreshold where a probe does not state it; core/v1's own default."""


def starting(scene: Scene) -> str:
    """What the pods of the current revision still wait for while nothing of them has failed; "" for nothing. Judged by
    the clock of `observed.now`."""
    return joined(_within_budget(scene), _not_ready(scene))


def startup_budget(spec: Spec) -> int | None:
    """Seconds that the startup probe gives the app to start; `None` without such a probe."""
    try:
        probe = probes(spec).get("startupProbe")
    except RenderError:
        return None
    if probe is None:
        return None
    period = probe.get("periodSeconds") or DEFAULT_PERIOD
    return int((probe.get("initialDelaySeconds") or 0) + period * (probe.get("failureThreshold") or DEFAULT_FAILURES))


def _within_budget(scene: Scene) -> str:
    budget = startup_budget(scene.app.spec)
    if budget is None:
        return ""
    now = int(scene.observed.now.timestamp())
    states = [_starting_app(scene.app.spec, pod) for pod in scene.current]
    rests = [state.since + budget - now for state in states if state is not None and state.since is not None]
    within = [min(rest, budget) for rest in rests if rest > 0]
    return f"{len(within)} starting (at most {coarse(max(within))} left)" if within else ""


def _starting_app(spec: Spec, pod: Pod) -> ContainerState | None:
    """The app's container in a pod, if it runs and has not started yet."""
    return next(
        (
            state
            for state in pod.containers
            if state.name == spec.app.get("name") and state.state == "running" and state.started is False
        ),
        None,
    )


def _not_ready(scene: Scene) -> str:
    """Pods all of whose containers have started, though some are not ready: their readiness probes say so."""
    unready = [_unready_containers(pod) for pod in scene.current if not pod.ready and pod.containers]
    found = Counter(names for names in unready if names)
    if not found:
        return ""
    names = sorted({name for containers in found for name in containers})
    return f"{plural(found.total(), 'pod')} not ready: the readiness probe of {listed(names)} does not succeed"


def _unready_containers(pod: Pod) -> tuple[str, ...]:
    if any(state.state != "running" or not state.started for state in pod.containers):
        return ()
    sidecars = (state for state in pod.init if state.state == "running")
    return tuple(state.name for state in (*pod.containers, *sidecars) if not state.ready)
