"""What the API server was asked for and when, from its audit log: exact, and at no cost to anybody measured."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

OPERATOR_AGENTS = ("haapp-operator", "kopf/")
"""How the user agents of the operator begin: of its own client, and of Kopf's watches."""

WRITES = frozenset({"create", "update", "patch", "delete"})
POLL_SECONDS = 0.5
"""Reading the log takes of the same cores as what is measured."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered request; times in epoch seconds. A watch is answered when it begins."""

    verb: str
    resource: str
    namespace: str
    name: str
    agent: str
    code: int
    received: float
    answered: float

    @property
    def by_operator(self) -> bool:
        return self.agent.startswith(OPERATOR_AGENTS)

    @property
    def is_write(self) -> bool:
        return self.verb in WRITES and self.resource != "leases"

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name


@dataclass(slots=True)
class Trail:
    """Entries of the audit log from the moment of its creation on; `read` takes up what has come since."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    _offset: int = -1

    def __post_init__(self) -> None:
        self._offset = self.path.stat().st_size

    def read(self) -> list[Entry]:
        """The entries that are new."""
        with self.path.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        events = map(orjson.loads, whole.splitlines())
        new = [entry_of(event) for event in events if event["verb"] != "watch" or event["stage"] == "ResponseStarted"]
        self.entries += new
        return new

    async def until(self, enough: Callable[[list[Entry]], bool], timeout: float) -> None:
        """Return when the entries are enough. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            self.read()
            if enough(self.entries):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"not enough after {timeout:.0f} s: {counted(self.entries)}")
            await asyncio.sleep(POLL_SECONDS)

    async def quiet(self, seconds: float, timeout: float, *, everybody: bool = False) -> None:
        """Return when the operator, or nobody at all, has written anything for so many seconds."""
        deadline = time.monotonic() + timeout
        last = time.monotonic()
        while time.monotonic() - last < seconds and time.monotonic() < deadline:
            if any(entry.is_write and (everybody or entry.by_operator) for entry in self.read()):
                last = time.monotonic()
            await asyncio.sleep(POLL_SECONDS)

    def of_operator(self) -> list[Entry]:
        """What the operator asked for."""
        return [entry for entry in self.entries if entry.by_operator]


def entry_of(event: dict[str, Any]) -> Entry:
    """An audit.k8s.io/v1 Event."""
    target = event.get("objectRef") or {}
    parts = [target.get("resource", ""), target.get("subresource", "")]
    return Entry(
        verb=event["verb"],
        resource="/".join(part for part in parts if part),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        agent=event.get("userAgent", ""),
        code=(event.get("responseStatus") or {}).get("code", 0),
        received=datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp(),
        answered=datetime.fromisoformat(event["stageTimestamp"]).timestamp(),
    )


def counted(entries: Iterable[Entry]) -> dict[str, int]:
    """How often each `verb resource` was asked for; a watch that ends is not one that begins."""
    return dict(sorted(Counter(f"{entry.verb} {entry.resource}" for entry in entries).items()))


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
