"""An event only says which app to look at, and how soon: at once, or when things have settled."""

from __future__ import annotations

from collections.abc import Callable

from haapp.children import Child
from haapp.cluster import following
from haapp.cluster.index import Index
from haapp.cluster.overlay import Overlay
from haapp.cluster.seen import SeenApp
from haapp.placement.model import Node
from haapp.reconcile.ports import Key
from haapp.runtime.workqueue import WorkQueue

QUIET = 0.4
"""Seconds without news of an app's pods after which its status is judged anew: pods come up in bursts."""

AT_MOST = 1.5
"""Seconds after which it is judged even though the news goes on."""


class Triggers:
    """Turns what the watches tell into keys of the queue. `apps` are those that were heard of, `whole` says whether the
    first lists are."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        overlay: Overlay,
        apps: Index[Key, SeenApp],
        whole: Callable[[], bool] = following.ready,
    ) -> None:
        self._queue = queue
        self._overlay = overlay
        self._apps = apps
        self._whole = whole

    def app(self, key: Key, now: SeenApp, before: SeenApp | None) -> None:
        """The HighAvailabilityApp itself changed, or stands in a list: those that ask for something come first, so that
        what many of them ask for at once is made before any of them is told of. A watch may skip the state that an edit
        left, and show no other than the one after our next status."""
        if before is None and now.told:
            self._queue.add_behind(key)
        elif before is None or before.asked != now.asked:
            self._queue.add_first(key)
        elif not self._overlay.has_shown_app(key, now):
            self._queue.add(key)

    def app_gone(self, key: Key, _: object) -> None:
        """The HighAvailabilityApp is there no more."""
        self._queue.add(key)

    def child(self, key: Key, child: Child, before: Child | None) -> None:
        """A child changed: what we own of it, which is looked at once, or only its status. The operator's own write is
        no news. Apps that were not heard of are visited when they are."""
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

    def node(self, _: str, now: Node, before: Node | None) -> None:
        """A node changed, in more than its heartbeat. Before the lists are whole no app has been looked at."""
        if now != before and self._whole():
            self._settle_all()

    def node_gone(self, _: str, __: object) -> None:
        """A node is there no more."""
        self._settle_all()

    def look(self, key: Key) -> None:
        """Look at the app at once."""
        if key in self._apps:
            self._queue.add(key)

    def settle(self, key: Key) -> None:
        """Look at the app when its news has settled."""
        if key in self._apps:
            self._queue.add_settled(key, QUIET, AT_MOST)

    def _settle_all(self) -> None:
        for key in self._apps:
            self._queue.add_settled(key, QUIET, AT_MOST)


def _ours(child: Child) -> tuple[object, ...]:
    """What is ours of a child: all else is nobody's business but its status."""
    return child.desired_hash, child.owned, child.owner_uid, child.deleting
