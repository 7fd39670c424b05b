"""What placement and status need to know of a Pod, Node, Deployment and ReplicaSet, and nothing else.

The operator indexes these instead of whole objects: ten thousand whole pods cost gigabytes. Every constructor takes
an object as the API server (or a file) gives it and tolerates missing and null parts, since a watch event may carry
an object that has only just been created. Times are seconds since the epoch, `None` where not stated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from haapp.api.names import ANNOTATION_PREFIX, LABEL_COMPONENT, LABEL_NAME, ZONE_KEY
from haapp.api.objects import Object
from haapp.placement.quantities import milli_cpu, whole

MESSAGE_LIMIT: Final = 512
TEMPLATE_HASH_LABEL: Final = "pod-template-hash"
REVISION_ANNOTATION: Final = "deployment.kubernetes.io/revision"

Pairs = tuple[tuple[str, str], ...]
State = Literal["waiting", "running", "terminated"]


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One entry of `initContainerStatuses` or `containerStatuses`.

    `since` is when it started running or when it ended; `reason`, `message` and `exit_code` are of the present state,
    the `last_*` ones of the run before it.
    """

    name: str
    image: str = ""
    state: State = "waiting"
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    restarts: int = 0
    started: bool | None = None
    ready: bool = False
    since: int | None = None
    last_exit_code: int | None = None
    last_reason: str = ""
    last_message: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, as far as its place and health go. `ready` is its own Ready condition; whether that can be believed
    depends on its node (`domains.ready_pods`). `node` is "" until it is scheduled; `scheduled_message` is the
    scheduler's own text while it cannot place the pod."""

    name: str
    uid: str = ""
    owner_uid: str = ""
    node: str = ""
    phase: str = "Pending"
    ready: bool = False
    deleting: bool = False
    template_hash: str = ""
    component: str = ""
    app: str = ""
    labels: Pairs = ()
    created: int | None = None
    scheduled_message: str = ""
    init: tuple[ContainerState, ...] = ()
    containers: tuple[ContainerState, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A node; `allocatable` is (CPU in thousandths, memory in bytes, number of pods), 0 where not reported."""

    name: str
    zone: str | None = None
    ready: bool = False
    unschedulable: bool = False
    taints: tuple[tuple[str, str, str], ...] = ()
    labels: Pairs = ()
    allocatable: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment; `conditions` are (type, status, reason, message), `annotations` only this operator's own,
    `selector` the text form of its label selector."""

    name: str
    uid: str = ""
    generation: int = 0
    observed_generation: int = 0
    desired: int | None = None
    replicas: int = 0
    ready: int = 0
    updated: int = 0
    available: int = 0
    conditions: tuple[tuple[str, str, str, str], ...] = ()
    revision: int = 0
    paused: bool = False
    annotations: Pairs = ()
    selector: str = ""


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """One revision of a Deployment."""

    name: str
    uid: str = ""
    owner_uid: str = ""
    template_hash: str = ""
    revision: int = 0
    desired: int = 0
    ready: int = 0
    available: int = 0
    created: int | None = None


def pod_of(obj: Object) -> Pod:
    """The projection of a core/v1 Pod."""
    meta, spec, status = _map(obj, "metadata"), _map(obj, "spec"), _map(obj, "status")
    labels = _map(meta, "labels")
    return Pod(
        name=_text(meta, "name"),
        uid=_text(meta, "uid"),
        owner_uid=_controller(meta),
        node=_text(spec, "nodeName"),
        phase=_text(status, "phase") or "Pending",
        ready=_condition(status, "Ready").get("status") == "True",
        deleting=bool(meta.get("deletionTimestamp")),
        template_hash=_text(labels, TEMPLATE_HASH_LABEL),
        component=_text(labels, LABEL_COMPONENT),
        app=_text(labels, LABEL_NAME),
        labels=_pairs(labels),
        created=epoch(meta.get("creationTimestamp")),
        scheduled_message=_unschedulable(status),
        init=tuple(map(_container, _maps(status, "initContainerStatuses"))),
        containers=tuple(map(_container, _maps(status, "containerStatuses"))),
    )


def node_of(obj: Object) -> Node:
    """The projection of a core/v1 Node."""
    meta, spec, status = _map(obj, "metadata"), _map(obj, "spec"), _map(obj, "status")
    labels, allocatable = _map(meta, "labels"), _map(status, "allocatable")
    return Node(
        name=_text(meta, "name"),
        zone=_text(labels, ZONE_KEY) or None,
        ready=_condition(status, "Ready").get("status") == "True",
        unschedulable=bool(spec.get("unschedulable")),
        taints=tuple((_text(t, "key"), _text(t, "value"), _text(t, "effect")) for t in _maps(spec, "taints")),
        labels=_pairs(labels),
        allocatable=(
            milli_cpu(allocatable.get("cpu")),
            whole(allocatable.get("memory")),
            whole(allocatable.get("pods")),
        ),
    )


def deployment_of(obj: Object) -> Deployment:
    """The projection of an apps/v1 Deployment."""
    meta, spec, status = _map(obj, "metadata"), _map(obj, "spec"), _map(obj, "status")
    annotations, desired = _map(meta, "annotations"), spec.get("replicas")
    return Deployment(
        name=_text(meta, "name"),
        uid=_text(meta, "uid"),
        generation=_number(meta, "generation"),
        observed_generation=_number(status, "observedGeneration"),
        desired=desired if isinstance(desired, int) else None,
        replicas=_number(status, "replicas"),
        ready=_number(status, "readyReplicas"),
        updated=_number(status, "updatedReplicas"),
        available=_number(status, "availableReplicas"),
        conditions=tuple(
            (_text(c, "type"), _text(c, "status"), _text(c, "reason"), _trim(_text(c, "message")))
            for c in _maps(status, "conditions")
        ),
        revision=_revision(annotations),
        paused=bool(spec.get("paused")),
        annotations=tuple(pair for pair in _pairs(annotations) if pair[0].startswith(ANNOTATION_PREFIX)),
        selector=selector_text(_map(spec, "selector")),
    )


def replica_set_of(obj: Object) -> ReplicaSet:
    """The projection of an apps/v1 ReplicaSet."""
    meta, spec, status = _map(obj, "metadata"), _map(obj, "spec"), _map(obj, "status")
    return ReplicaSet(
        name=_text(meta, "name"),
        uid=_text(meta, "uid"),
        owner_uid=_controller(meta),
        template_hash=_text(_map(meta, "labels"), TEMPLATE_HASH_LABEL),
        revision=_revision(_map(meta, "annotations")),
        desired=_number(spec, "replicas"),
        ready=_number(status, "readyReplicas"),
        available=_number(status, "availableReplicas"),
        created=epoch(meta.get("creationTimestamp")),
    )


def selector_text(selector: Mapping[str, Any]) -> str:
    """A LabelSelector as `kubectl -l` and the scale subresource read it: `a=b,c in (d,e),!f`."""
    terms = [f"{key}={value}" for key, value in sorted(_map(selector, "matchLabels").items())]
    terms.extend(
        _expression(_text(item, "key"), _text(item, "operator"), item.get("values") or ())
        for item in _maps(selector, "matchExpressions")
    )
    return ",".join(terms)


def epoch(stamp: object) -> int | None:
    """An RFC 3339 time as whole seconds since the epoch; `None` for what is not one."""
    try:
        return int(datetime.fromisoformat(stamp).timestamp()) if isinstance(stamp, str) else None
    except ValueError:
        return None


def _expression(key: str, operator: str, values: Any) -> str:
    listed = ",".join(map(str, values))
    forms = {"In": f"{key} in ({listed})", "NotIn": f"{key} notin ({listed})", "Exists": key, "DoesNotExist": f"!{key}"}
    return forms.get(operator, key)


def _container(status: Mapping[str, Any]) -> ContainerState:
    state, now = _present(_map(status, "state"))
    last = _map(_map(status, "lastState"), "terminated")
    started = status.get("started")
    return ContainerState(
        name=_text(status, "name"),
        image=_text(status, "image"),
        state=state,
        reason=_text(now, "reason"),
        message=_trim(_text(now, "message")),
        exit_code=_code(now),
        restarts=_number(status, "restartCount"),
        started=started if isinstance(started, bool) else None,
        ready=bool(status.get("ready")),
        since=epoch(now.get("finishedAt" if state == "terminated" else "startedAt")),
        last_exit_code=_code(last),
        last_reason=_text(last, "reason"),
        last_message=_trim(_text(last, "message")),
    )


def _present(states: Mapping[str, Any]) -> tuple[State, Mapping[str, Any]]:
    if "terminated" in states:
        return "terminated", _map(states, "terminated")
    if "running" in states:
        return "running", _map(states, "running")
    return "waiting", _map(states, "waiting")


def _unschedulable(status: Mapping[str, Any]) -> str:
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return ""
    return _trim(_text(scheduled, "message")) or "the scheduler found no node"


def _controller(meta: Mapping[str, Any]) -> str:
    return next((_text(o, "uid") for o in _maps(meta, "ownerReferences") if o.get("controller")), "")


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((c for c in _maps(status, "conditions") if c.get("type") == kind), {})


def _revision(annotations: Mapping[str, Any]) -> int:
    text = _text(annotations, REVISION_ANNOTATION)
    return int(text) if text.isdecimal() else 0


def _pairs(entries: Mapping[str, Any]) -> Pairs:
    return tuple(sorted((str(key), str(value)) for key, value in entries.items()))


def _map(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}


def _maps(parent: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    value = parent.get(key)
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list | tuple) else iter(())


def _text(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    return value if isinstance(value, str) else ""


def _number(parent: Mapping[str, Any], key: str) -> int:
    value = parent.get(key)
    return value if isinstance(value, int) else 0


def _code(state: Mapping[str, Any]) -> int | None:
    code = state.get("exitCode")
    return code if isinstance(code, int) else None


def _trim(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
