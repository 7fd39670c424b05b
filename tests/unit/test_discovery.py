"""The API server's version and optional APIs: asked for seldom, and together."""

import asyncio
from typing import Any

import pytest

from haapp.cluster import discovery
from haapp.cluster.discovery import Discovery
from haapp.exceptions import Unavailable
from haapp.render import GATEWAY_API

NONE: frozenset[str] = frozenset()
ROUTE = frozenset({GATEWAY_API})


class Client:
    """A server that answers after a moment."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.groups = ["apps/v1"]
        self.minor = "37"

    async def send(self, request: Any) -> dict[str, Any]:
        self.paths.append(request.path)
        await asyncio.sleep(0)
        if request.path == "/version":
            return {"major": "1", "minor": self.minor}
        return {"groups": [{"versions": [{"groupVersion": version}]} for version in self.groups]}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [0.0]
    monkeypatch.setattr("haapp.cluster.discovery.time.monotonic", lambda: clock[0])
    return clock


def asker(client: Client, *, once: bool = False) -> Discovery:
    return Discovery(client, once=once)  # type: ignore[arg-type]


async def test_many_visits_at_once_ask_once() -> None:
    client = Client()
    found = asker(client)
    answers = await asyncio.gather(*(found.look(NONE) for _ in range(5)))
    assert set(answers) == {((1, 37), frozenset({"apps/v1"}))}
    assert client.paths == ["/version", "/apis"]


async def test_a_version_of_a_provider() -> None:
    client = Client()
    client.minor = "33+"
    assert (await asker(client).look(NONE))[0] == (1, 33)


async def test_an_api_is_seen_to_come_and_to_go(now: list[float]) -> None:
    client = Client()
    found = asker(client)
    assert GATEWAY_API not in (await found.look(ROUTE))[1]
    client.groups.append(GATEWAY_API)
    assert GATEWAY_API not in (await found.look(ROUTE))[1], "asked a moment ago"
    now[0] += discovery.FRESH_SECONDS + 1
    assert GATEWAY_API not in (await found.look(NONE))[1], "nobody wants it"
    assert GATEWAY_API in (await found.look(ROUTE))[1]
    client.groups.remove(GATEWAY_API)
    now[0] += discovery.FRESH_SECONDS + 1
    assert GATEWAY_API not in (await found.look(ROUTE))[1]


async def test_where_crds_are_not_watched_a_later_api_is_not_used(now: list[float]) -> None:
    client = Client()
    found = asker(client, once=True)
    await found.look(ROUTE)
    client.groups.append(GATEWAY_API)
    now[0] += discovery.FRESH_SECONDS + 1
    assert GATEWAY_API not in (await found.look(ROUTE))[1]


async def test_a_failure_is_the_visits_own_and_the_next_asks_again() -> None:
    client = Client()
    found = asker(client)
    answer = client.send

    async def fail(request: Any) -> dict[str, Any]:
        raise Unavailable("down")

    client.send = fail  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await found.look(NONE)
    client.send = answer  # type: ignore[method-assign]
    assert (await found.look(NONE))[0] == (1, 37)
