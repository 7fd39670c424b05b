"""Events on a HighAvailabilityApp, sent in the background; what is told twice is counted, not written twice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from haapp.api.names import API_VERSION, FIELD_MANAGER, KIND
from haapp.cluster.client import MERGE, REQUEST_TIMEOUT, Client, Request
from haapp.exceptions import ApiError, NotFound, NotLeading

logger = logging.getLogger(__name__)

SERIES_SECONDS = 600.0
"""An Event that comes again within this time is counted on the first one."""

SERIES_PAUSE = 60.0
"""The count of a series is written at most once in this many seconds."""

WAITING_LIMIT = 1000
"""Events that wait to be sent; further ones are dropped, since people read the latest condition anyway."""

FINISH_SECONDS = 1.0
"""How long a stop waits for Events: the next leader waits for it."""

REMEMBERED = 4096
NOTE_LIMIT = 1024

Identity = tuple[str, str, str]


@dataclass(slots=True)
class _Sent:
    path: str
    count: int
    first: float
    written: float


class EventRecorder:
    """Sends events.k8s.io/v1 Events. `time_left` tells how many seconds a write may take now, and raises NotLeading
    where none may begin."""

    def __init__(self, client: Client, instance: str, time_left: Callable[[], float] | None = None) -> None:
        self._client = client
        self._instance = instance
        self._time_left = time_left or (lambda: REQUEST_TIMEOUT)
        self._waiting: asyncio.Queue[tuple[Identity, dict[str, Any]]] = asyncio.Queue(WAITING_LIMIT)
        self._sent: OrderedDict[Identity, _Sent] = OrderedDict()

    def record(self, app: Mapping[str, Any], reason: str, message: str, *, warning: bool = False) -> None:
        """Queue an Event on the app; it never waits and never fails."""
        note = message if len(message) <= NOTE_LIMIT else message[: NOTE_LIMIT - 3] + "..."
        identity = (str(app["metadata"].get("uid")), reason, note)
        if not self._waiting.full():
            self._waiting.put_nowait((identity, self._event(app, reason, note, warning=warning)))

    async def run(self) -> None:
        """Send what is queued, for ever."""
        while True:
            identity, event = await self._waiting.get()
            try:
                await self._send(identity, event)
            except (ApiError, NotLeading) as error:
                logger.debug("An Event was not sent: %s", error)
            except Exception:
                logger.exception("An Event was not sent")
            finally:
                self._waiting.task_done()

    async def finish(self) -> None:
        """Return when all that is queued has been sent, or after FINISH_SECONDS."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), FINISH_SECONDS)

    async def _send(self, identity: Identity, event: dict[str, Any]) -> None:
        now = time.monotonic()
        sent = self._sent.get(identity)
        if sent is None or now - sent.first > SERIES_SECONDS:
            await self._post(identity, event, now)
            return
        sent.count += 1
        if now - sent.written >= SERIES_PAUSE:
            sent.written = now
            series = {"count": sent.count, "lastObservedTime": _micro_time()}
            try:
                await self._write("PATCH", sent.path, body={"series": series}, content_type=MERGE)
            except NotFound:
                await self._post(identity, event, now)

    async def _post(self, identity: Identity, event: dict[str, Any], now: float) -> None:
        collection = f"/apis/events.k8s.io/v1/namespaces/{event['metadata']['namespace']}/events"
        await self._write("POST", collection, body=event)
        self._sent[identity] = _Sent(f"{collection}/{event['metadata']['name']}", 1, now, now)
        self._sent.move_to_end(identity)
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    async def _write(self, method: str, path: str, **request: Any) -> None:
        timeout = min(REQUEST_TIMEOUT, self._time_left())
        await self._client.send(Request(method, path, timeout=timeout, fence=self._time_left, **request))

    def _event(self, app: Mapping[str, Any], reason: str, note: str, *, warning: bool) -> dict[str, Any]:
        meta = app["metadata"]
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{meta['name'][:200]}.{uuid4().hex[:16]}", "namespace": meta["namespace"]},
            "eventTime": _micro_time(),
            "type": "Warning" if warning else "Normal",
            "reason": reason,
            "action": "Reconcile",
            "note": note,
            "reportingController": FIELD_MANAGER,
            "reportingInstance": self._instance[:128],
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta.get("uid"),
            },
        }


def _micro_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
