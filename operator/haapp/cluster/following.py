"""Kopf's watches, made to last: what vanished unseen is told, and no answer of the API server ends the operator.

After a watch was down for too long (`410 Gone`) Kopf lists anew, and never tells of objects that the list lacks: its
indices, and all that is decided from them, would believe in those objects for ever. Any other error in a stream ends
the whole operator. Kopf offers no setting for either, so its `infinite_watch` is wrapped, where every watch begins.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Container, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import aiohttp
from kopf._cogs.clients import api, errors, watching

from haapp.api import jsontext
from haapp.api.names import LABEL_NAME
from haapp.children import KINDS
from haapp.cluster.echoes import echoed
from haapp.sharding import WHOLE, Shard

logger = logging.getLogger(__name__)

LABELS = LABEL_NAME.removesuffix("name")

Event = dict[str, Any]
Watch = Callable[..., AsyncIterator[Any]]
Kind = tuple[str, str]
"""A kind of objects by its group and plural."""

NODES: Kind = ("", "nodes")
"""They belong to no namespace."""

OPTIONAL: frozenset[Kind] = frozenset((kind.group, kind.plural) for kind in KINDS if kind.optional)
"""The list of such a kind is waited for only if it is watched by the time that all others are whole: its API may be
absent."""

Sink = Callable[[Event], None]
"""Takes an event of a watch that Kopf is not told of. It gets no more than the uid of what vanished unseen."""

BROKEN = (errors.APIError, watching.WatchingError, aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError)
"""What may come of a stream that is cut, garbled or refused. Lost credentials are not among them: they end the process,
and the next one begins with new ones."""

FIRST_DELAY = 0.5
LAST_DELAY = 15.0
"""Seconds between two lists of one watch: the first, doubled each time up to the last."""

STEADY_SECONDS = 60.0
"""A watch that held for so long begins with the first delay again."""

STREAM_SECONDS = 1.0
"""A stream that ends sooner is not opened again before: some proxies close them at once."""


class RequestPatience:
    """Seconds between the tries of one of Kopf's own requests: an iterable without an end, so that none is the last."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((0.2, 0.5, 1.0, 2.0), itertools.repeat(5.0))


class Following:
    """Stands in for `watching.infinite_watch`. What each watch has shown is remembered for the whole process, since
    Kopf begins a watch anew when its CRD comes back. `sinks` take the events of their (group, plural); of these Kopf
    hears only that the first list is whole. `namespaces` are those that are watched, none for all. Of what is in a
    namespace, sinks get only what belongs to `shard`; the rest is not even remembered."""

    def __init__(
        self,
        watch: Watch,
        sinks: Mapping[Kind, Sink] | None = None,
        namespaces: Iterable[str] = (),
        shard: Shard = WHOLE,
    ) -> None:
        self._watch = watch
        self._sinks = sinks or {}
        self._shard = shard
        self._known: dict[tuple[Any, Any], dict[str, Event]] = {}
        self._awaited = {
            (kind, namespace)
            for kind in self._sinks.keys() - OPTIONAL
            for namespace in ((None,) if kind == NODES else tuple(namespaces) or (None,))
        }
        self._whole = asyncio.Event()

    async def __call__(self, *, resource: Any, namespace: Any, **options: Any) -> AsyncIterator[Any]:
        """Events for ever, as `infinite_watch` gives them, with a DELETED for each object that vanished unseen."""
        delay = FIRST_DELAY
        where = f"{resource} in {namespace}" if namespace else str(resource)
        kind = _kind(resource)
        sink = self._sinks.get(kind)
        remembered = _remembered if sink is None else _remembered_for_sink
        while True:
            began = time.monotonic()
            known, first = self._recall(resource, namespace)
            stream = self._watch(resource=resource, namespace=namespace, _iterations=1, **options)
            told = _told(self._of_shard(stream, kind), known, remembered, first=first)
            try:
                async with aclosing(echoed(told) if _is_crds(resource) else told) as events:
                    async for event in events:
                        if event is watching.Bookmark.LISTED:
                            self._listed(kind, namespace)
                            yield event
                        elif sink is None:
                            yield event
                        elif event["type"] != "BOOKMARK":
                            _pour(event, sink)
            except errors.APINotFoundError:
                logger.warning("%s: the API is not there.", where)
                for event in _ended(known, ()):
                    if sink is None:
                        yield event
                    else:
                        _pour(event, sink)
            except BROKEN as error:
                logger.warning("%s: the watch is begun anew: %s: %s", where, type(error).__name__, error)
            delay = FIRST_DELAY if time.monotonic() - began > STEADY_SECONDS else delay
            await asyncio.sleep(delay)
            delay = min(LAST_DELAY, delay * 2)

    def _of_shard(self, stream: AsyncIterator[Any], kind: Kind) -> AsyncIterator[Any]:
        sharded = kind in self._sinks and kind != NODES and not self._shard.whole
        return _served(stream, self._shard) if sharded else stream

    def _recall(self, resource: Any, namespace: Any) -> tuple[dict[str, Event], bool]:
        key = (resource, namespace)
        first = key not in self._known
        kind = _kind(resource)
        if first and kind in OPTIONAL and not self.ready:
            self._awaited.add((kind, namespace))
        return self._known.setdefault(key, {}), first

    def _listed(self, kind: Kind, namespace: str | None) -> None:
        self._awaited.discard((kind, namespace))
        if not self._awaited:
            self._whole.set()

    @property
    def ready(self) -> bool:
        """Whether the watch of every sink has begun with a whole list."""
        return self._whole.is_set()

    async def whole(self) -> None:
        """Return when that is so."""
        await self._whole.wait()


