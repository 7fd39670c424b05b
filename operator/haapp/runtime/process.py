"""One running operator: what belongs together from the start of the process to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from haapp.cluster import following
from haapp.cluster.client import Client
from haapp.cluster.discovery import Discovery
from haapp.cluster.events import EventRecorder
from haapp.cluster.overlay import Overlay
from haapp.cluster.shard_lease import ShardLease
from haapp.cluster.view import ClusterView, Indices
from haapp.cluster.watches import Watches
from haapp.cluster.writer import Writer
from haapp.exceptions import ApiError
from haapp.reconcile.pipeline import Reconciler
from haapp.reconcile.ports import Key
from haapp.render import compile_all
from haapp.runtime import metrics
from haapp.runtime.endpoints import Endpoints
from haapp.runtime.key_pairs import key_pairs
from haapp.runtime.reviews import Reviewer
from haapp.runtime.triggers import Triggers
from haapp.runtime.webhook import Webhook
from haapp.runtime.workers import Workers
from haapp.runtime.workqueue import WorkQueue
from haapp.settings import Settings, from_environment

logger = logging.getLogger(__name__)

LIVENESS_SECONDS = 60.0
"""Apps that are due for this long, and none of them taken by a worker, mean that the process hangs."""


async def start(indices: Indices, settings: Settings | None = None) -> Runtime:
    """Connect to the API server; the work begins with `begin`."""
    settings = settings or from_environment()
    client = await Client.connect(observe=metrics.observe_request)
    for_lease = await Client.connect(observe=metrics.observe_request) if settings.leader_election else None
    runtime = Runtime(client, for_lease, indices, settings)
    await runtime.start()
    return runtime


class Runtime:
    """The queue, its workers, the lease and the endpoints of one process.

    The lease has a client of its own: it must not wait for a connection behind writes that a webhook holds up."""

    def __init__(self, client: Client, for_lease: Client | None, indices: Indices, settings: Settings) -> None:
        self._settings = settings
        self._client, self._for_lease = client, for_lease
        self._queue: WorkQueue[Key] = WorkQueue()
        self._overlay = Overlay()
        self._lease = ShardLease(for_lease, settings) if for_lease else None
        time_left = self._lease.time_left if self._lease else None
        self._recorder = EventRecorder(client, settings.identity, time_left)
        self._watches = Watches(client, self._queue.add)
        self._discovery = Discovery(client, once=bool(settings.namespaces))
        view = ClusterView(indices, self._overlay, self._watches, self._discovery)
        writer = Writer(client, self._overlay, self._recorder, time_left)
        reconciler = Reconciler(view, writer, crowded=self._queue.crowded)
        self._workers = Workers(self._queue, reconciler.visit, settings.workers)
        self._endpoints = Endpoints(
            settings.health_port, settings.metrics_port, alive=self._alive, ready=following.ready
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._telling: asyncio.Task[None] | None = None
        self.lost = False
        """Whether the process ends because it may not lead any more."""
        self.triggers = Triggers(self._queue, self._overlay, indices.apps)
        self.reviewer = Reviewer(view, client, following.ready)

    def webhook(self) -> Webhook | None:
        """The admission webhook for Kopf to serve, where it is switched on. Every replica serves it, leading or not."""
        admission = self._settings.admission
        if admission is None:
            return None
        return Webhook(admission.port, key_pairs(self._client, admission, self._settings.lease_namespace))

    @property
    def leading(self) -> bool:
        """Whether this process may write."""
        return self._lease is None or self._lease.leading

    async def start(self) -> None:
        shard = self._settings.shard
        metrics.observe_leading(shard, leading=False)
        if not shard.whole:
            logger.info("Serving shard %s of the namespaces.", shard)
        await self._endpoints.start()
        self._telling = asyncio.create_task(self._recorder.run(), name="events")

    def begin(self) -> None:
        """Work, as soon as this process leads and the watches, which are followed by now, have shown all there is."""
        self._tasks.append(asyncio.create_task(self._lead(), name="leader"))
        self._tasks.append(asyncio.create_task(self._prepare(), name="preparations"))

    async def stop(self) -> None:
        """Finish the writes in hand, then let the next replica lead, and only then tidy up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._workers.stop(), *self._tasks, return_exceptions=True)
        if self._telling:
            await self._recorder.finish()
            self._telling.cancel()
        if self._lease:
            await self._lease.release()
        await asyncio.gather(self._watches.close(), self._endpoints.stop())
        await self._client.close()
        if self._for_lease:
            await self._for_lease.close()

    async def _lead(self) -> None:
        """Work while this process leads. One that has lost the lease ends: the next one begins with a fresh view."""
        if self._lease is None:
            await self._work()
            return
        try:
            await self._lease.acquire()
            self._tasks.append(asyncio.create_task(self._work(), name="beginning"))
            await self._lease.hold()
        except Exception:
            logger.exception("Leader election failed: the process ends.")
        metrics.observe_leading(self._settings.shard, leading=False)
        self.lost = True
        signal.raise_signal(signal.SIGTERM)

    async def _work(self) -> None:
        metrics.observe_leading(self._settings.shard, leading=True)
        await following.whole()
        self._workers.start()

    async def _prepare(self) -> None:
        """What the first app would wait for, while the watches still list."""
        await asyncio.to_thread(compile_all)
        with contextlib.suppress(ApiError):  # the first app asks again
            await self._discovery.look(frozenset())

    def _alive(self) -> bool:
        return not self.leading or self._queue.stalled < LIVENESS_SECONDS
