"""What the watches have shown, corrected by what the operator wrote since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from haapp.children import Child
from haapp.cluster.discovery import Discovery
from haapp.cluster.index import Index
from haapp.cluster.overlay import Overlay
from haapp.cluster.seen import SeenApp
from haapp.cluster.selectors import selector_text
from haapp.cluster.watches import Target, Watches
from haapp.placement.model import Node, Pod, ReplicaSet, pod_of
from haapp.reconcile.ports import Key

_PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets"}


@dataclass(frozen=True, slots=True)
class Indices:
    """What is kept of the objects of each kind, by the app that they belong to; nodes by their name."""

    apps: Index[Key, SeenApp] = field(default_factory=Index)
    nodes: Index[str, Node] = field(default_factory=Index)
    children: Index[Key, Child] = field(default_factory=Index)
    pods: Index[Key, Pod] = field(default_factory=Index)
    replica_sets: Index[Key, ReplicaSet] = field(default_factory=Index)


class ClusterView:
    """Implements `haapp.reconcile.ports.View`."""

    def __init__(self, indices: Indices, overlay: Overlay, watches: Watches, discovery: Discovery) -> None:
        self._indices = indices
        self._overlay = overlay
        self._watches = watches
        self._discovery = discovery

    def app(self, key: Key) -> Mapping[str, Any] | None:
        # There are two while one replaces the other.
        seen = max(self._indices.apps.get(key), key=lambda app: app.version, default=None)
        if seen is None:
            self._overlay.forget(key)
            self._watches.release(key)
            return None
        return self._overlay.app(key, seen)

    def children(self, key: Key) -> tuple[Child, ...]:
        return self._overlay.children(key, self._indices.children.get(key))

    def pods(self, key: Key) -> tuple[Pod, ...]:
        return tuple(self._indices.pods.get(key))

    def replica_sets(self, key: Key) -> tuple[ReplicaSet, ...]:
        return tuple(self._indices.replica_sets.get(key))

    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._indices.nodes.values())

    async def selected_pods(self, key: Key, selector: Mapping[str, Any] | None) -> tuple[Pod, ...]:
        target = None
        if selector is not None:
            target = Target(f"/api/v1/namespaces/{key.namespace}/pods", selector_text(selector))
        self._watches.release(key, lambda used: not used.metadata_only and used != target)
        if target is None:
            return ()
        await self._watches.use(key, target, pod_of)
        return tuple(self._watches.items(target).values())

    async def config_versions(
        self, key: Key, references: frozenset[tuple[str, str]], last: Mapping[tuple[str, str], str]
    ) -> dict[tuple[str, str], str]:
        versions: dict[tuple[str, str], str] = {}
        targets = {
            kind: Target(f"/api/v1/namespaces/{key.namespace}/{_PLURALS[kind]}", metadata_only=True)
            for kind in sorted({kind for kind, _ in references})
        }
        self._watches.release(key, lambda used: used.metadata_only and used not in targets.values())
        for kind, target in targets.items():
            names = frozenset(name for of_kind, name in references if of_kind == kind)
            await self._watches.use(key, target, _version, names)
            items, listed = self._watches.items(target), self._watches.listed(target)
            known = {name: items.get(name) if listed else last.get((kind, name)) for name in names}
            versions |= {(kind, name): version for name, version in known.items() if version is not None}
        return versions

    async def cluster(self, wanted: frozenset[str]) -> tuple[tuple[int, int], frozenset[str]]:
        return await self._discovery.look(wanted)


def _version(obj: dict[str, Any]) -> str:
    """Changes whenever the object does. Its content is not looked at: of a Secret only the metadata is read."""
    meta = obj["metadata"]
    return f"{meta['uid']}/{meta['resourceVersion']}"
