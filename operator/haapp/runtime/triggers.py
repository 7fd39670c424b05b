"""An event only says which app to look at, and how soon: at once, or when things have settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from haapp.api.names import LABEL_PART_OF
from haapp.children import Child
from haapp.cluster.overlay import Overlay
from haapp.placement.model import Node, node_of
from haapp.reconcile.ports import Key
from haapp.runtime.workqueue import WorkQueue

QUIET = 0.4
"""Seconds without news of an app's pods after which its status is judged anew: pods come up in bursts."""

AT_MOST = 1.5
"""Seconds after which it is judged even though the news goes on."""


class Triggers:
    """Turns watch events into keys of the queue."""

    def __init__(self, queue: WorkQueue[Key], overlay: Overlay) -> None:
        self._queue = queue
        self._overlay = overlay
        self._apps: dict[Key, str] = {}
        self._nodes: dict[str, Node] = {}

    @property
    def indexed(self) -> bool:
        """Whether Kopf's indices are whole, for sure: it holds the first events back until they are."""
        return bool(self._nodes)

    def app(self, event: Mapping[str, Any]) -> None:
        """The HighAvailabilityApp itself changed, or stands in a list, where those that ask for something come first."""
        meta = event["object"]["metadata"]
        key = Key(meta["namespace"], meta["name"])
        uid = str(meta.get("uid"))
        if event["type"] != "DELETED":
            self._apps[key] = uid
        elif self._apps.get(key) == uid:  # Another app of that name may have been heard of first.
            del self._apps[key]
        if event["type"] is None and _is_told_of(event["object"]):
            self._queue.add_behind(key)
        elif not self._overlay.is_own_write(key, meta.get("resourceVersion", "")):
            self._queue.add(key)

    def child(self, key: Key, child: Child, before: Child | None) -> None:
        """A child changed: what we own of it, which is looked at once, or only its status. The operator's own write is
        no news. Apps that were not heard of are visited when they are: until then Kopf may still be listing."""
        if key not in self._apps or self._overlay.has_shown(key, child):
            return
        if before is None or _ours(before) != _ours(child):
            self._queue.add(key)
        elif child.deployment is not None and child.deployment != before.deployment:
            self.settle(key)

    def dependent(self, key: Key, now: object, before: object | None) -> None:
        """A pod or a ReplicaSet of the app changed, as far as anybody looks at it."""
        if now != before:
            self.settle(key)

    def dependent_gone(self, key: Key, _: object) -> None:
        """A pod or a ReplicaSet is there no more."""
        self.settle(key)

    def child_gone(self, key: Key, child: Child) -> None:
        """A child is there no more."""
        self._overlay.gone(key, child.uid)
        self.look(key)

    def node(self, event: Mapping[str, Any]) -> None:
        """A node changed, in more than its heartbeat. One of the first list is no change."""
        node = node_of(event["object"])
        first = event["type"] is None and node.name not in self._nodes
        if event["type"] == "DELETED":
            changed = self._nodes.pop(node.name, None) is not None
        else:
            changed = self._nodes.get(node.name) != node
            self._nodes[node.name] = node
        if changed and not first:
            self.settle_all(list(self._apps))

    def look(self, key: Key) -> None:
        """Look at the app at once."""
        if key in self._apps:
            self._queue.add(key)

    def settle(self, key: Key) -> None:
        """Look at the app when its news has settled."""
        if key in self._apps:
            self._queue.add_settled(key, QUIET, AT_MOST)

    def settle_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._queue.add_settled(key, QUIET, AT_MOST)


def _ours(child: Child) -> tuple[object, ...]:
    """What is ours of a child: all else is nobody's business but its status."""
    return child.desired_hash, child.owned, child.owner_uid, child.deleting


def _is_told_of(app: Mapping[str, Any]) -> bool:
    """Whether the status is of what is asked for now, so that the app most likely needs nothing."""
    status = app.get("status")
    return isinstance(status, Mapping) and status.get("observedGeneration") == app["metadata"].get("generation")


def app_key(obj: Mapping[str, Any]) -> Key:
    """Which app an object made for it belongs to. The label is `part-of`, since an adopted Deployment's selector may
    demand another `name` of its pods."""
    meta = obj["metadata"]
    return Key(meta.get("namespace") or "", (meta.get("labels") or {}).get(LABEL_PART_OF, ""))


def app_body(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The HighAvailabilityApp without what nobody reads: managedFields can be larger than the rest."""
    body = dict(obj)
    body["metadata"] = {k: v for k, v in dict(obj["metadata"]).items() if k != "managedFields"}
    return body
