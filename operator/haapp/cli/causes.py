"""What keeps each pod from serving, in the scheduler's or the container's own words, and the field to change."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from haapp.api import Object
from haapp.api.names import REDIS_CONTAINER, SHIPPER_CONTAINER
from haapp.cli.live import LiveApp
from haapp.placement.live import of_revision
from haapp.placement.model import ContainerState, Pod
from haapp.placement.spread import levels
from haapp.status import reasons
from haapp.status.failures import failure_of, remedy
from haapp.status.text import one_line
from haapp.status.unschedulable import advice

ABNORMAL: Final = frozenset({reasons.RECONCILING, reasons.STALLED})
"""Conditions that are there only while something is not as it should be."""
PODS: Final = (reasons.AVAILABLE, reasons.PROGRESSING, reasons.SURVIVES_ZONE_LOSS, reasons.SURVIVES_NODE_LOSS)
"""Conditions that any pod that does not serve may be behind."""

SCHEDULING: Final = (
    ("topology spread", "spec.{level}"),
    ("anti-affinity", "spec.nodes.antiAffinity"),
    ("pod affinity", "spec.cache"),
    ("Insufficient", "spec.app.resources.requests"),
    ("affinity/selector", "spec.pod.nodeSelector"),
    ("untolerated taint", "spec.pod.tolerations"),
    ("free ports", "spec.app.ports"),
)
"""What the scheduler speaks of, and the field that asks for it."""

PROBES: Final = ("startup", "readiness", "liveness")
PROBE_ADVICE: Final = "correct what it asks for, or what the app answers"

EventsOf = Callable[[str], list[Object]]
"""The events of the pod of that name, the latest last."""


@dataclass(frozen=True, slots=True)
class Cause:
    """`field` is the one to change ("": none), `change` says how; `about` are the conditions that this is behind, the
    nearest first; `alike` further pods have the same cause."""

    pod: str
    node: str
    what: str
    field: str
    change: str
    about: tuple[str, ...]
    alike: int = 0

    def as_json(self) -> dict[str, Any]:
        """Without `about`, which shows in where the cause stands."""
        names = ("pod", "node", "what", "field", "change", "alike")
        return {name: getattr(self, name) for name in names}


def causes(live: LiveApp, events_of: EventsOf) -> Iterator[Cause]:
    """One for each sort of trouble of the current revision's pods, and of a managed cache's."""
    current = of_revision(live.active, live.template_hash)
    found = [cause for pod in current if pod not in live.ready and (cause := _of_pod(live, pod, events_of)) is not None]
    found += [cause for pod in live.cache_pods if not pod.ready and (cause := _of_cache(live, pod)) is not None]
    yield from _grouped(found)


def _grouped(found: Iterable[Cause]) -> Iterator[Cause]:
    groups: dict[tuple[str, str], list[Cause]] = {}
    for cause in found:
        # How often each was restarted makes no other cause of it.
        what = re.sub(
            r"\(exit (\d+), restarted [^)]*\)", r"(exit \1)", cause.what.replace("CrashLoopBackOff", "Failed")
        )
        groups.setdefault((what, cause.change), []).append(cause)
    return (replace(alike[0], alike=len(alike) - 1) for alike in groups.values())


def _of_pod(live: LiveApp, pod: Pod, events_of: EventsOf) -> Cause | None:
    if not pod.node:
        return _unscheduled(live, pod, (reasons.SPREAD, *PODS)) if pod.scheduled_message else None
    node = live.by_name.get(pod.node)
    if node is None or not node.ready:
        what = f"node {pod.node} is {'gone' if node is None else 'not ready'}"
        return Cause(pod.name, pod.node, what, "", "the pod is replaced once the node counts as lost", PODS)
    return _in_container(live, pod) or _not_ready(live, pod, events_of)


def _of_cache(live: LiveApp, pod: Pod) -> Cause | None:
    about = (reasons.CACHE_COLOCATED, *PODS)
    if not pod.node:
        return _unscheduled(live, pod, about) if pod.scheduled_message else None
    found = _in_container(live, pod)
    return replace(found, about=about) if found is not None else None


def _unscheduled(live: LiveApp, pod: Pod, about: tuple[str, ...]) -> Cause:
    level = next((level.field for level in levels(live.app.spec) if level.required), "zones")
    said = one_line(pod.scheduled_message, 512)
    field = next((field.format(level=level) for key, field in SCHEDULING if key in said), "")
    return Cause(pod.name, "", f"the scheduler: {said}", field, advice(said, level), about)


def _in_container(live: LiveApp, pod: Pod) -> Cause | None:
    steps = {step.name for step in live.app.spec.init_steps}
    for state in (*pod.init, *pod.containers):
        failure = failure_of(state)
        if failure is not None:
            what = f"{'init step' if state.name in steps else 'container'} {state.name}: {failure}"
            field = _field(live, state.name)
            about = (reasons.INIT_STEPS_COMPLETED, *PODS) if state.name in steps else PODS
            return Cause(pod.name, pod.node, what, f"spec.{field}", remedy(failure, field, state.name), about)
    return None


def _not_ready(live: LiveApp, pod: Pod, events_of: EventsOf) -> Cause | None:
    """It runs and has not failed: a step or a probe has not come through yet. The kubelet's events tell which."""
    unhealthy = [event for event in events_of(pod.name) if event.get("reason") == "Unhealthy"]
    if unhealthy:
        said = one_line(str(unhealthy[-1].get("message") or ""), 300)
        kind = next((kind for kind in PROBES if said.lower().startswith(kind)), "readiness")
        return Cause(pod.name, pod.node, said, f"spec.probes.{kind}", PROBE_ADVICE, PODS)
    waiting = next((state for state in (*pod.init, *pod.containers) if _pending(state)), None)
    if waiting is None:
        return None
    if any(step.name == waiting.name for step in live.app.spec.init_steps):
        about = (reasons.INIT_STEPS_COMPLETED, *PODS)
        return Cause(pod.name, pod.node, f"init step {waiting.name} runs", "", "", about)
    if waiting.started is False and waiting.state == "running":
        return Cause(pod.name, pod.node, f"container {waiting.name} is starting", "", "", PODS)
    what = f"container {waiting.name} runs and is not ready"
    return Cause(pod.name, pod.node, what, "spec.probes.readiness", PROBE_ADVICE, PODS)


def _pending(state: ContainerState) -> bool:
    return not state.ready and state.state != "terminated"


def _field(live: LiveApp, container: str) -> str:
    spec = live.app.spec
    if container == spec.app.get("name"):
        return "app"
    for name, entries in (("initSteps", spec.init_steps), ("sidecars", spec.sidecars)):
        if any(entry.name == container for entry in entries):
            return f"{name}[{container}]"
    return {SHIPPER_CONTAINER: "logSidecar", REDIS_CONTAINER: "cache.redis"}.get(container, container)
