"""The watches of children, pods and ReplicaSets: each event goes straight into an index, and on to the triggers.

Kopf would run a task of its own for each object and several steps for each event, which costs ten times what the rest
of an event does, and keep a memory of each object; a cluster has many of these, and none needs what Kopf offers for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from haapp.children import KINDS, child_of
from haapp.cluster.following import Sink
from haapp.cluster.index import Index
from haapp.cluster.view import Indices
from haapp.placement.model import pod_of, replica_set_of
from haapp.reconcile.ports import Key
from haapp.runtime.triggers import Triggers, app_key

logger = logging.getLogger(__name__)

V = TypeVar("V")


def sinks(indices: Indices, triggers: Triggers) -> dict[tuple[str, str], Sink]:
    """What takes the events of each (group, plural)."""
    children: dict[tuple[str, str], Sink] = {
        (kind.group, kind.plural): Entry(
            indices.children, partial(child_of, kind.kind), triggers.child, triggers.child_gone, triggers.look
        )
        for kind in KINDS
    }
    pods = Entry(indices.pods, pod_of, triggers.dependent, triggers.dependent_gone, triggers.settle)
    replica_sets = Entry(
        indices.replica_sets, replica_set_of, triggers.dependent, triggers.dependent_gone, triggers.settle
    )
    return {**children, ("", "pods"): pods, ("apps", "replicasets"): replica_sets}


class Entry(Generic[V]):
    """Takes the events of one kind. `changed` is called with the app, what the object is now and what it was before
    (`None` for a new one), `gone` with what it was, `left` with the app whose label somebody took off the object: after
    the index was changed, and before anybody else can act."""

    def __init__(
        self,
        index: Index[Key, V],
        project: Callable[[dict[str, Any]], V],
        changed: Callable[[Key, V, V | None], None],
        gone: Callable[[Key, V], None],
        left: Callable[[Key], None],
    ) -> None:
        self._index = index
        self._project = project
        self._changed = changed
        self._gone = gone
        self._left = left

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
        key, value = app_key(obj), self._project(obj)
        left = self._index.moves(key, uid)
        self._changed(key, value, self._index.put(key, uid, value))
        if left is not None:
            self._left(left)

    def _take_out(self, uid: str) -> None:
        if (known := self._index.pop(uid)) is not None:
            self._gone(*known)
