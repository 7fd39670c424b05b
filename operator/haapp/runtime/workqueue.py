"""A queue of keys: each is worked on by one worker at a time, and never forgotten while it is dirty.

The semantics are those of client-go's rate-limited work queue: a key that is added while it is being worked on is
worked on once more afterwards; a key added twice before it is taken is taken once. As in controller-runtime's priority
queue, some come before the others, and what most likely needs no work stands behind all else.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

BASE_DELAY = 0.005
"""Seconds before the first retry of a key; each further failure doubles it."""

MAX_DELAY = 300.0
"""Seconds that a retry waits at the most."""

OVERDUE_SECONDS = 10.0
"""A key that has waited for so long is passed over no more: every other turn is for those."""

CROWD = 16
CROWD_SECONDS = 2.0
"""It is crowded where so many first ones were taken in so many seconds."""

SPARE_TIMERS = 64
"""Timers that were overtaken are cleared away when they are more than those that count, and so many."""

FIRST, USUAL, BEHIND = range(3)


class WorkQueue(Generic[K]):
    """Keys that are due now, or at a known time. All times are of the monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._tiers: tuple[OrderedDict[K, float], ...] = (OrderedDict(), OrderedDict(), OrderedDict())
        self._passed_over = False
        self._firsts: deque[float] = deque(maxlen=CROWD)
        self._due: dict[K, float] = {}
        self._first_asked: dict[K, float] = {}
        self._timers: list[tuple[float, int, K]] = []
        self._armed: dict[K, float] = {}
        self._tickets = 0
        self._busy: set[K] = set()
        self._failures: dict[K, int] = {}
        self._taken = time.monotonic()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return self.ready + len(self._due)

    @property
    def ready(self) -> int:
        """How many keys wait for a worker."""
        return sum(map(len, self._tiers))

    @property
    def age(self) -> float:
        """How long the oldest due key has been waiting for a worker, in seconds."""
        now = time.monotonic()
        return max((now - next(iter(keys.values())) for keys in self._tiers if keys), default=0.0)

    @property
    def stalled(self) -> float:
        """For how many seconds keys have been due without any being taken: however many wait, work goes on while
        this is small."""
        return min(self.age, time.monotonic() - self._taken)

    def crowded(self) -> bool:
        """Whether many keys that come first were taken just now."""
        return len(self._firsts) == CROWD and time.monotonic() - self._firsts[0] < CROWD_SECONDS

    def add_first(self, key: K) -> None:
        """Make the key due at once, and before the others."""
        self._forget_timer(key)
        self._enter(key, FIRST)

    def add(self, key: K) -> None:
        """Make the key due at once."""
        self._forget_timer(key)
        self._enter(key, USUAL)

    def add_behind(self, key: K) -> None:
        """Make the key due when no other is."""
        self._enter(key, BEHIND)

    def add_after(self, key: K, delay: float) -> None:
        """Make the key due in `delay` seconds, unless it is due sooner."""
        due = time.monotonic() + max(0.0, delay)
        if not self._is_ready(key) and due < self._due.get(key, float("inf")):
            self._schedule(key, due)

    def add_settled(self, key: K, quiet: float, at_most: float) -> None:
        """Make the key due when nobody has asked for it for `quiet` seconds, at most `at_most` seconds from now."""
        if self._is_ready(key):
            return
        now = time.monotonic()
        first = self._first_asked.setdefault(key, now)
        self._schedule(key, min(now + quiet, first + at_most))

    def add_failed(self, key: K, *, at_least: float = 0.0) -> float:
        """Make the key due after its backoff, which doubles with each failure in a row; returns the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay: float = max(at_least, min(MAX_DELAY, BASE_DELAY * 2.0 ** min(failures, 32)))
        self.add_after(key, delay)
        return delay

    def forget_failures(self, key: K) -> None:
        """The key's work succeeded: its next retry starts from the shortest delay again."""
        self._failures.pop(key, None)

    def discard(self, key: K) -> None:
        """The key's object is gone: nothing of it is kept."""
        for keys in self._tiers:
            keys.pop(key, None)
        self._forget_timer(key)
        self._armed.pop(key, None)
        self._failures.pop(key, None)

    def close(self) -> None:
        """No more keys are given out: `get` returns None from now on."""
        self._closed = True
        for _ in range(len(self._waiting)):
            self._wake()

    async def get(self) -> K | None:
        """The next due key that no worker holds; call `done` with it afterwards. None once the queue is closed."""
        while not self._closed:
            self._promote()
            for tier in self._order():
                key = next((key for key in self._tiers[tier] if key not in self._busy), None)
                if key is not None:
                    return self._take(key, tier)
            await self._wait()
        return None

    def done(self, key: K) -> None:
        """The worker has finished with the key."""
        self._busy.discard(key)
        if self._is_ready(key):
            self._wake()

    def _order(self) -> tuple[int, ...]:
        """Which tier is asked before which: one key that is overdue comes after each that was taken before it."""
        waited = time.monotonic() - next(iter(self._tiers[USUAL].values()), float("inf"))
        return (USUAL, FIRST, BEHIND) if self._passed_over and waited > OVERDUE_SECONDS else (FIRST, USUAL, BEHIND)

    def _take(self, key: K, tier: int) -> K:
        del self._tiers[tier][key]
        self._busy.add(key)
        self._taken = time.monotonic()
        self._passed_over = tier == FIRST
        if tier == FIRST:
            self._firsts.append(self._taken)
        return key

    def _enter(self, key: K, tier: int) -> None:
        """The key joins the tier, with the time that it has waited in a later one, unless it is in an earlier one."""
        if any(key in keys for keys in self._tiers[:tier]):
            return
        waiting = next((keys.pop(key) for keys in self._tiers[tier + 1 :] if key in keys), time.monotonic())
        self._tiers[tier].setdefault(key, waiting)
        self._wake()

    def _forget_timer(self, key: K) -> None:
        self._due.pop(key, None)
        self._first_asked.pop(key, None)

    def _is_ready(self, key: K) -> bool:
        return any(key in keys for keys in self._tiers)

    def _schedule(self, key: K, due: float) -> None:
        self._due[key] = due
        if due < self._armed.get(key, float("inf")):
            self._arm(key, due)

    def _arm(self, key: K, due: float) -> None:
        self._armed[key] = due
        self._tickets += 1
        if len(self._timers) > 2 * len(self._armed) + SPARE_TIMERS:
            self._timers = [timer for timer in self._timers if self._armed.get(timer[2]) == timer[0]]
            heapq.heapify(self._timers)
        heapq.heappush(self._timers, (due, self._tickets, key))
        if self._timers[0][2] is key:
            self._wake()

    def _promote(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._ring(heapq.heappop(self._timers), now)

    def _ring(self, timer: tuple[float, int, K], now: float) -> None:
        rang, _, key = timer
        if self._armed.get(key) != rang:
            return
        del self._armed[key]
        due = self._due.get(key)
        if due is None:
            return
        if due <= now:
            self.add(key)
        else:
            self._arm(key, due)

    async def _wait(self) -> None:
        """Return when there may be something to take: one worker is woken for each key."""
        loop = asyncio.get_running_loop()
        if self._alarm:
            self._alarm.cancel()
        if self._timers:
            self._alarm = loop.call_later(max(0.0, self._timers[0][0] - time.monotonic()), self._wake)
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # another worker has to take what this one was woken for
            raise

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
