"""What the operator has written itself, until the watches show it: nothing is done twice on an old view."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from haapp.children.model import Child, number_of
from haapp.cluster.seen import SeenApp
from haapp.reconcile.ports import Key

PATIENCE = 60.0
"""Seconds after which an answer that no watch has confirmed is no longer believed."""

REMEMBERED = 4096
"""How many deletions are remembered, for answers that arrive after the watch has told of the object's end."""


class Overlay:
    """The answers to our writes. An entry goes as soon as the watch has caught up with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._children: dict[Key, dict[tuple[str, str], tuple[Child, float]]] = {}
        self._deleting: dict[Key, dict[str, float]] = {}
        self._apps: dict[Key, Mapping[str, Any]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    def written(self, key: Key, child: Child) -> None:
        """The API server has answered a write of one of the app's children."""
        if child.uid not in self._gone:
            self._children.setdefault(key, {})[child.key] = (child, self._clock())

    def deleted(self, key: Key, child: Child) -> None:
        """The API server has accepted the deletion of a child."""
        self._drop(key, child.key)
        if child.uid not in self._gone:
            self._deleting.setdefault(key, {})[child.uid] = self._clock()

    def app_written(self, key: Key, app: Mapping[str, Any]) -> None:
        """The API server has answered a write of the app's status."""
        self._apps[key] = app

    def has_shown_app(self, key: Key, seen: SeenApp) -> bool:
        """The watch shows the app: whether as our last write of its status left it, so that it tells nothing new."""
        written = self._apps.get(key)
        if written is None or written["metadata"].get("resourceVersion") != seen.resource_version:
            return False
        del self._apps[key]
        return True

    def has_shown(self, key: Key, child: Child) -> bool:
        """The watch shows a child: whether as our last write left it, so that it tells nothing new."""
        written, _ = self._children.get(key, {}).get(child.key, (None, 0.0))
        if written is None or (written.uid, written.resource_version) != (child.uid, child.resource_version):
            return False
        self._drop(key, child.key)
        return True

    def gone(self, key: Key, uid: str) -> None:
        """The watch has told that a child was deleted."""
        self._gone[uid] = None
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
        self._deleting.get(key, {}).pop(uid, None)
        for child, _ in list(self._children.get(key, {}).values()):
            if child.uid == uid:
                self._drop(key, child.key)

    def forget(self, key: Key) -> None:
        """The app itself is gone."""
        self._apps.pop(key, None)
        self._children.pop(key, None)
        self._deleting.pop(key, None)

    def app(self, key: Key, seen: SeenApp) -> Mapping[str, Any]:
        """The newer of what the watch shows of the app and of what our last write of its status gave back."""
        written = self._apps.get(key)
        if written is None:
            return seen.body()
        meta = written["metadata"]
        if seen.version >= number_of(str(meta.get("resourceVersion") or "")) or seen.uid != meta["uid"]:
            del self._apps[key]
            return seen.body()
        return written

    def children(self, key: Key, seen: Iterable[Child]) -> tuple[Child, ...]:
        """The children that the watch shows, with our own later writes in their place."""
        deleting = self._fresh_deletions(key)
        merged = {child.key: child for child in seen if child.uid not in deleting}
        for child, since in list(self._children.get(key, {}).values()):
            shown = merged.get(child.key)
            if (shown is not None and shown.version >= child.version) or self._clock() - since > PATIENCE:
                self._drop(key, child.key)
            else:
                merged[child.key] = child
        return tuple(merged.values())

    def _fresh_deletions(self, key: Key) -> dict[str, float]:
        fresh = {u: since for u, since in self._deleting.get(key, {}).items() if self._clock() - since <= PATIENCE}
        if fresh:
            self._deleting[key] = fresh
        else:
            self._deleting.pop(key, None)
        return fresh

    def _drop(self, key: Key, child_key: tuple[str, str]) -> None:
        children = self._children.get(key, {})
        children.pop(child_key, None)
        if not children:
            self._children.pop(key, None)
