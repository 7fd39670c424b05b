"""Moves pods back to where the spread wants them: one at a time, through the Eviction API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haapp.api import App
from haapp.exceptions import NotFound, Throttled
from haapp.placement.model import Pod
from haapp.placement.rebalance import History, decide
from haapp.reconcile.ports import Key, Writer
from haapp.status import Observed

BUDGET_SECONDS = 10.0
"""When to ask again after a disruption budget did not allow an eviction."""


class Rebalancer:
    """Remembers each app's last move. `started` (epoch seconds) stands for the moves that another process may have made
    before: the first cooldown begins there."""

    def __init__(self, writer: Writer, started: int) -> None:
        self._writer = writer
        self._started = History(started)
        self._histories: dict[Key, History] = {}

    def forget(self, key: Key) -> None:
        """The app is gone."""
        self._histories.pop(key, None)

    async def move(self, key: Key, app: App, obj: Mapping[str, Any], observed: Observed) -> float | None:
        """Make the one move that is due, if any; returns in how many seconds to look again."""
        history = self._histories.get(key, self._started)
        decision = decide(app.spec, observed, history, int(observed.now.timestamp()))
        if decision.move is None:
            if decision.history is not None:
                self._histories[key] = decision.history
            return decision.retry_after
        pod = next(pod for pod in observed.pods if pod.uid == decision.move.uid)
        if not await self._evict(key, pod):
            return BUDGET_SECONDS
        if decision.history is not None:
            self._histories[key] = decision.history
        self._writer.event(obj, "Rebalanced", f"Moved pod {pod.name} off {pod.node}. {decision.move.why}")
        return None

    async def _evict(self, key: Key, pod: Pod) -> bool:
        try:
            await self._writer.evict(key.namespace, pod)
        except NotFound:
            return True
        except Throttled:
            return False
        return True