def install(sinks: Mapping[Kind, Sink] | None = None, namespaces: Iterable[str] = (), shard: Shard = WHOLE) -> None:
    """Have all of Kopf's watches followed; once is enough."""
    if not isinstance(watching.infinite_watch, Following):
        watching.infinite_watch = Following(watching.infinite_watch, sinks, namespaces, shard)
        watching.watch_objs = paced(watching.watch_objs)
        vars(api).update(json=jsontext, get=get)  # a third of the time for each event, and for each list


def ready() -> bool:
    """Whether all watches have begun with a whole list: only then is the picture of the cluster whole."""
    return isinstance(watching.infinite_watch, Following) and watching.infinite_watch.ready


async def whole() -> None:
    """Return when that is so. Raises RuntimeError where nothing follows the watches."""
    if not isinstance(watching.infinite_watch, Following):
        raise RuntimeError("the watches are not followed yet")
    await watching.infinite_watch.whole()


def paced(watch: Watch) -> Watch:
    """One stream, whose end takes a moment: Kopf opens the next one at once."""

    async def stream(**options: Any) -> AsyncIterator[Any]:
        began = time.monotonic()
        async for event in watch(**options):
            yield event
        await asyncio.sleep(max(0.0, STREAM_SECONDS - (time.monotonic() - began)))

    return stream


async def get(url: str, **options: Any) -> Any:
    """Kopf's own GET, with a faster decoder, which takes any depth: one object must not spoil the list of all."""
    async with await api.request(method="get", url=url, **options) as response:
        return jsontext.loads(await response.read())


async def _served(stream: AsyncIterator[Any], shard: Shard) -> AsyncGenerator[Any, None]:
    """The events of the shard's own namespaces: an API server that cannot shard sends those of all."""
    async for event in stream:
        if event is watching.Bookmark.LISTED or event["type"] == "BOOKMARK" or shard.serves(_namespace(event)):
            yield event


async def _told(
    stream: AsyncIterator[Any], known: dict[str, Event], remembered: Callable[[Event], Event], *, first: bool
) -> AsyncGenerator[Any, None]:
    """The events of one list and its watch; `known` is kept up to date. What a list lacks is told before what it has,
    so that an object made anew under an old name is the last to be heard of. What a later list has for the first time
    was ADDED: Kopf passes over CRDs that it takes for listed at the start."""
    listed: list[Event] = []
    async for event in stream:
        if event is watching.Bookmark.LISTED:
            for told in _ended(known, {_uid(item) for item in listed} if not first else known.keys()):
                yield told
            for item in listed:
                yield item if _uid(item) in known else {**item, "type": "ADDED"}
                known[_uid(item)] = remembered(item)
            listed = []
            yield event
        elif event["type"] is None and not first:
            listed.append(event)
        else:
            _follow(known, event, remembered)
            yield event


def _follow(known: dict[str, Event], event: Event, remembered: Callable[[Event], Event]) -> None:
    if event["type"] == "DELETED":
        known.pop(_uid(event), None)
    elif event["type"] != "BOOKMARK":
        known[_uid(event)] = remembered(event)


def _ended(known: dict[str, Event], present: Container[str]) -> Iterator[Event]:
    for uid in [uid for uid in known if uid not in present]:
        yield {"type": "DELETED", "object": known.pop(uid) or {"metadata": {"uid": uid}}}


def _pour(event: Event, sink: Sink) -> None:
    """An object that the sink cannot take is passed over: it must not end the watch of all others."""
    try:
        sink(event)
    except Exception:
        logger.exception("A fault of the operator at %s", _remembered(event)["metadata"])


def _kind(resource: Any) -> Kind:
    return getattr(resource, "group", ""), getattr(resource, "plural", "")


def _is_crds(resource: Any) -> bool:
    return getattr(resource, "plural", "") == "customresourcedefinitions"


def _namespace(event: Event) -> str:
    return event["object"]["metadata"].get("namespace") or ""


def _uid(event: Event) -> str:
    return str(event["object"]["metadata"].get("uid"))


_NOTHING: Event = {}


def _remembered_for_sink(_: Event) -> Event:
    """A sink has an index of its own, by uid: no more is remembered of what may be a hundred thousand objects."""
    return _NOTHING


def _remembered(event: Event) -> Event:
    """What has to be known of an object to tell of its end: who it was, whose it was, and a CRD's group for Kopf."""
    obj = event["object"]
    meta = obj["metadata"]
    kept = {name: meta[name] for name in ("namespace", "name", "uid") if name in meta}
    kept["labels"] = {k: v for k, v in (meta.get("labels") or {}).items() if k.startswith(LABELS)}
    group = (obj.get("spec") or {}).get("group")
    return {"metadata": kept, **({"spec": {"group": group}} if group else {})}
