"""The lease of a shard: its holder works only while nobody of another layout works on any of the same namespaces.

Each shard has a lease of its own, named after the layout: the second of three is not the second of two. While their
number changes, processes of both layouts run, and so each has to look at the leases of the other one too. An operator
without shards is the layout of one.

An annotation says how far the holder of a lease is. It *claims* its range and then looks for others: whoever claims
later finds this claim, so of two at least one sees the other. The one of the layout with fewer shards stays, the other
one goes back to *waiting*, and so do both where a third one *works*. Who waits is in nobody's way. Who works looks no
more: nobody begins beside him, unless his lease has lapsed meanwhile, after which he looks again before he writes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from haapp.cluster.client import Client, Request
from haapp.cluster.lease import RENEW_DEADLINE, REQUEST_TIMEOUT, Lease, Observed, uptime
from haapp.exceptions import ApiError, Forbidden
from haapp.settings import Settings
from haapp.sharding import WHOLE, Shard

logger = logging.getLogger(__name__)

ABANDONED = timedelta(hours=1)
"""A lease whose holder wrote so long ago, by clocks that need not agree to the minute, is nobody's. A layout that is no
more may have left one that was never released, and nobody takes it: without this each start would wait for its end."""

STAGE_ANNOTATION = "highavailability.dev/leader-stage"


class Stage(StrEnum):
    """How far the holder of a lease is."""

    WAITS = "waiting"
    CLAIMS = "claiming"
    WORKS = "working"


class Rival(NamedTuple):
    """Somebody of another layout, who works on some of the same namespaces or is about to."""

    lease: str
    shard: Shard
    stage: Stage


def lease_name(base: str, shard: Shard) -> str:
    """What the lease of a shard is called where that of an operator without shards is called `base`."""
    if shard.whole:
        return base
    return f"{base}-{'server-' if shard.by_server else ''}shard-{shard.index}-of-{shard.count}"


class ShardLease(Lease):
    """A candidate for the lease of the shard that the settings name. `clock` never goes back, in seconds."""

    def __init__(self, client: Client, settings: Settings, clock: Callable[[], float] = uptime) -> None:
        super().__init__(
            client,
            namespace=settings.lease_namespace,
            name=lease_name(settings.lease_name, settings.shard),
            identity=settings.identity,
            clock=clock,
        )
        self._shard = settings.shard
        self._pattern = re.compile(rf"{re.escape(settings.lease_name)}(?:-(server-)?shard-(\d+)-of-(\d+))?")
        self._stage = Stage.CLAIMS
        self._cleared = False
        self._others: dict[str, Observed] = {}

    @property
    def leading(self) -> bool:
        """Whether this process may begin a write now."""
        return self._cleared and super().leading

    async def _try(self) -> bool:
        before = self._renewed
        if not await super()._try():
            return False
        if self._clock() >= before + RENEW_DEADLINE:  # nothing is awaited since: nobody has seen it lead
            self._cleared = False
        return self._cleared or await self._clear()

    async def _write(self, current: dict[str, Any] | None) -> None:
        if current is None:
            self._cleared = False  # whoever has looked meanwhile has found no lease
        await super()._write(current)

    def _lease(self, metadata: dict[str, Any], spec: dict[str, Any], transitions: int) -> dict[str, Any]:
        body = super()._lease(metadata, spec, transitions)
        told = {**(metadata.get("annotations") or {}), STAGE_ANNOTATION: self._stage.value}
        body["metadata"]["annotations"] = told
        return body

    async def _clear(self) -> bool:
        """Go on by one stage, the lease being held in the present one; whether this process leads now."""
        try:
            rivals = list(self._rivals(await self._leases()))
        except ApiError as error:
            logger.warning("The leases of other layouts are not known: %s", error)
            return False
        if rivals:
            self._step_back(rivals)
            return False
        if self._stage == Stage.WAITS:
            self._stage = Stage.CLAIMS
            return await self._try()
        self._stage, self._cleared = Stage.WORKS, True
        return True

    def _step_back(self, rivals: list[Rival]) -> None:
        """Wait, unless all that is in the way is a claim that has to give way to this one."""
        stays = all(rival.stage == Stage.CLAIMS and rival.shard.layout > self._shard.layout for rival in rivals)
        if self._stage == Stage.CLAIMS and stays:
            return
        if self._stage != Stage.WAITS:
            logger.info("Waiting for those of another layout: %s.", ", ".join(rival.lease for rival in rivals))
        self._stage = Stage.WAITS

    def _rivals(self, leases: list[dict[str, Any]]) -> Iterator[Rival]:
        for lease in leases:
            name = lease["metadata"]["name"]
            shard = self._shard_of(name)
            if shard is None or shard.layout == self._shard.layout or not shard.overlaps(self._shard):
                continue
            spec = lease.get("spec") or {}
            over = self._others.setdefault(name, Observed(self._clock)).over(spec) or _is_abandoned(spec)
            if not over and (stage := _stage_of(lease)) != Stage.WAITS:
                yield Rival(name, shard, stage)

    def _shard_of(self, lease: str) -> Shard | None:
        found = self._pattern.fullmatch(lease)
        if found is None or not found[3]:
            return None if found is None else WHOLE
        index, count = int(found[2]), int(found[3])
        return Shard(index, count, by_server=bool(found[1])) if index < count else None

    async def _leases(self) -> list[dict[str, Any]]:
        try:
            answer = await self._client.send(Request("GET", self._collection, timeout=REQUEST_TIMEOUT))
        except Forbidden:
            if self._shard.whole:
                return []  # the rights of an installation from before there were shards: there can be none beside it
            raise
        return answer.get("items") or []


def _is_abandoned(spec: dict[str, Any]) -> bool:
    try:
        renewed = datetime.fromisoformat(spec["renewTime"])
        return datetime.now(UTC) - renewed > ABANDONED
    except (KeyError, TypeError, ValueError):
        return False


def _stage_of(lease: dict[str, Any]) -> Stage:
    """An operator of a version without stages works while it holds the lease."""
    told = (lease["metadata"].get("annotations") or {}).get(STAGE_ANNOTATION)
    return Stage(told) if told in tuple(Stage) else Stage.WORKS
