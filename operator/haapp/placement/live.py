"""Which pods count: ready ones, those of the current revision, and how many are asked for."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from haapp.placement.model import Deployment, Node, Pod, ReplicaSet

FINISHED: Final = ("Succeeded", "Failed")


class Live(Protocol):
    """What is seen of an app: its Deployment, ReplicaSets and pods (of every revision), its cache's pods, all nodes."""

    @property
    def deployment(self) -> Deployment | None: ...
    @property
    def replica_sets(self) -> tuple[ReplicaSet, ...]: ...
    @property
    def pods(self) -> tuple[Pod, ...]: ...
    @property
    def cache_pods(self) -> tuple[Pod, ...]: ...
    @property
    def nodes(self) -> tuple[Node, ...]: ...


def by_name(nodes: Iterable[Node]) -> Mapping[str, Node]:
    """Nodes under their names."""
    return {node.name: node for node in nodes}


def active_pods(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The pods that are neither being deleted nor finished: what a ReplicaSet counts."""
    return tuple(pod for pod in pods if not pod.deleting and pod.phase not in FINISHED)


def ready_pods(pods: Iterable[Pod], nodes: Mapping[str, Node]) -> tuple[Pod, ...]:
    """The active pods that are Ready on a node that exists and is itself Ready: on any other node the kubelet's last
    word is old."""
    return tuple(pod for pod in active_pods(pods) if pod.ready and pod.node in nodes and nodes[pod.node].ready)


def current_hash(deployment: Deployment | None, replica_sets: Iterable[ReplicaSet]) -> str | None:
    """The template hash of the Deployment's newest revision; `None` while it has no ReplicaSet (or is not known)."""
    own = owned(deployment, replica_sets)
    return max(own, key=lambda item: (item.revision, item.created or 0, item.name)).template_hash if own else None


def owned(deployment: Deployment | None, replica_sets: Iterable[ReplicaSet]) -> tuple[ReplicaSet, ...]:
    """The ReplicaSets of this very Deployment, not those of a namesake that was deleted before it."""
    return tuple(item for item in replica_sets if deployment is not None and item.owner_uid == deployment.uid)


def of_revision(pods: Iterable[Pod], template_hash: str | None) -> tuple[Pod, ...]:
    """The pods of one revision; all of them where no revision is known."""
    return tuple(pod for pod in pods if template_hash is None or pod.template_hash == template_hash)


def settled(live: Live) -> bool:
    """Whether nothing is going on: the Deployment has been observed whole, runs one revision only, and every pod asked
    for is there and ready. Nothing may be moved before."""
    deployment = live.deployment
    if deployment is None or deployment.paused or deployment.observed_generation < deployment.generation:
        return False
    desired = deployment.desired or 0
    present = sum(pod.phase not in FINISHED for pod in live.pods)
    counted = (deployment.replicas, deployment.updated, deployment.available, present)
    ready = of_revision(ready_pods(live.pods, by_name(live.nodes)), current_hash(deployment, live.replica_sets))
    return all(number == desired for number in counted) and len(ready) == desired
