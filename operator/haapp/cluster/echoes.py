"""News of CRDs, told to Kopf once more when things have settled.

Kopf looks for what an API group serves when it hears of a change of a CRD, and at no other time. An API server serves
a new group a moment after its last word on the CRD, so that Kopf may look too early, and would never watch its objects.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

ECHO_SECONDS = (2.0, 20.0)
"""How long after the last news each echo comes, and how long after that the next one."""


async def echoed(
    events: AsyncGenerator[Any, None], pauses: tuple[float, ...] = ECHO_SECONDS
) -> AsyncGenerator[Any, None]:
    """All events as they come, and after each of the pauses the last one of each group again."""
    latest: dict[str, Any] = {}
    echoes = 0
    async with aclosing(events):
        coming = asyncio.ensure_future(anext(events))
        try:
            while True:
                if not (await asyncio.wait({coming}, timeout=pauses[echoes] if latest else None))[0]:
                    for event in latest.values():
                        yield event
                    echoes += 1
                    if echoes == len(pauses):
                        latest.clear()
                    continue
                event = coming.result()
                coming = asyncio.ensure_future(anext(events))
                if group := _changed_group(event):
                    latest[group], echoes = {**event, "type": "MODIFIED"}, 0
                yield event
        except StopAsyncIteration:
            return
        finally:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await coming


def _changed_group(event: Any) -> str:
    """The API group of a CRD that has just been made or changed, else an empty text."""
    if not isinstance(event, Mapping) or event["type"] not in ("ADDED", "MODIFIED"):
        return ""
    return str((event["object"].get("spec") or {}).get("group") or "")
