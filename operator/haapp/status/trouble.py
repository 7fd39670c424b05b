"""What keeps the app's own containers from running, for whoever is woken by it; and starts that are still in time."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from haapp.api.names import REDIS_CONTAINER, SHIPPER_CONTAINER
from haapp.api.spec import Spec
from haapp.placement.model import ContainerState, Pod
from haapp.render.errors import RenderError
from haapp.render.probes import DEFAULT_PERIOD, probes
from haapp.status.failures import Failure, Trouble, failure_of, remedy, sort_of
from haapp.status.refusal import refusal
from haapp.status.scene import Scene
from haapp.status.text import coarse, plural

DEFAULT_FAILURES: Final = 3
"""failureThreshold where a probe does not state it; core/v1's own default."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Pods whose startup probe has not succeeded yet and is within its budget; `left` seconds at most."""

    pods: int
    left: int

    def __str__(self) -> str:
        return f"{self.pods} starting (at most {coarse(self.left)} left)"


def trouble(scene: Scene) -> Trouble | None:
    """What keeps the app from coming up, other than its init steps: its pods are refused, or their containers fail."""
    return refusal(scene.observed.deployment) or _of_containers(scene)


def _of_containers(scene: Scene) -> Trouble | None:
    """The worst of what is wrong with containers of the current revision: the failure that most pods have, of equals
    the one with most restarts."""
    steps = {step.name for step in scene.app.spec.init_steps}
    failures: dict[tuple[str, str], list[tuple[int, str, Failure]]] = defaultdict(list)
    for pod in scene.current:
        for state in (*pod.containers, *pod.init):
            failure = failure_of(state) if state.name not in steps else None
            if failure is not None:
                failures[state.name, failure.reason].append((state.restarts, str(failure), failure))
    if not failures:
        return None
    (name, _), found = max(failures.items(), key=lambda item: (len(item[1]), max(item[1])[:2], item[0]))
    failure = max(found, key=lambda item: item[:2])[2]
    cause = f"{name}: {failure}"
    if len(found) > 1:
        cause = f"{plural(len(found), 'pod')}: {cause}"
    return Trouble(sort_of(failure), cause, remedy(failure, _field(scene.app.spec, name), name))


def starting(scene: Scene) -> Starting | None:
    """The starts that are still within the startup probe's budget, judged by the clock of `observed.now`."""
    budget = startup_budget(scene.app.spec)
    if budget is None:
        return None
    now = int(scene.observed.now.timestamp())
    states = [_starting_app(scene.app.spec, pod) for pod in scene.current]
    rests = [state.since + budget - now for state in states if state is not None and state.since is not None]
    within = [min(rest, budget) for rest in rests if rest > 0]
    return Starting(len(within), max(within)) if within else None


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


def _field(spec: Spec, container: str) -> str:
    if container == spec.app.get("name"):
        return "app"
    if any(sidecar.name == container for sidecar in spec.sidecars):
        return f"sidecars[{container}]"
    return {SHIPPER_CONTAINER: "logSidecar", REDIS_CONTAINER: "cache.redis"}.get(container, container)
