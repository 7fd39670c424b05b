"""Watches of what only some apps refer to: a cache that the operator does not run, ConfigMaps and Secrets.

Kopf watches whole kinds. These are watched only where an app asks for them, filtered by the server, and of ConfigMaps
and Secrets nothing but the metadata is ever transferred. A watch ends when no app uses it any more; as long as one
does it goes on, however seldom that app is visited: its next change is what the app is to be visited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from haapp.api import jsontext
from haapp.cluster.client import JSON, METADATA, METADATA_LIST, Client, Request
from haapp.exceptions import ApiError, Forbidden, Refused, Unavailable
from haapp.reconcile.ports import Key

logger = logging.getLogger(__name__)

LIST_PATIENCE = 5.0
"""Seconds that a visit waits for the first list of a new watch."""

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
FORBIDDEN_RETRY_SECONDS = 300.0
UNAUTHORIZED = 401
STREAM_SILENCE = 90.0
"""Seconds without even a bookmark after which a stream is taken for dead."""

STREAM_SECONDS = 1.0
"""A stream that ends sooner is not opened again before."""

STEADY_SECONDS = 60.0
"""A watch that held for so long is tried again as soon as at first."""

AT_ONCE = 8
"""Lists and streams that are begun at a time. After an outage all watches begin anew, and there are two for each
namespace: everything else would wait behind them."""


@dataclass(frozen=True, slots=True)
class Target:
    """One collection: `path` on the API server, `selector` in its text form; `metadata_only` leaves out the rest."""

    path: str
    selector: str = ""
    metadata_only: bool = False


Names = frozenset[str] | None
"""Of what in a collection an app wants to hear; None of all."""


@dataclass(slots=True)
class _Watch:
    project: Callable[[dict[str, Any]], Any]
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    unknown: ApiError | None = field(default_factory=lambda: Unavailable("it has not been listed yet"))
    """Why nothing is known of the collection; None once something is, if only that it may not be read."""
    listed: bool = False
    items: dict[str, Any] = field(default_factory=dict)
    users: dict[Key, Names] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class Watches:
    """The watches in use. `changed` is called with each app that uses a collection when something in it changed."""

    def __init__(self, client: Client, changed: Callable[[Key], None]) -> None:
        self._client = client
        self._changed = changed
        self._watches: dict[Target, _Watch] = {}
        self._used: dict[Key, set[Target]] = {}
        self._beginning = asyncio.Semaphore(AT_ONCE)

    async def use(self, key: Key, target: Target, project: Callable[[dict[str, Any]], Any], of: Names = None) -> None:
        """The app needs the collection, until it is released, and wants to hear of changes of these names: return once
        it has been listed.

        Raises an ApiError if it cannot be for now: nothing must be concluded then. A collection that the server does
        not give, for want of a right or since there is no such selector, is empty.
        """
        watch = self._watches.get(target)
        if watch is None:
            watch = self._watches[target] = _Watch(project)
            watch.task = asyncio.create_task(self._run(target, watch), name=f"watch {target.path}")
        watch.users[key] = of
        self._used.setdefault(key, set()).add(target)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watch.tried.wait(), LIST_PATIENCE)
        if watch.unknown is not None:
            raise watch.unknown

    def release(self, key: Key, which: Callable[[Target], bool] = lambda _: True) -> None:
        """Of the collections that the app used it needs such no more."""
        used = self._used.get(key, set())
        for target in list(filter(which, used)):
            used.discard(target)
            watch = self._watches[target]
            del watch.users[key]
            if not watch.users:
                del self._watches[target]
                if watch.task:
                    watch.task.cancel()
        if not used:
            self._used.pop(key, None)

    def items(self, target: Target) -> Mapping[str, Any]:
        """The projections of the collection's objects by name; empty where it is not watched."""
        watch = self._watches.get(target)
        return watch.items if watch else {}

    def listed(self, target: Target) -> bool:
        """Whether the collection has been read at least once."""
        watch = self._watches.get(target)
        return watch is not None and watch.listed

    async def close(self) -> None:
        """End all watches."""
        tasks = [watch.task for watch in self._watches.values() if watch.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, target: Target, watch: _Watch) -> None:
        failures = 0
        while self._watches.get(target) is watch:
            began = time.monotonic()
            try:
                await self._follow(target, watch, await self._list(target, watch))
                failures, delay = 0, STREAM_SECONDS
            except (Forbidden, Refused) as error:
                logger.warning("Changes cannot be followed: %s", error)
                watch.unknown = None
                # Credentials that have run out are renewed by now.
                delay = FORBIDDEN_RETRY_SECONDS if error.status != UNAUTHORIZED else RETRY_SECONDS[-1]
            except Exception as error:
                # Cut, garbled, refused, or whatever it is: a watch that has ended would show what was, for ever.
                logger.debug("The watch of %s is restarted: %r", target.path, error, exc_info=True)
                if watch.unknown is not None:
                    watch.unknown = error if isinstance(error, ApiError) else Unavailable(f"{target.path}: {error!r}")
                failures = 0 if time.monotonic() - began > STEADY_SECONDS else failures
                delay = max(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)], getattr(error, "retry_after", 0.0))
                failures += 1
            watch.tried.set()
            await asyncio.sleep(delay)

    async def _list(self, target: Target, watch: _Watch) -> str:
        # No resourceVersion: an older state of a config, as some server may still have it, would roll the pods twice.
        params = {"labelSelector": target.selector} if target.selector else None
        accept = METADATA_LIST if target.metadata_only else JSON
        async with self._beginning:
            answer = await self._client.send(Request("GET", target.path, params=params, accept=accept))
        items = {obj["metadata"]["name"]: watch.project(obj) for obj in answer.get("items") or ()}
        version = str(answer["metadata"]["resourceVersion"])
        before, watch.items, watch.unknown, watch.listed = watch.items, items, None, True
        if watch.tried.is_set():
            self._tell(watch, {name for name in before.keys() | items.keys() if before.get(name) != items.get(name)})
        watch.tried.set()
        return version

    async def _follow(self, target: Target, watch: _Watch, version: str) -> None:
        """Follow the changes until the stream has to begin with a list again."""
        while self._watches.get(target) is watch:
            began = time.monotonic()
            params = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
            if target.selector:
                params["labelSelector"] = target.selector
            async with self._beginning:
                stream = await self._client.stream(target.path, params, METADATA if target.metadata_only else JSON)
            try:
                while line := await _line(stream):
                    event = jsontext.loads(line)
                    if event["type"] == "ERROR":
                        return
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._take(watch, event["type"], event["object"])
            finally:
                stream.close()
            await asyncio.sleep(max(0.0, STREAM_SECONDS - (time.monotonic() - began)))

    def _take(self, watch: _Watch, kind: str, obj: dict[str, Any]) -> None:
        name = obj["metadata"].get("name", "")
        if kind == "DELETED":
            changed = watch.items.pop(name, None) is not None
        elif kind == "BOOKMARK":
            changed = False
        else:
            projection = watch.project(obj)
            changed = watch.items.get(name) != projection
            watch.items[name] = projection
        if changed:
            self._tell(watch, {name})

    def _tell(self, watch: _Watch, changed: set[str]) -> None:
        for key, names in watch.users.items():
            if changed if names is None else not names.isdisjoint(changed):
                self._changed(key)


async def _line(stream: aiohttp.ClientResponse) -> bytes:
    """The next line. Not by `wait_for`, which in Python 3.11 may swallow that its task is cancelled."""
    async with asyncio.timeout(STREAM_SILENCE):
        return await stream.content.readline()
