"""A fight over a child: somebody changes back at once whatever is put right. It is neither given up nor made a race."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from haapp.children import Plan

BURST = 5
"""So many corrections of one child may follow each other at once: a clumsy edit, a script, a restore."""

PAUSE = 1.0
"""Seconds for each further one."""

REMEMBERED = 4096


class Fights:
    """Counts the corrections of each child, like tokens that grow back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent: dict[str, tuple[float, float]] = {}

    def paced(self, planned: Plan) -> tuple[Plan, float | None]:
        """The plan without the corrections that have to wait, and the seconds until the first of them is due."""
        waits = {child.uid: self._wait(child.uid) for child in planned.drifted}
        late = {uid: wait for uid, wait in waits.items() if wait > 0}
        if not late:
            return planned, None
        updates = tuple((obj, child) for obj, child in planned.updates if child.uid not in late)
        drifted = tuple(child for child in planned.drifted if child.uid not in late)
        return replace(planned, updates=updates, drifted=drifted), min(late.values())

    def _wait(self, uid: str) -> float:
        """Take one correction; the seconds until it is due, 0 for now."""
        now = self._clock()
        spent, at = self._spent.pop(uid, (0.0, now))
        spent = max(0.0, spent - (now - at) / PAUSE)
        wait = max(0.0, (spent + 1 - BURST) * PAUSE)
        self._spent[uid] = (spent if wait else spent + 1, now)
        if len(self._spent) > REMEMBERED:
            del self._spent[next(iter(self._spent))]
        return wait
