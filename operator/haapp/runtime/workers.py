"""The workers: each takes the next due app, visits it, and says when it is to be looked at again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from haapp.api.text import cut
from haapp.exceptions import ApiError, NotLeading
from haapp.reconcile.pipeline import FAULT, FAULT_SECONDS, Visit
from haapp.reconcile.ports import Key
from haapp.runtime import metrics
from haapp.runtime.workqueue import WorkQueue
from haapp.status.verdict import MESSAGE_LIMIT

logger = logging.getLogger(__name__)

STOP_SECONDS = 15.0
"""How long a stop waits for the visits in hand: as long as a write may take that the lease fences."""

NOT_LEADING_DELAY = 1.0


class Workers:
    """`number` tasks that call `visit` with each due key; a failure is retried with the key's own backoff."""

    def __init__(self, queue: WorkQueue[Key], visit: Callable[[Key], Awaitable[Visit]], number: int) -> None:
        self._queue = queue
        self._visit = visit
        self._number = number
        self._tasks: list[asyncio.Task[None]] = []
        self._turn = asyncio.Lock()
        self._told: dict[Key, str] = {}

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work(), name=f"worker {n}") for n in range(self._number)]

    async def stop(self) -> None:
        """Take no further key, and return when the visits in hand have ended."""
        self._queue.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()

    async def _work(self) -> None:
        while (key := await self._next()) is not None:
            started = time.monotonic()
            try:
                await self._one(key)
            finally:
                self._queue.done(key)
                metrics.DURATION.observe(time.monotonic() - started)
                metrics.QUEUE_DEPTH.set(self._queue.ready)
                metrics.QUEUE_AGE.set(self._queue.age)

    async def _next(self) -> Key | None:
        """The next due key. One worker after the other takes one, and all else has its turn in between: a visit that
        writes nothing waits for nothing, and one that waits for an answer must not wait for those of all workers."""
        async with self._turn:
            await asyncio.sleep(0)
        return await self._queue.get()

    async def _one(self, key: Key) -> None:
        try:
            visit = await self._visit(key)
        except NotLeading:
            self._queue.add_after(key, NOT_LEADING_DELAY)
        except ApiError as error:
            self._retry(key, type(error).__name__, str(error), at_least=getattr(error, "retry_after", 0.0))
        except Exception as error:
            logger.exception("%s: a fault of the operator", key)
            self._retry(key, FAULT, repr(error), at_least=FAULT_SECONDS)
        else:
            self._settle(key, visit)

    def _settle(self, key: Key, visit: Visit) -> None:
        if visit.status is not None:
            metrics.APPS.observe(*key, visit.status)
        if visit.failure:
            self._retry(key, visit.failure, visit.message, at_least=visit.retry_after)
            if visit.again_in is not None:
                self._queue.add_after(key, max(visit.again_in, visit.retry_after))
            return
        metrics.RECONCILES.labels("ok").inc()
        self._told.pop(key, None)
        if visit.gone:
            metrics.APPS.forget(*key)
            self._queue.discard(key)
            return
        self._queue.forget_failures(key)
        if visit.again_in is not None:
            self._queue.add_after(key, visit.again_in)

    def _retry(self, key: Key, reason: str, message: str, *, at_least: float) -> None:
        delay = self._queue.add_failed(key, at_least=at_least)
        metrics.RECONCILES.labels("failed").inc()
        metrics.ERRORS.labels(reason).inc()
        message = cut(message, MESSAGE_LIMIT)  # the API server's quotes what it refuses, which may be a megabyte
        level = logging.DEBUG if self._told.get(key) == message else logging.WARNING
        self._told[key] = message
        logger.log(level, "%s: %s: %s; next try in %.3g s", key, reason, message, delay)
