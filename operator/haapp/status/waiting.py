"""What pods wait for that have not failed: their startup probe's time, their readiness probe, or their first container.

Time passes without an event: `next_look` says when what is told here changes by itself.
"""

from itertools import chain
from typing import Final

from haapp.api.spec import Spec
from haapp.placement.model import ContainerState, Pod
from haapp.render.errors import RenderError
from haapp.render.probes import DEFAULT_PERIOD, probes
from haapp.status.failures import STARTING, STEADY_SECONDS, failure_of, fresh_failure
from haapp.status.observed import Observed
from haapp.status.scene import Scene
from haapp.status.text import coarse, joined, listed, plural

DEFAULT_FAILURES: Final = 3
"""failureThreshold where a probe does not state it; core/v1's own default."""

COUNTED_SECONDS: Final = 10.0
"""How often a start that may take so long and no longer is looked at."""

SLOW_SECONDS: Final = 60
"""After so long a pod is told of whose containers have not begun."""


def waiting(scene: Scene) -> str:
    """What pods of the current revision wait for, those apart that are on lost nodes; "" for nothing."""
    up = {name for name, node in scene.nodes.items() if node.ready}
    there = [pod for pod in scene.current if pod.node in up or not scene.nodes]
    return joined(_within_budget(scene, there), _not_ready(there), _not_begun(scene, there))


def next_look(observed: Observed) -> float | None:
    """Seconds until the status tells something else although nothing has happened; `None` for never."""
    now = int(observed.now.timestamp())
    rests = [
        *(COUNTED_SECONDS for pod in observed.pods if any(map(_starts, pod.containers))),
        *(SLOW_SECONDS - age for pod in observed.pods if (age := _age(pod, now)) is not None and age < SLOW_SECONDS),
        *(
            STEADY_SECONDS - (now - (state.since or 0))
            for pod in observed.pods
            for state in (*pod.containers, *pod.init)
            if fresh_failure(state, now) is not None
        ),
    ]
    return min(rests, default=None)


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


def _within_budget(scene: Scene, pods: list[Pod]) -> str:
    budget = startup_budget(scene.app.spec)
    if budget is None:
        return ""
    name = scene.app.spec.app.get("name")
    states = [state for pod in pods for state in pod.containers if state.name == name and _starts(state)]
    rests = [state.since + budget - scene.clock for state in states if state.since is not None]
    within = [min(rest, budget) for rest in rests if rest > 0]
    return f"{len(within)} starting (at most {coarse(max(within))} left)" if within else ""


def _starts(state: ContainerState) -> bool:
    return state.state == "running" and state.started is False


def _not_ready(pods: list[Pod]) -> str:
    """Pods all of whose containers have started, though some are not ready: their readiness probes say so."""
    found = [names for pod in pods if not pod.ready and (names := _unready(pod))]
    if not found:
        return ""
    which = listed(sorted(set(chain.from_iterable(found))))
    return f"{plural(len(found), 'pod')} not ready: the readiness probe of {which} has not succeeded"


def _unready(pod: Pod) -> tuple[str, ...]:
    """The containers that have started, have not failed, and are not ready; none while others are still to start."""
    if any(state.state != "running" or not state.started for state in pod.containers):
        return ()
    sidecars = (state for state in pod.init if state.state == "running" and state.started)
    return tuple(s.name for s in (*pod.containers, *sidecars) if not s.ready and failure_of(s) is None)


def _not_begun(scene: Scene, pods: list[Pod]) -> str:
    slow = sum((_age(pod, scene.clock) or 0) >= SLOW_SECONDS for pod in pods)
    if not slow:
        return ""
    return (
        f"{plural(slow, 'pod')} without a container for a minute or more: an image is being pulled, or a volume or the "
        "network is missing, as kubectl describe pod tells"
    )


def _age(pod: Pod, now: int) -> int | None:
    """Seconds since a pod was made that has its node, and none of whose containers has begun; `None` for any other."""
    states = (*pod.init, *pod.containers)
    begun = any(state.state != "waiting" or state.reason not in STARTING for state in states)
    return now - pod.created if states and pod.node and pod.created is not None and not begun else None
