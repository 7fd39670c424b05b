"""What only some apps refer to is followed through whatever the server does, and never taken for known before it is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import orjson
import pytest

from haapp.cluster import watches as module
from haapp.cluster.client import Client, Request
from haapp.cluster.view import ClusterView, Indices
from haapp.cluster.watches import Target, Watches
from haapp.exceptions import Forbidden, Refused, Unavailable
from haapp.reconcile.ports import Key

KEY = Key("shop", "web")
SECRETS = Target("/api/v1/namespaces/shop/secrets", metadata_only=True)


def obj(name: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}}


def line(kind: str, name: str, version: str = "2") -> bytes:
    return orjson.dumps({"type": kind, "object": obj(name, version)}) + b"\n"


def listed(*names: str) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": "1"}, "items": [obj(name) for name in names]}


class Stream:
    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.content = self

    async def readline(self) -> bytes:
        if self.lines:
            return self.lines.pop(0)
        await asyncio.Event().wait()
        return b""

    def close(self) -> None:
        self.lines.clear()


class Server:
    """Answers lists and watches by what stands in its queues; an empty queue keeps the client waiting."""

    def __init__(self) -> None:
        self.lists: list[dict[str, Any] | Exception] = []
        self.streams: list[list[bytes]] = []
        self.asked = 0

    async def send(self, _: Request) -> dict[str, Any]:
        self.asked += 1
        if not self.lists:
            await asyncio.Event().wait()
        answer = self.lists.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def stream(self, *_: object) -> Stream:
        return Stream(self.streams.pop(0) if self.streams else [])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def told() -> list[Key]:
    return []


@pytest.fixture
async def watches(server: Server, told: list[Key], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watches]:
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.0,))
    monkeypatch.setattr(module, "STREAM_SECONDS", 0.0)
    monkeypatch.setattr(module, "LIST_PATIENCE", 0.2)
    used = Watches(cast("Client", server), told.append)
    yield used
    await used.close()


def version(found: dict[str, Any]) -> str:
    return str(found["metadata"]["resourceVersion"])


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_collection_is_known_once_it_has_been_listed(server: Server, watches: Watches) -> None:
    server.lists = [listed("a", "b")]
    await watches.use(KEY, SECRETS, version)
    assert watches.items(SECRETS) == {"a": "1", "b": "1"}


async def test_what_changes_is_told_to_those_who_use_it(server: Server, watches: Watches, told: list[Key]) -> None:
    server.lists = [listed("a", "b")]
    server.streams = [[line("MODIFIED", "a"), line("DELETED", "b"), line("BOOKMARK", ""), line("MODIFIED", "a")]]
    await watches.use(KEY, SECRETS, version)
    await settle()
    assert watches.items(SECRETS) == {"a": "2"}
    assert told == [KEY, KEY]


@pytest.mark.parametrize("lists", [[Unavailable("no answer")], []], ids=["an error", "no answer yet"])
async def test_nothing_is_concluded_from_what_could_not_be_listed(
    server: Server, watches: Watches, lists: list[dict[str, Any] | Exception]
) -> None:
    """An empty answer would change the fingerprint of the configuration, and roll every pod of the app."""
    server.lists = lists
    with pytest.raises(Unavailable):
        await watches.use(KEY, SECRETS, version)


async def test_it_is_known_after_the_server_has_recovered(
    server: Server, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.05,))
    server.lists = [Unavailable("no answer"), listed("a")]
    with pytest.raises(Unavailable):
        await watches.use(KEY, SECRETS, version)
    await asyncio.sleep(0.1)
    await watches.use(KEY, SECRETS, version)
    assert watches.items(SECRETS) == {"a": "1"}


@pytest.mark.parametrize("error", [Forbidden("no"), Refused("no such selector")])
async def test_what_the_server_does_not_give_is_empty_and_holds_nobody_up(
    server: Server, watches: Watches, error: Exception
) -> None:
    server.lists = [error]
    await watches.use(KEY, SECRETS, version)
    assert watches.items(SECRETS) == {}
    assert not watches.listed(SECRETS)


async def test_of_what_may_not_be_listed_the_last_known_version_counts(server: Server, watches: Watches) -> None:
    """Taken for gone, it would roll every pod once now, and once more when the right is back."""
    references = frozenset({("Secret", "a"), ("Secret", "new")})
    last = {("Secret", "a"): "u/7", ("Secret", "gone"): "u/8"}
    anything: Any = None
    view = ClusterView(Indices(), anything, watches, anything)
    server.lists = [Forbidden("no")]
    assert await view.config_versions(KEY, references, last) == {("Secret", "a"): "u/7"}


async def test_of_what_has_been_listed_the_list_counts(server: Server, watches: Watches) -> None:
    references = frozenset({("Secret", "a"), ("Secret", "b")})
    anything: Any = None
    view = ClusterView(Indices(), anything, watches, anything)
    meta = {"name": "a", "uid": "u", "resourceVersion": "9"}
    server.lists = [{"metadata": {"resourceVersion": "1"}, "items": [{"metadata": meta}]}]
    assert await view.config_versions(KEY, references, {("Secret", "b"): "u/8"}) == {("Secret", "a"): "u/9"}


@pytest.mark.parametrize(
    "cut",
    [b'{"type": "MODIFIED", "obj', b"<html>\n", b"{}\n", b"null\n", b"", line("ERROR", "x")],
    ids=["half a line", "no JSON", "no event", "null", "the end", "an error"],
)
async def test_a_stream_that_breaks_is_begun_anew_with_a_list(
    server: Server, watches: Watches, told: list[Key], cut: bytes
) -> None:
    server.lists = [listed("a"), listed("a", "c")]
    server.streams = [[line("MODIFIED", "a"), cut]]
    if not cut:
        server.streams.append([line("ERROR", "x")])
    await watches.use(KEY, SECRETS, version)
    await settle()
    assert set(watches.items(SECRETS)) == {"a", "c"}
    assert told == [KEY, KEY]


async def test_what_was_known_stays_known_while_the_server_is_away(server: Server, watches: Watches) -> None:
    server.lists = [listed("a"), Unavailable("no answer")]
    server.streams = [[line("ERROR", "x")]]
    await watches.use(KEY, SECRETS, version)
    await settle()
    await watches.use(KEY, SECRETS, version)
    assert watches.items(SECRETS) == {"a": "1"}


async def test_what_is_followed_goes_on_without_a_visit(server: Server, watches: Watches, told: list[Key]) -> None:
    """The API server ends a stream after half an hour, and an app at rest is not visited for days."""
    server.lists = [listed("a"), listed("a", "b")]
    server.streams = [[line("ERROR", "x")]]
    await watches.use(KEY, SECRETS, version)
    await settle()
    assert set(watches.items(SECRETS)) == {"a", "b"}
    assert told == [KEY]


async def test_of_a_change_only_those_hear_who_refer_to_what_changed(
    server: Server, watches: Watches, told: list[Key]
) -> None:
    """A namespace may have thousands of apps, and a ConfigMap that changes every other second."""
    other, all_of_it = Key("shop", "other"), Key("shop", "all")
    server.lists = [listed("a", "b"), listed("a", "c")]
    server.streams = [[line("MODIFIED", "a"), line("ERROR", "x")]]
    await asyncio.gather(
        watches.use(KEY, SECRETS, version, frozenset({"a"})),
        watches.use(other, SECRETS, version, frozenset({"b", "x"})),
        watches.use(all_of_it, SECRETS, version),
    )
    await settle()
    assert told == [KEY, all_of_it, KEY, other, all_of_it]


async def test_few_lists_are_asked_for_at_once(server: Server, watches: Watches) -> None:
    """After an outage thousands of watches begin anew: the rest has to get through."""
    targets = [Target(f"/api/v1/namespaces/team-{number}/secrets", metadata_only=True) for number in range(20)]
    uses = [asyncio.ensure_future(watches.use(KEY, target, version)) for target in targets]
    await settle()
    assert server.asked == module.AT_ONCE
    for use in uses:
        use.cancel()


async def test_a_watch_that_is_released_while_it_is_told_something_ends(server: Server, watches: Watches) -> None:
    server.lists = [listed("a")]
    server.streams = [[line("MODIFIED", "a")] * 50]
    await watches.use(KEY, SECRETS, version)
    task = watches._watches[SECRETS].task
    assert task
    watches.release(KEY)
    await asyncio.wait([task], timeout=1)
    assert task.done()


@pytest.mark.parametrize(("status", "seconds"), [(401, 30.0), (403, 300.0)])
async def test_credentials_are_tried_again_sooner_than_rights(
    server: Server, watches: Watches, monkeypatch: pytest.MonkeyPatch, status: int, seconds: float
) -> None:
    slept: list[float] = []

    async def sleep(delay: float) -> None:
        slept.append(delay)
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "RETRY_SECONDS", (1.0, 30.0))
    server.lists = [Forbidden("no", status=status)]
    monkeypatch.setattr("haapp.cluster.watches.asyncio.sleep", sleep)
    await watches.use(KEY, SECRETS, version)
    assert slept == [seconds]
