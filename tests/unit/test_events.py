"""Events: told once, counted when they come again, fenced like every other write, and never more than agreed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from haapp.api.names import API_VERSION, KIND
from haapp.cluster import events
from haapp.cluster.client import REQUEST_TIMEOUT, Request
from haapp.cluster.events import EventRecorder
from haapp.exceptions import NotFound, NotLeading, Unavailable

TURNS = 20


def app(name: str = "web") -> dict[str, Any]:
    meta = {"name": name, "namespace": "shop", "uid": f"uid-of-{name}"}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta}


class Server:
    """Stands for the client: keeps what is sent, and fails where it is told to."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.errors: list[Exception] = []

    async def send(self, request: Request) -> dict[str, Any]:
        self.sent.append(request)
        if self.errors:
            raise self.errors.pop(0)
        return {}


def recorder(server: Server, time_left: Callable[[], float] | None = None) -> EventRecorder:
    return EventRecorder(cast("Any", server), "pod-1", time_left)


@asynccontextmanager
async def running(of: EventRecorder) -> AsyncIterator[None]:
    """Sends what was recorded before the block and within it."""
    task = asyncio.create_task(of.run())
    await turns()
    yield
    await turns()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_an_event_regards_the_app() -> None:
    server = Server()
    told = recorder(server)
    told.record(app(), "Ready", "3/3 ready")
    async with running(told):
        (request,) = server.sent
    assert str(request) == "POST /apis/events.k8s.io/v1/namespaces/shop/events"
    body = cast("dict[str, Any]", request.body)
    assert body["regarding"] == {**body["regarding"], "kind": KIND, "name": "web", "uid": "uid-of-web"}
    assert (body["reason"], body["note"], body["type"]) == ("Ready", "3/3 ready", "Normal")


async def test_who_does_not_lead_sends_none() -> None:
    def not_leading() -> float:
        raise NotLeading("the lease is not held")

    server = Server()
    told = recorder(server, not_leading)
    told.record(app(), "Ready", "3/3 ready")
    async with running(told):
        pass
    assert server.sent == []


@pytest.mark.parametrize("left", [4.0, 400.0])
async def test_each_request_is_fenced_by_the_lease_and_ends_before_it(left: float, clock: list[float]) -> None:
    server = Server()
    told = recorder(server, lambda: left)
    async with running(told):
        told.record(app(), "Ready", "3/3 ready")
        await turns()
        clock[0] += events.SERIES_PAUSE + 1
        told.record(app(), "Ready", "3/3 ready")
    assert [request.method for request in server.sent] == ["POST", "PATCH"]
    for request in server.sent:
        assert request.timeout == min(left, REQUEST_TIMEOUT)
        assert request.fence is not None
        assert request.fence() == left


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The recorder's clock, as a list of one number that may be changed."""
    now = [1000.0]
    monkeypatch.setattr(events, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


async def test_what_comes_again_is_counted_on_the_first_one_now_and_then(clock: list[float]) -> None:
    server = Server()
    told = recorder(server)
    async with running(told):
        for _ in range(5):
            told.record(app(), "ApiError", "no answer", warning=True)
        await turns()
        assert [request.method for request in server.sent] == ["POST"]
        clock[0] += events.SERIES_PAUSE
        told.record(app(), "ApiError", "no answer", warning=True)
        await turns()
        assert cast("dict[str, Any]", server.sent[-1].body)["series"]["count"] == 6
        told.record(app("other"), "ApiError", "no answer", warning=True)
        told.record(app(), "ApiError", "another answer", warning=True)
        await turns()
        assert [request.method for request in server.sent] == ["POST", "PATCH", "POST", "POST"]
        clock[0] += events.SERIES_SECONDS + 1
        told.record(app(), "ApiError", "no answer", warning=True)
    assert server.sent[-1].method == "POST"


async def test_a_series_whose_first_event_is_gone_begins_anew(clock: list[float]) -> None:
    server = Server()
    told = recorder(server)
    async with running(told):
        told.record(app(), "ApiError", "no answer")
        await turns()
        clock[0] += events.SERIES_PAUSE
        server.errors.append(NotFound("expired"))
        told.record(app(), "ApiError", "no answer")
    assert [request.method for request in server.sent] == ["POST", "PATCH", "POST"]


async def test_one_that_fails_holds_up_no_other() -> None:
    server = Server()
    server.errors += [Unavailable("no answer"), ZeroDivisionError()]
    told = recorder(server)
    async with running(told):
        for name in ("one", "two", "three"):
            told.record(app(name), "Ready", "ready")
    assert len(server.sent) == 3


async def test_no_more_wait_and_no_more_are_remembered_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "REMEMBERED", 10)
    server = Server()
    told = recorder(server)
    for number in range(events.WAITING_LIMIT + 50):
        told.record(app(f"web-{number}"), "Ready", "ready")
    async with running(told):
        for _ in range(events.WAITING_LIMIT):
            await turns()
    assert len(server.sent) == events.WAITING_LIMIT
    assert len(told._sent) == 10


async def test_a_stop_sends_what_is_queued() -> None:
    server = Server()
    told = recorder(server)
    for number in range(5):
        told.record(app(f"web-{number}"), "Ready", "ready")
    async with running(told):
        await told.finish()
        assert len(server.sent) == 5


async def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FINISH_SECONDS", 0.01)
    told = recorder(Server())
    told.record(app(), "Ready", "ready")
    await told.finish()


async def test_a_long_message_is_cut() -> None:
    server = Server()
    told = recorder(server)
    told.record(app("n" * 253), "InvalidSpec", "x" * 5000)
    async with running(told):
        pass
    body = cast("dict[str, Any]", server.sent[0].body)
    assert len(body["note"]) == 1024
    assert len(body["metadata"]["name"]) <= 253
