"""News of CRDs come once more after a while: by then their API is served."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from kopf._cogs.clients import watching

from haapp.cluster.echoes import echoed

LISTED = watching.Bookmark.LISTED


def crd(kind: str | None, group: str, version: str = "1") -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"uid": group, "resourceVersion": version}, "spec": {"group": group}}}


async def source(*steps: Any) -> AsyncGenerator[Any, None]:
    """Events, and numbers for pauses in seconds; then silence."""
    for step in steps:
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
        else:
            yield step
    await asyncio.Event().wait()


async def seen(number: int, *steps: Any, pauses: tuple[float, ...] = (0.02, 0.02)) -> list[Any]:
    found: list[Any] = []
    async with aclosing(echoed(source(*steps), pauses)) as events:
        async for event in events:
            found.append(event)
            if len(found) == number:
                break
    return found


async def test_the_last_news_of_each_group_come_again() -> None:
    news = [crd("ADDED", "a"), crd("ADDED", "b"), crd("MODIFIED", "a", "2")]
    found = await seen(7, *news)
    assert found[:3] == news
    assert found[3:] == [crd("MODIFIED", "a", "2"), crd("MODIFIED", "b")] * 2


async def test_it_ends_at_some_time() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(seen(4, crd("ADDED", "a")), 0.2)


async def test_what_is_listed_or_gone_has_no_echo() -> None:
    steps = [crd(None, "a"), LISTED, crd("DELETED", "b"), 0.1, crd("ADDED", "c")]
    assert await seen(5, *steps) == [
        crd(None, "a"),
        LISTED,
        crd("DELETED", "b"),
        crd("ADDED", "c"),
        crd("MODIFIED", "c"),
    ]


async def test_later_news_begin_anew() -> None:
    found = await seen(4, crd("ADDED", "a"), 0.05, crd("ADDED", "b"), pauses=(0.02,))
    assert found == [crd("ADDED", "a"), crd("MODIFIED", "a"), crd("ADDED", "b"), crd("MODIFIED", "b")]


async def test_errors_and_ends_pass() -> None:
    with pytest.raises(OSError, match="cut"):
        await seen(3, crd("ADDED", "a"), OSError("cut"))

    async def short() -> AsyncGenerator[Any, None]:
        yield LISTED

    assert [event async for event in echoed(short())] == [LISTED]


async def test_who_stops_listening_leaves_nothing_running() -> None:
    closed: list[bool] = []

    async def watched() -> AsyncGenerator[Any, None]:
        try:
            yield LISTED
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async with aclosing(echoed(watched())) as events:
        await anext(events)
    assert closed == [True]
    assert len(asyncio.all_tasks()) == 1
