"""Which version the API server has, and which optional APIs it serves."""

from __future__ import annotations

import re
import time

from haapp.cluster.client import Client, Request

FRESH_SECONDS = 60.0
"""How long an optional API is taken for missing, or for served, before the server is asked again."""


class Discovery:
    """Asks at most once, and again only while an app wants an API that may come and go."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._version = (0, 0)
        self._apis: frozenset[str] = frozenset()
        self._asked = float("-inf")

    async def look(self, wanted: frozenset[str]) -> tuple[tuple[int, int], frozenset[str]]:
        """The server's (major, minor) version and the API group versions that it serves."""
        stale = time.monotonic() - self._asked > FRESH_SECONDS
        if self._version == (0, 0) or (stale and wanted):
            await self._ask()
        return self._version, self._apis

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
