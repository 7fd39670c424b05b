"""Which version the API server has, and which optional APIs it serves."""

from __future__ import annotations

import asyncio
import re
import time

from haapp.cluster.client import Client, Request

FRESH_SECONDS = 60.0
"""How long an answer is believed by apps that use an API which may come and go."""


class Discovery:
    """Asks as seldom as can be: again only while an app wants an API that may come and go, and not even then with
    `once`: where CRDs are not watched, Kopf would not follow the objects of an API that came later."""

    def __init__(self, client: Client, *, once: bool = False) -> None:
        self._client = client
        self._once = once
        self._version = (0, 0)
        self._apis: frozenset[str] = frozenset()
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    async def look(self, wanted: frozenset[str]) -> tuple[tuple[int, int], frozenset[str]]:
        """The server's (major, minor) version and the API group versions that it serves."""
        async with self._asking:
            if self._is_due(wanted):
                await self._ask()
        return self._version, self._apis

    def _is_due(self, wanted: frozenset[str]) -> bool:
        if self._version == (0, 0):
            return True
        return bool(wanted) and not self._once and time.monotonic() - self._asked > FRESH_SECONDS

    async def _ask(self) -> None:
        version = await self._client.send(Request("GET", "/version"))
        groups = await self._client.send(Request("GET", "/apis"))
        self._version = (_number(version.get("major")), _number(version.get("minor")))
        self._apis = frozenset(
            version["groupVersion"] for group in groups.get("groups") or () for version in group["versions"]
        )
        self._asked = time.monotonic()


def _number(text: object) -> int:
    """Some providers add a plus: `33+`."""
    digits = re.match(r"\d+", str(text or ""))
    return int(digits[0]) if digits else 0
