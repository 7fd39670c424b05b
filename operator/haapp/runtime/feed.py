"""The events of the watches: each goes straight into an index, and on to the triggers.

Kopf would run a task of its own for each object and several steps for each event, which costs ten times what the rest
of an event does, and keep a memory of each object; a cluster has many of these, and none needs what Kopf offers for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from haapp.api.names import GROUP, LABEL_PART_OF, PLURAL
from haapp.children import KINDS, child_of
from haapp.cluster.following import NODES, Kind, Sink
from haapp.cluster.index import Index
from haapp.cluster.seen import seen_app
from haapp.cluster.view import Indices
from haapp.placement.model import node_of, pod_of, replica_set_of
from haapp.reconcile.ports import Key
from haapp.runtime.triggers import Triggers

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def sinks(indices: Indices, triggers: Triggers, *, nodes: bool = True) -> dict[Kind, Sink]:
    """What takes the events of each kind; `nodes` where the operator may see them."""
    children = Listener(triggers.child, triggers.child_gone, triggers.look)
    dependents: Listener[Key, Any] = Listener(triggers.dependent, triggers.dependent_gone, triggers.settle)
    made: dict[Kind, Sink] = {
        (kind.group, kind.plural): Entry(indices.children, owner_of, partial(child_of, kind.kind), children)
        for kind in KINDS
    }
    taken: dict[Kind, Sink] = {
        (GROUP, PLURAL): Entry(indices.apps, key_of, seen_app, Listener(triggers.app, triggers.app_gone)),
        ("", "pods"): Entry(indices.pods, owner_of, pod_of, dependents),
        ("apps", "replicasets"): Entry(indices.replica_sets, owner_of, replica_set_of, dependents),
    }
    if nodes:
        taken[NODES] = Entry(indices.nodes, name_of, node_of, Listener(triggers.node, triggers.node_gone))
    return made | taken


@dataclass(frozen=True, slots=True)
class Listener(Generic[K, V]):
    """Who is told of the objects of a kind, after the index was changed and before anybody else can act. `changed` is
    called with an object's key, what it is now and what it was before (`None` for a new one), `gone` with what it was,
    `left` with the key that it was under before somebody changed its labels."""

    changed: Callable[[K, V, V | None], None]
    gone: Callable[[K, V], None]
    left: Callable[[K], None] | None = None


class Entry(Generic[K, V]):
    """Takes the events of one kind: `key_of` finds an object's key, `project` what is kept of it."""

    def __init__(
        self,
        index: Index[K, V],
        key_of: Callable[[Mapping[str, Any]], K],
        project: Callable[[dict[str, Any]], V],
        listener: Listener[K, V],
    ) -> None:
        self._index = index
        self._key_of = key_of
        self._project = project
        self._listener = listener

    def __call__(self, event: Mapping[str, Any]) -> None:
        obj = event["object"]
        uid = str(obj["metadata"].get("uid"))
        try:
            if event["type"] == "DELETED":
                self._take_out(uid)
            else:
                self._put(uid, obj)
        except Exception:
            # The watch goes on: one object that cannot be read must not hide all others.
            logger.exception("%s: an event could not be read", uid)

    def _put(self, uid: str, obj: dict[str, Any]) -> None:
        key, value = self._key_of(obj), self._project(obj)
        left = self._index.moves(key, uid)
        self._listener.changed(key, value, self._index.put(key, uid, value))
        if left is not None and self._listener.left:
            self._listener.left(left)

    def _take_out(self, uid: str) -> None:
        if (known := self._index.pop(uid)) is not None:
            self._listener.gone(*known)


def name_of(obj: Mapping[str, Any]) -> str:
    """The name of an object that belongs to no namespace."""
    return str(obj["metadata"].get("name"))


def key_of(app: Mapping[str, Any]) -> Key:
    """The key of an app itself."""
    meta = app["metadata"]
    return Key(meta.get("namespace") or "", meta.get("name") or "")


def owner_of(obj: Mapping[str, Any]) -> Key:
    """Which app an object made for it belongs to. The label is `part-of`, since an adopted Deployment's selector may
    demand another `name` of its pods."""
    meta = obj["metadata"]
    return Key(meta.get("namespace") or "", (meta.get("labels") or {}).get(LABEL_PART_OF, ""))
