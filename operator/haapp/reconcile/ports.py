"""What the pipeline needs of a cluster, so that it can be run against anything that offers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from haapp.children.model import Child
from haapp.placement.model import Node, Pod, ReplicaSet


class Key(NamedTuple):
    """Which HighAvailabilityApp a visit is about."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Foreign(Exception):
    """An object of the wanted kind and name exists and belongs to somebody else. It was not touched."""

    def __init__(self, kind: str, name: str, owner: str) -> None:
        super().__init__(f"{kind} {name!r} {owner}")
        self.kind = kind
        self.name = name
        self.owner = owner


class View(Protocol):
    """What the watches have shown so far, with the operator's own writes already in it."""

    def app(self, key: Key) -> Mapping[str, Any] | None:
        """The HighAvailabilityApp as the API server sent it, `None` once it is gone."""

    def children(self, key: Key) -> tuple[Child, ...]:
        """The objects made for the app."""

    def pods(self, key: Key) -> tuple[Pod, ...]:
        """The pods of the app and of its managed cache."""

    async def selected_pods(self, key: Key, selector: Mapping[str, Any] | None) -> tuple[Pod, ...]:
        """The pods that a label selector finds, for a cache that the operator does not run. They are followed until the
        app has another selector, or none."""

    def replica_sets(self, key: Key) -> tuple[ReplicaSet, ...]:
        """The ReplicaSets of the app's Deployment."""

    def nodes(self) -> tuple[Node, ...]:
        """All nodes of the cluster."""

    async def config_versions(
        self, key: Key, references: frozenset[tuple[str, str]], last: Mapping[tuple[str, str], str]
    ) -> dict[tuple[str, str], str]:
        """A fingerprint of each referenced ConfigMap and Secret; those that do not exist are left out. Of those that
        the operator has no right to list the `last` one counts."""

    async def cluster(self, wanted: frozenset[str]) -> tuple[tuple[int, int], frozenset[str]]:
        """The API server's (major, minor) version, and the API group versions that it serves; `wanted` are those
        that the app would use."""


class Writer(Protocol):
    """The writes. Each raises an ApiError, or NotLeading where this process may not write."""

    async def confirm(self, app: Mapping[str, Any]) -> None:
        """Ask the API server itself whether the app still exists; raises NotFound where it does not."""

    async def create(self, key: Key, obj: dict[str, Any], replicas: int | None = None) -> Child:
        """Apply an object that must not exist yet; raises Foreign if it does and is not the app's. `replicas` is how
        many a Deployment begins with that leaves their number to an autoscaler."""

    async def update(self, key: Key, obj: dict[str, Any], child: Child, replicas: int | None = None) -> Child:
        """Apply an object over the very child that was seen. A Deployment that from now on leaves its number of pods to
        an autoscaler keeps what it has, or gets `replicas` where it has none: no autoscaler begins at zero."""

    async def delete(self, key: Key, child: Child) -> None:
        """Delete the very child that was seen; nothing happens if it is gone already."""

    async def patch_status(self, app: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        """Make the app's status exactly `status`."""

    async def evict(self, namespace: str, pod: Pod) -> None:
        """Ask for the pod's eviction; raises Throttled where a disruption budget does not allow it now."""

    async def replica_set_template(self, namespace: str, replica_set: ReplicaSet) -> dict[str, Any]:
        """The pod template of a ReplicaSet, whole."""

    async def find(self, kind: str, namespace: str, name: str) -> Child | None:
        """The object of that kind and name, whoever made it."""

    async def absorb(self, child: Child) -> Child:
        """Make the operator the owner of the whole spec of an object that somebody else wrote; raises Foreign where
        another controller owns it."""

    def event(self, app: Mapping[str, Any], reason: str, message: str, *, warning: bool = False) -> None:
        """Tell people: an Event on the app, sent in the background and never twice in a row."""
