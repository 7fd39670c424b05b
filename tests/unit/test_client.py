"""Requests to a server on this machine: what comes of each kind of answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from haapp import exceptions
from haapp.cluster.client import CONNECTIONS, JSON, Client, Request, resource_of

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Connect = Callable[[Handler], Awaitable[Client]]


@pytest.fixture
async def connect(unused_tcp_port: int) -> AsyncIterator[Connect]:
    """A client of a server that answers by the handler."""
    runners: list[web.ServerRunner] = []
    clients: list[Client] = []

    async def to(handler: Handler) -> Client:
        runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
        configuration = Configuration()
        configuration.host = f"http://127.0.0.1:{unused_tcp_port}"
        clients.append(Client(configuration, user_agent="test"))
        return clients[-1]

    yield to
    for client in clients:
        await client.close()
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def ask(connect: Connect) -> Callable[[Handler], Awaitable[object]]:
    """Have the handler answer one request; what the client makes of it."""

    async def once(handler: Handler) -> object:
        return await (await connect(handler)).send(Request("GET", "/api/v1/pods", timeout=2.0))

    return once


def answer(status: int, text: str, **headers: str) -> Handler:
    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return handler


async def test_an_object_is_given_as_it_is(ask: Callable[[Handler], Awaitable[object]]) -> None:
    assert await ask(answer(200, '{"kind": "PodList"}')) == {"kind": "PodList"}


@pytest.mark.parametrize("text", ["", '{"kind": "Pod', "<html>welcome</html>", "[]", "null"])
async def test_what_is_no_object_is_no_answer(ask: Callable[[Handler], Awaitable[object]], text: str) -> None:
    with pytest.raises(exceptions.Unavailable, match="GET /api/v1/pods: the answer is cut short"):
        await ask(answer(200, text))


async def test_an_error_that_is_not_the_servers_own_is_quoted(ask: Callable[[Handler], Awaitable[object]]) -> None:
    with pytest.raises(exceptions.Unavailable, match="HTTP 502: bad gateway"):
        await ask(answer(502, "bad gateway"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, exceptions.Refused),
        (401, exceptions.Forbidden),
        (403, exceptions.Forbidden),
        (404, exceptions.NotFound),
        (409, exceptions.Conflict),
        (413, exceptions.Refused),
        (422, exceptions.Refused),
        (429, exceptions.Throttled),
        (500, exceptions.Unavailable),
        (503, exceptions.Unavailable),
    ],
)
def test_each_status_has_its_error(status: int, error: type[exceptions.ApiError]) -> None:
    found = exceptions.from_answer(status, {"message": "no", "reason": "Why"}, retry_after=None, request="GET /x")
    assert type(found) is error
    assert (found.status, str(found)) == (status, "GET /x: no")


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), (None, 1), ("Wed, 21 Oct", 1), ("-3", 0), ("inf", 300), ("nan", 1)]
)
def test_the_server_says_how_long_to_wait(header: str | None, seconds: float) -> None:
    found = exceptions.from_answer(429, None, retry_after=header, request="")
    assert isinstance(found, exceptions.Throttled)
    assert found.retry_after == seconds


async def test_a_broken_connection_is_no_answer(ask: Callable[[Handler], Awaitable[object]]) -> None:
    async def cut(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with pytest.raises(exceptions.Unavailable):
        await ask(cut)


async def test_a_fenced_request_is_withheld_after_the_connection_stands(connect: Connect) -> None:
    """The lease ends while the connection is being made, as when the process is stopped just then."""
    lease, served = ["held"], []

    async def count(request: web.BaseRequest) -> web.Response:
        served.append(await request.read())
        return web.json_response({})

    def fence() -> None:
        if not lease:
            raise exceptions.NotLeading("over")

    client = await connect(count)
    await client.send(Request("PATCH", "/a", body={"b": 1}, fence=fence))
    lease.clear()
    with pytest.raises(exceptions.NotLeading):
        await client.send(Request("PATCH", "/a", body={"b": 2}, fence=fence))
    assert served == [b'{"b":1}']


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/api/v1/namespaces/a/pods/b/eviction", "pods/eviction"),
        ("/apis/apps/v1/namespaces/a/deployments/b", "deployments"),
        ("/api/v1/nodes", "nodes"),
        ("/version", "version"),
    ],
)
def test_a_path_names_its_resource(path: str, resource: str) -> None:
    assert resource_of(path) == resource


async def test_streams_take_no_connection_of_what_is_asked_for_beside_them(connect: Connect) -> None:
    """There is a stream for each namespace and kind that apps refer to: they once took all connections, for good."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        if "watch" not in request.query_string:
            return web.json_response({})
        stream = web.StreamResponse()
        await stream.prepare(request)
        await asyncio.Event().wait()
        return stream

    client = await connect(serve)
    async with AsyncExitStack() as streams:
        for _ in range(CONNECTIONS + 8):
            opened = client.stream("/api/v1/secrets", {"watch": "true"}, JSON)
            streams.callback((await asyncio.wait_for(opened, 2.0)).close)
        assert await client.send(Request("GET", "/api/v1/pods", timeout=2.0)) == {}
