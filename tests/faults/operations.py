"""What the operator is doing when something goes wrong, and what must have come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.space import NotYet, Object, Space, app

from devcluster import nodes
from devcluster.cluster import Cluster
from haapp.api import names
from haapp.children import KINDS
from haapp.status import reasons

REFERRED = [
    {"name": "settings", "configMap": {"name": "settings"}},
    {"name": "keys", "secret": {"secretName": "keys"}},
]
"""What others make, and the pods are restarted for when it changes: its lists and watches meet the faults, too."""

FULL: Object = {
    "replicas": 3,
    "pod": {"volumes": REFERRED},
    "rebalance": {"mode": "Off"},
    "rollout": {"minReadySeconds": 0, "drainSeconds": 0},
    "logSidecar": {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}},
    "ingress": {"className": "nginx", "host": "web.example.com"},
}
CHANGED: Object = {
    "replicas": 4,
    "pod": {"volumes": REFERRED},
    "rebalance": {"mode": "Off"},
    "rollout": {"minReadySeconds": 0, "drainSeconds": 0},
    "app": {"image": "example/web:2", "ports": [{"name": "http", "containerPort": 8081}]},
    "cache": {"colocate": "Zone", "redis": {}},
    "networkPolicy": {"from": []},
}
"""Over FULL: other pods, new children, and three that are not asked for any more. Neither moves its pods: the zone that
another operation closes and opens meanwhile would have it begin to when it is done."""

CAREFUL: Object = {
    "replicas": 2,
    "rollout": {
        "minReadySeconds": 0,
        "drainSeconds": 0,
        "progressDeadlineSeconds": 3,
        "onFailure": "Rollback",
        "maxSurge": 1,
        "maxUnavailable": 0,
    },
}
BROKEN: Object = {
    **CAREFUL,
    "app": {"image": "example/web:3", "ports": [{"name": "http", "containerPort": 8080}]},
    "pod": {"annotations": {"test.highavailability.dev/pull-error": "app"}},
}
MOVABLE: Object = {
    "replicas": 3,
    "rollout": {"minReadySeconds": 0, "drainSeconds": 0},
    "zones": {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"},
    "rebalance": {"mode": "WhenSafe", "cooldown": "1s"},
}
CLOSED_ZONE = "zone-c"
CLOSED = "test.highavailability.dev/closed=true:NoSchedule"

CHILDREN = tuple(kind.plural for kind in KINDS if not kind.optional)
SERVERS_OWN = frozenset({"clusterIP", "clusterIPs", "healthCheckNodePort", "nodePort"})
REVISION = "deployment.kubernetes.io/revision"
VERSIONED = frozenset(
    {
        "highavailability.dev/desired-hash",
        "highavailability.dev/config-hash",
        "highavailability.dev/config-versions",
        REVISION,
    }
)
"""Annotations that hold a namespace's name or a resourceVersion in some form, and so differ between equal apps."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`before` is the app that is there and Ready when `act` begins; `done` raises NotYet until it has come about."""

    name: str
    before: Object | None
    act: Callable[[Space, Cluster], None]
    done: Callable[[Space], object]
    prepare: Callable[[Cluster], None] = lambda _: None
    told_by_status: bool = True
    """Whether `done` goes by what the app's status says."""

    most_writes: int = 0
    """No less than the writes that it takes undisturbed: so many moments there are to be killed at."""


def _apply(spec: Object) -> Callable[[Space, Cluster], None]:
    return lambda space, _: space.apply(app(**spec))


def settled(space: Space) -> bool:
    """Whether it is Ready, of what was asked for last, and nothing more is to come; raises NotYet, with the status."""
    obj = space.get(names.PLURAL)
    found = {condition["type"]: condition for condition in obj.get("status", {}).get("conditions", ())}
    ready = found.get(reasons.READY, {"status": "", "observedGeneration": 0})
    current = ready["observedGeneration"] == obj["metadata"]["generation"]
    if ready["status"] != "True" or not current or reasons.RECONCILING in found:
        raise NotYet(str(obj.get("status")))
    return True


def _rolled_back(space: Space) -> None:
    condition = space.condition("Progressing")
    deployment = space.get("deployments")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    if condition.get("reason") != "RolledBack" or image != "example/web:1":
        raise NotYet(f"{image}: {condition}")


def nothing_left(space: Space) -> bool:
    """Whether nothing is left of the app, its children and its pods; raises NotYet, naming what is."""
    left = [obj["metadata"]["name"] for plural in (names.PLURAL, *CHILDREN, "pods") for obj in ours(space, plural)]
    if left:
        raise NotYet(str(left))
    return True


def _close(cluster: Cluster) -> None:
    for name in nodes.node_names(cluster, CLOSED_ZONE):
        nodes.taint(cluster, name, CLOSED)


def _reopen(_: Space, cluster: Cluster) -> None:
    key = CLOSED.partition("=")[0]
    for name in nodes.node_names(cluster, CLOSED_ZONE):
        if any(taint["key"] == key for taint in nodes.taints(cluster, name)):
            nodes.taint(cluster, name, f"{key}-")


def _in_every_zone(space: Space) -> None:
    zones = {zone["name"]: zone["ready"] for zone in space.status().get("placement", {}).get("zones", ())}
    if zones != dict.fromkeys(nodes.ZONES, 1):
        raise NotYet(str(zones))


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("create", None, _apply(FULL), settled, most_writes=10),
        Operation("update", FULL, _apply(CHANGED), settled, most_writes=12),
        Operation("rollback", CAREFUL, _apply(BROKEN), _rolled_back, most_writes=9),
        Operation("rebalance", MOVABLE, _reopen, _in_every_zone, prepare=_close, most_writes=5),
        Operation(
            "delete", FULL, lambda space, _: space.delete(names.PLURAL, "web"), nothing_left, told_by_status=False
        ),
    )
}


def ours(space: Space, plural: str) -> list[Object]:
    """The objects of a kind that the operator made."""
    return space.items(plural, "" if plural == names.PLURAL else f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}")


def end_state(space: Space) -> dict[str, Any]:
    """All that the operator made of an app, without what differs between two equal ones."""
    state = {
        f"{plural}/{obj['metadata']['name']}": _plain(obj, space.name)
        for plural in CHILDREN
        for obj in ours(space, plural)
    }
    state["pods"] = sum(1 for pod in ours(space, "pods") if "deletionTimestamp" not in pod["metadata"])
    return state


def revisions(space: Space) -> dict[str, str]:
    """How often the pods of each Deployment were made other ones, as its controller counts."""
    return {
        obj["metadata"]["name"]: obj["metadata"].get("annotations", {}).get(REVISION, "")
        for obj in ours(space, "deployments")
    }


def _plain(obj: Object, namespace: str) -> Object:
    meta = obj["metadata"]
    plain = {
        "labels": meta.get("labels"),
        "annotations": sorted(set(meta.get("annotations") or {}) - VERSIONED),
        "owners": [(o["kind"], o["name"]) for o in meta.get("ownerReferences", ())],
        **{key: value for key, value in obj.items() if key not in ("metadata", "status")},
    }
    return dict(_without(plain, namespace))


def _without(value: Any, namespace: str) -> Any:
    if isinstance(value, dict):
        kept = {key: _without(item, namespace) for key, item in value.items() if key not in SERVERS_OWN}
        return {key: "" if key in VERSIONED else item for key, item in kept.items()}
    if isinstance(value, list):
        return [_without(item, namespace) for item in value]
    return value.replace(namespace, "NAMESPACE") if isinstance(value, str) else value
