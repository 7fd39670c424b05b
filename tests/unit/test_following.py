"""Watches that outlive what an API server may answer, and tell of what vanished while they were down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from kopf._cogs.clients import api, errors, watching
from kopf._cogs.structs import references
from kopf._core.reactor import queueing

from haapp.cluster import following
from haapp.cluster.following import Following, RequestPatience

LISTED = watching.Bookmark.LISTED
NOT_FOUND = errors.APINotFoundError(status=404, headers={})
PODS_RESOURCE = references.Resource(group="", version="v1", plural="pods", namespaced=True)
LOST = watching.WatchingError("Error in the watch-stream: {'code': 500}")


def obj(name: str, uid: str | None = None, **labels: str) -> dict[str, Any]:
    meta = {"namespace": "shop", "name": name, "uid": uid or f"uid-{name}", "resourceVersion": "7", "labels": labels}
    return {"metadata": meta, "spec": {"much": "text"}}


def item(*args: str) -> dict[str, Any]:
    return {"type": None, "object": obj(*args)}


def event(kind: str, *args: str) -> dict[str, Any]:
    return {"type": kind, "object": obj(*args)}


class Kind(NamedTuple):
    group: str
    plural: str


class Server:
    """Gives one round after the other; the end of the last one is awaited for ever."""

    def __init__(self, *rounds: list[Any]) -> None:
        self.rounds = list(rounds)

    async def __call__(self, **options: Any) -> AsyncIterator[Any]:
        assert options["_iterations"] == 1
        if not self.rounds:
            await asyncio.Event().wait()
        for step in self.rounds.pop(0):
            if isinstance(step, Exception):
                raise step
            yield step


async def told(watch: Following, number: int, resource: str = "pods") -> list[tuple[str, str] | None]:
    """(type, uid) of the next events, None for the mark after a list."""
    seen: list[tuple[str, str] | None] = []
    async with aclosing(watch(resource=resource, namespace=None)) as events:
        async for e in events:
            seen.append(None if e is LISTED else (str(e["type"]), e["object"]["metadata"]["uid"]))
            if len(seen) == number:
                break
    return seen


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_DELAY", 0.0)


async def test_what_a_later_list_lacks_is_told_as_deleted_before_what_it_has() -> None:
    watch = Following(Server([item("a"), item("b"), LISTED], [item("b"), item("a", "uid-a2"), LISTED]))
    seen = await told(watch, 7)
    assert seen[:3] == [("None", "uid-a"), ("None", "uid-b"), None]
    assert seen[3:] == [("DELETED", "uid-a"), ("None", "uid-b"), ("ADDED", "uid-a2"), None]


async def test_what_the_watch_told_of_is_known_to_the_next_list() -> None:
    first = [item("a"), LISTED, event("ADDED", "b"), event("ADDED", "c"), event("DELETED", "a"), event("MODIFIED", "b")]
    watch = Following(Server(first, [item("c"), LISTED]))
    assert (await told(watch, 9))[6:] == [("DELETED", "uid-b"), ("None", "uid-c"), None]


async def test_the_end_of_an_object_names_it_and_its_app() -> None:
    labels = {"app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "web", "other": "x"}
    known = {"type": None, "object": obj("a", **labels)}
    watch = Following(Server([known, LISTED], [LISTED]))
    async with aclosing(watch(resource="pods", namespace=None)) as events:
        gone = [e async for e in _first(events, 3)][2]
    assert gone["type"] == "DELETED"
    del labels["other"]
    assert gone["object"]["metadata"] == {"namespace": "shop", "name": "a", "uid": "uid-a", "labels": labels}


async def test_the_end_of_a_crd_names_its_group() -> None:
    crd = {"type": None, "object": {"metadata": {"name": "x", "uid": "1"}, "spec": {"group": "example.com"}}}
    watch = Following(Server([crd, LISTED], [LISTED]))
    async with aclosing(watch(resource="crds", namespace=None)) as events:
        gone = [e async for e in _first(events, 3)][2]
    assert gone["object"]["spec"]["group"] == "example.com"


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        errors.APIServerError(status=500, headers={}),
        errors.APIForbiddenError(status=403, headers={}),
        ValueError(),
    ],
)
async def test_a_watch_goes_on_after_an_error(error: Exception) -> None:
    watch = Following(Server([item("a"), LISTED, error], [error], [item("b"), LISTED]))
    assert (await told(watch, 5))[2:] == [("DELETED", "uid-a"), ("ADDED", "uid-b"), None]


async def test_without_its_api_no_object_is_left() -> None:
    watch = Following(Server([item("a"), LISTED, NOT_FOUND]))
    assert await told(watch, 3) == [("None", "uid-a"), None, ("DELETED", "uid-a")]


async def test_a_watch_that_is_begun_anew_remembers_what_it_had_shown() -> None:
    watch = Following(Server([item("a"), LISTED], [LISTED]))
    await told(watch, 2)
    assert await told(watch, 2) == [("DELETED", "uid-a"), None]


async def test_each_resource_is_remembered_for_itself() -> None:
    watch = Following(Server([item("a"), LISTED], [item("a"), LISTED]))
    await told(watch, 2, "pods")
    assert await told(watch, 2, "nodes") == [("None", "uid-a"), None]


async def test_the_events_of_a_sink_do_not_reach_kopf_but_the_end_of_the_first_list_does() -> None:
    taken: list[tuple[str, str]] = []
    sink = {("", "pods"): lambda e: taken.append((str(e["type"]), e["object"]["metadata"]["uid"]))}
    first = [item("a"), item("b"), LISTED, event("MODIFIED", "a"), {"type": "BOOKMARK", "object": {"metadata": {}}}]
    watch = Following(Server(first, [item("b"), item("c"), LISTED]), sink)
    marks = 0
    async with aclosing(watch(resource=PODS_RESOURCE, namespace=None)) as events:
        async for e in events:
            assert e is LISTED
            marks += 1
            if marks == 1:
                assert taken == [("None", "uid-a"), ("None", "uid-b")]
            else:
                break
    assert taken[2:] == [("MODIFIED", "uid-a"), ("DELETED", "uid-a"), ("None", "uid-b"), ("ADDED", "uid-c")]


async def test_it_is_ready_when_each_sink_has_a_whole_list_of_each_namespace() -> None:
    def sink(_: dict[str, Any]) -> None:
        """Not called here."""

    may_be_absent = ("monitoring.coreos.com", "podmonitors")
    sinks = {("", "pods"): sink, ("", "nodes"): sink, may_be_absent: sink}
    watch = Following(Server(*([LISTED] for _ in range(4))), sinks, ("a", "b"))
    whole = asyncio.ensure_future(watch.whole())
    for resource, namespace in (("pods", "a"), ("pods", "a"), ("nodes", None), ("pods", "b")):
        assert not watch.ready
        async with aclosing(watch(resource=Kind("", resource), namespace=namespace)) as events:
            assert [e async for e in _first(events, 1)] == [LISTED]
    assert watch.ready
    await asyncio.wait_for(whole, 1)


async def test_a_sink_hears_of_the_end_of_an_api() -> None:
    taken: list[str] = []
    sink = {("", "pods"): lambda e: taken.append(str(e["type"]))}
    watch = Following(Server([item("a"), LISTED, NOT_FOUND], [LISTED]), sink)
    async with aclosing(watch(resource=PODS_RESOURCE, namespace=None)) as events:
        async for _ in _first(events, 2):
            pass
    assert taken == ["None", "DELETED"]


async def test_an_object_that_a_sink_cannot_take_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    poured: list[str] = []

    def sink(e: dict[str, Any]) -> None:
        if e["object"]["metadata"]["name"] == "bad":
            raise AttributeError("no such thing")
        poured.append(e["object"]["metadata"]["name"])

    pods = Kind("", "pods")
    watch = Following(Server([item("a"), item("bad"), LISTED, event("MODIFIED", "b")]), {("", "pods"): sink})
    async with aclosing(watch(resource=pods, namespace=None)) as events:
        assert [e async for e in _first(events, 1)] == [LISTED]
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.wait({waiting}, timeout=0.2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert poured == ["a", "b"]
    assert "A fault of the operator at" in caplog.text


async def test_lost_credentials_end_the_process() -> None:
    watch = Following(Server([RuntimeError("no valid credentials")]))
    with pytest.raises(RuntimeError):
        await told(watch, 1)


async def test_a_stream_that_ends_at_once_is_not_opened_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def short(**_: Any) -> AsyncIterator[Any]:
        yield event("ADDED", "a")

    monkeypatch.setattr(following.asyncio, "sleep", sleep)
    assert len([e async for e in following.paced(short)()]) == 1
    assert pauses == [pytest.approx(following.STREAM_SECONDS, abs=0.5)]


async def test_lists_of_a_watch_that_never_holds_come_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(following, "FIRST_DELAY", 0.5)
    monkeypatch.setattr(following.asyncio, "sleep", sleep)
    await told(Following(Server(*([item("a"), LISTED] for _ in range(8)))), 16)
    assert pauses == [0.5, 1, 2, 4, 8, 15, 15]


def test_kopf_begins_each_watch_where_it_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "infinite_watch", watching.infinite_watch)
    monkeypatch.setattr(watching, "watch_objs", watching.watch_objs)
    following.install()
    installed = watching.infinite_watch
    following.install()
    assert queueing.watching.infinite_watch is installed
    assert isinstance(installed, Following)


async def test_kopf_tries_a_request_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def answer(**_: Any) -> None:
        if len(pauses) < 30:
            raise errors.APIServerError(status=500, headers={})

    async def good(_: object) -> None:
        return None

    monkeypatch.setattr(api.asyncio, "sleep", sleep)
    monkeypatch.setattr(api.errors, "check_response", good)
    settings = SimpleNamespace(
        networking=SimpleNamespace(error_backoffs=RequestPatience(), request_timeout=1, connect_timeout=1)
    )
    context = SimpleNamespace(
        server="http://server", session=SimpleNamespace(request=answer), add_response=lambda _: None
    )
    await api.request("get", "/apis", settings=settings, context=context, logger=following.logger)  # type: ignore[arg-type]
    assert len(pauses) == 30
    assert max(pauses) == 5.0


async def _first(events: AsyncIterator[Any], number: int) -> AsyncIterator[Any]:
    async for e in events:
        yield e
        number -= 1
        if not number:
            return
