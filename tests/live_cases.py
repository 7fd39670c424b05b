"""Small worlds to judge: nodes, pods and Deployments as the indices hold them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from haapp.api.app import App
from haapp.api.names import HASH_ANNOTATION
from haapp.api.spec import Spec
from haapp.placement.model import ContainerState, Deployment, Node, Pod, ReplicaSet
from haapp.status import Observed, Outcome, reasons

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
START = int(NOW.timestamp())
CURRENT, OLD = "new77", "old11"
AVAILABLE = (
    ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
    ("Progressing", "True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."),
)
UNAVAILABLE = (
    ("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
    ("Progressing", "True", "ReplicaSetUpdated", "ReplicaSet is progressing."),
)
FAILED = (
    AVAILABLE[0],
    ("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "web-new77" has timed out progressing.'),
)


def app(**spec: Any) -> App:
    """An app named web with these attributes of its spec."""
    container = {"name": "app", "image": "example/web:1", **spec.pop("container", {})}
    return App("web", "shop", "uid-web", 4, {}, {}, Spec(app=container, **spec))


def node(name: str, zone: str | None, **changes: Any) -> Node:
    """A node that is well, unless `changes` say otherwise."""
    return replace(Node(name, zone, ready=True), **changes)


def nodes(**zones: int) -> tuple[Node, ...]:
    """`nodes(a=2, b=1)`: a1 and a2 in zone a, b1 in zone b."""
    return tuple(node(f"{zone}{number}", zone) for zone, count in zones.items() for number in range(1, count + 1))


def pod(name: str, on: str, **changes: Any) -> Pod:
    """A ready pod of the current revision, unless `changes` say otherwise."""
    base = Pod(name, f"uid-{name}", node=on, phase="Running", ready=True, template_hash=CURRENT, component="app")
    return replace(base, app="web", **changes)


def pods(*homes: str, prefix: str = "p", **changes: Any) -> tuple[Pod, ...]:
    """One pod on each of the nodes named, in order: p1, p2, ..."""
    return tuple(pod(f"{prefix}{number}", home, **changes) for number, home in enumerate(homes, 1))


def state(name: str = "app", **changes: Any) -> ContainerState:
    return replace(ContainerState(name, state="running", started=True), **changes)


def deployment(desired: int = 3, **changes: Any) -> Deployment:
    """A Deployment whose pods are all up, unless `changes` say otherwise."""
    base = Deployment(
        "web",
        "uid-deployment",
        generation=2,
        observed_generation=2,
        desired=desired,
        replicas=desired,
        ready=desired,
        updated=desired,
        available=desired,
        conditions=AVAILABLE,
        revision=2,
        annotations=((HASH_ANNOTATION, "cafe"),),
        selector="app.kubernetes.io/component=app,app.kubernetes.io/name=web",
    )
    return replace(base, **changes)


def replica_sets(new: int = 3, old: int = 0) -> tuple[ReplicaSet, ...]:
    """The current revision (2) and the one before it (1), with so many available pods."""
    return (
        ReplicaSet("web-new77", "uid-new", "uid-deployment", CURRENT, 2, new, new, new),
        ReplicaSet("web-old11", "uid-old", "uid-deployment", OLD, 1, old, old, old),
    )


def observed(there: Iterable[Pod], on: Iterable[Node], **changes: Any) -> Observed:
    """What is seen of an app whose pods are these, all well and as many as asked for unless `changes` say otherwise."""
    there = tuple(there)
    base = Observed(
        outcome=Outcome(reasons.RECONCILED, "Everything asked for is applied."),
        deployment=deployment(len(there)),
        replica_sets=replica_sets(len(there)),
        pods=there,
        cache_pods=(),
        nodes=tuple(on),
        now=NOW,
    )
    return replace(base, **changes)
