"""Leader election on a coordination.k8s.io/v1 Lease, with a deadline that fences every write.

The timings are controller-runtime's: the lease lasts 15 s, the holder renews every 2 s and gives up after 10 s
without success. The official client's election was not used: it neither releases the lease at a graceful stop nor
tells until when the holder may still write, and a broken connection ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from haapp.cluster.client import Client, Request
from haapp.exceptions import ApiError, Conflict, NotFound, NotLeading

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_DEADLINE = 10.0
RETRY_PERIOD = 2.0
REQUEST_TIMEOUT = RENEW_DEADLINE / 2
STANDBY_PERIOD = 1.0
"""How often a standby looks: a lease that was released is taken up within this time."""

RELEASE_TIMEOUT = 2.0


def uptime() -> float:
    """Seconds on a clock that also runs while the machine is suspended, where there is one: others' clocks do."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Observed:
    """One lease as somebody sees it who does not hold it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = clock()

    def over(self, spec: dict[str, Any]) -> bool:
        """Whether it is free: released, or unchanged for its duration by our own clock, since clocks need not agree."""
        holder = spec.get("holderIdentity") or ""
        seen = (holder, str(spec.get("renewTime")))
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        expired = self._clock() >= self._seen_at + float(spec.get("leaseDurationSeconds") or LEASE_SECONDS)
        return not holder or expired


class Lease:
    """One candidate for the lease of that name. `clock` never goes back, in seconds."""

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        name: str,
        identity: str,
        clock: Callable[[], float] = uptime,
    ) -> None:
        self._client = client
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._name = name
        self._identity = identity
        self._clock = clock
        self._renewed = float("-inf")
        self._observed = Observed(clock)

    @property
    def leading(self) -> bool:
        """Whether this process may begin a write now."""
        return self._clock() < self._renewed + RENEW_DEADLINE

    def time_left(self) -> float:
        """Seconds that a write begun now may take, so that it ends before anybody else can lead.

        Raises NotLeading where none may begin.
        """
        if not self.leading:
            raise NotLeading("the lease is not held")
        return self._renewed + LEASE_SECONDS - self._clock()

    async def acquire(self) -> None:
        """Return once this process leads."""
        while True:
            if await self._try():
                logger.info("Leading as %s.", self._identity)
                return
            await asyncio.sleep(STANDBY_PERIOD)

    async def hold(self) -> None:
        """Renew for as long as it succeeds; return once the lease is lost."""
        while self.leading:
            await asyncio.sleep(RETRY_PERIOD)
            await self._try()
        logger.error("The lease could not be renewed for %.0f s: another replica takes over.", RENEW_DEADLINE)

    async def release(self) -> None:
        """Give the lease up, so that the next holder need not wait for its end.

        It is read anew: a renewal that a stop has cut short may have been done all the same.
        """
        self._renewed = float("-inf")
        try:
            for _ in range(2):
                with contextlib.suppress(Conflict):
                    return await self._release()
        except ApiError as error:
            logger.warning("The lease was not released and runs out by itself: %s", error)

    async def _release(self) -> None:
        held = await self._read(RELEASE_TIMEOUT)
        if held is not None and (held.get("spec") or {}).get("holderIdentity") == self._identity:
            held["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
            path = f"{self._collection}/{self._name}"
            await self._client.send(Request("PUT", path, body=held, timeout=RELEASE_TIMEOUT))

    async def _try(self) -> bool:
        """One attempt to take or renew the lease; whether it is held afterwards."""
        began = self._clock()
        try:
            await self._write(await self._read(REQUEST_TIMEOUT))
        except NotLeading:
            self._renewed = float("-inf")
            return False
        except ApiError as error:
            if not isinstance(error, Conflict):
                logger.warning("The lease was not renewed: %s", error)
            return False
        self._renewed = began
        return True

    async def _read(self, timeout: float) -> dict[str, Any] | None:
        try:
            return await self._client.send(Request("GET", f"{self._collection}/{self._name}", timeout=timeout))
        except NotFound:
            return None

    async def _write(self, current: dict[str, Any] | None) -> None:
        if current is None:
            body = self._lease({}, {}, transitions=0)
            await self._client.send(Request("POST", self._collection, body=body, timeout=REQUEST_TIMEOUT))
            return
        spec = current.get("spec") or {}
        if not self._may_take(spec):
            raise NotLeading(f"held by {spec.get('holderIdentity')}")
        renewing = spec.get("holderIdentity") == self._identity
        transitions = int(spec.get("leaseTransitions") or 0) + (not renewing)
        body = self._lease(current["metadata"], spec if renewing else {}, transitions)
        path = f"{self._collection}/{self._name}"
        await self._client.send(Request("PUT", path, body=body, timeout=REQUEST_TIMEOUT))

    def _may_take(self, spec: dict[str, Any]) -> bool:
        over = self._observed.over(spec)
        return over or spec.get("holderIdentity") == self._identity

    def _lease(self, metadata: dict[str, Any], spec: dict[str, Any], transitions: int) -> dict[str, Any]:
        now = _now()
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {**metadata, "name": self._name},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": LEASE_SECONDS,
                "acquireTime": spec.get("acquireTime") or now,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
