"""What keeps the app's own containers from running, for whoever is woken by it."""

from collections import defaultdict

from haapp.api.names import REDIS_CONTAINER, SHIPPER_CONTAINER
from haapp.api.spec import Spec
from haapp.status.failures import Failure, Trouble, failure_of, fresh_failure, remedy, sort_of
from haapp.status.refusal import refusal
from haapp.status.scene import Scene
from haapp.status.text import plural


def trouble(scene: Scene) -> Trouble | None:
    """What keeps the app from coming up, other than its init steps: its pods are refused, or their containers fail."""
    return refusal(scene.observed.deployment) or _of_containers(scene)


def _of_containers(scene: Scene) -> Trouble | None:
    """The worst of what is wrong with containers of the current revision: the failure that most pods have, of equals
    the one with most restarts."""
    steps, now = {step.name for step in scene.app.spec.init_steps}, scene.clock
    failures: dict[tuple[str, str], list[tuple[int, str, Failure]]] = defaultdict(list)
    for pod in scene.current:
        for state in (*pod.containers, *pod.init):
            if state.name in steps:
                continue
            failure = failure_of(state) or fresh_failure(state, now)
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


def _field(spec: Spec, container: str) -> str:
    if container == spec.app.get("name"):
        return "app"
    if any(sidecar.name == container for sidecar in spec.sidecars):
        return f"sidecars[{container}]"
    return {SHIPPER_CONTAINER: "logSidecar", REDIS_CONTAINER: "cache.redis"}.get(container, container)
