"""Stands between operator and API server, and does to the traffic what its rules say.

It speaks plain HTTP to the operator and TLS to the server, to which it shows the cluster's own client certificate.
It runs in a thread of its own; rules may be added and removed at any time.
"""

import asyncio
import base64
import json
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from tests.faults.rules import (
    After,
    Answer,
    Before,
    Call,
    Ends,
    Fault,
    Garbled,
    HeldBack,
    Hung,
    Late,
    Rule,
    Silent,
    StreamFault,
    Swallowed,
    call_of,
)

from devcluster.cluster import Cluster

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "host", "content-length", "date", "server", "authorization"}
)
"""Not handed on: what belongs to one connection, and credentials, since the proxy shows its own."""

NEVER_SECONDS = 3600.0
POLL_SECONDS = 0.05
CLOSING_SECONDS = 0.3
"""Connections end a few turns of the loop after they are closed."""


class Proxy:
    """One proxy in front of `cluster`; `kubeconfig` leads the operator to it. `user` is impersonated where given."""

    def __init__(self, cluster: Cluster, folder: Path, user: str = "") -> None:
        self.kubeconfig = folder / "proxy.kubeconfig"
        self.rules: list[Rule] = []
        self.calls: list[Call] = []
        self._server, self._tls = _upstream(cluster.kubeconfig)
        self._user = user
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="proxy")

    def start(self) -> None:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.kubeconfig.write_text(json.dumps(_kubeconfig(f"http://127.0.0.1:{port}")))

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @contextmanager
    def rule(self, *rules: Rule) -> Iterator[Rule]:
        """Rules for as long as the block lasts; gives the first of them."""
        self.rules.extend(rules)
        try:
            yield rules[0]
        finally:
            for rule in rules:
                self.rules.remove(rule)

    def break_watches(self) -> None:
        """Cut every stream that is open: rules meet a watch only at its beginning."""
        asyncio.run_coroutine_threadsafe(self._break(), self._loop).result(10)

    def writes(self, namespace: str, since: int = 0) -> list[Call]:
        """The operator's writes in a namespace, of the calls from number `since` on."""
        return [call for call in self.calls[since:] if call.is_write and call.namespace == namespace]

    async def _listen(self) -> int:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None), read_bufsize=2**22
        )
        self._streams: dict[int, web.BaseRequest] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._runner = web.ServerRunner(
            web.Server(self._handle, handler_cancellation=True), handle_signals=False, shutdown_timeout=1.0
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        sockets: Any = site._server
        return int(sockets.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        await self._break()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._session.close()
        await asyncio.sleep(CLOSING_SECONDS)

    async def _break(self) -> None:
        for request in list(self._streams.values()):
            _cut(request)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = call_of(request.method, request.path, request.query, request.headers.get("Accept", ""))
        self.calls.append(call)
        fault = next((rule.fault for rule in list(self.rules) if rule.takes(call)), None)
        body = await request.read()
        if isinstance(fault, Answer):
            return _refusal(fault)
        if isinstance(fault, Hung):
            await asyncio.sleep(fault.seconds)
        if isinstance(fault, Late):
            # A task of its own: the handler is cancelled when the client goes.
            self._late.add(asyncio.create_task(self._do_late(request, body, call, fault)))
            await asyncio.sleep(NEVER_SECONDS if fault.hangs else 0)
            return _cut(request)
        if isinstance(fault, Before):
            fault.act()
            return _cut(request)
        try:
            async with self._forward(request, body) as answer:
                call.code = answer.status
                if call.verb == "watch":
                    return await self._stream(request, answer, fault)
                return await self._whole(request, answer, fault)
        except (aiohttp.ClientError, OSError):
            return _cut(request)

    async def _do_late(self, request: web.BaseRequest, body: bytes, call: Call, fault: Late) -> None:
        while not fault.released():  # noqa: ASYNC110  (another thread releases it)
            await asyncio.sleep(POLL_SECONDS)
        async with self._forward(request, body) as answer:
            await answer.read()
            call.code = answer.status

    def _forward(self, request: web.BaseRequest, body: bytes) -> Any:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        if self._user:
            headers |= {"Impersonate-User": self._user, "Impersonate-Group": "system:authenticated"}
        url = f"{self._server}{request.raw_path}"
        return self._session.request(request.method, url, data=body or None, headers=headers, allow_redirects=False)

    async def _whole(self, request: web.BaseRequest, answer: Any, fault: Fault | None) -> web.StreamResponse:
        body = await answer.read()
        if isinstance(fault, After):
            fault.act()
        if isinstance(fault, Swallowed | After):
            return _cut(request)
        if isinstance(fault, Garbled):
            body = body[: len(body) // 2]
        return web.Response(status=answer.status, body=body, headers=_headers(answer))

    async def _stream(self, request: web.BaseRequest, answer: Any, fault: Fault | None) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=_headers(answer))
        await response.prepare(request)
        self._streams[id(request)] = request
        try:
            stream_fault = fault if isinstance(fault, StreamFault) else None
            async for line in _with_fault(answer.content, stream_fault):
                await response.write(line)
            await response.write_eof()
        except (aiohttp.ClientError, OSError):
            _cut(request)
        finally:
            self._streams.pop(id(request), None)
        return response


async def _with_fault(content: aiohttp.StreamReader, fault: StreamFault | None) -> AsyncIterator[bytes]:
    """The lines of a watch as the fault lets them through."""
    if isinstance(fault, Silent):
        await asyncio.sleep(NEVER_SECONDS)
    elif isinstance(fault, Ends):
        for _ in range(fault.events):
            yield await content.readline()
        yield fault.text
    elif isinstance(fault, HeldBack):
        async for line in _held(content, fault):
            yield line
    else:
        async for chunk in content.iter_any():
            yield chunk


async def _held(content: aiohttp.StreamReader, fault: HeldBack) -> AsyncIterator[bytes]:
    kept: list[bytes] = []
    reading = asyncio.ensure_future(content.readline())
    while not fault.released():
        done, _ = await asyncio.wait({reading}, timeout=POLL_SECONDS)
        if done and reading.result():
            kept.append(reading.result())
            reading = asyncio.ensure_future(content.readline())
    for line in _last_of_each(kept) if fault.thinned else kept:
        yield line
    yield await reading
    async for chunk in content.iter_any():
        yield chunk


def _last_of_each(lines: list[bytes]) -> list[bytes]:
    """Without the events that a later one of the same object overtakes: a watch may not show every state."""
    last = {json.loads(line)["object"]["metadata"].get("uid"): line for line in lines}
    return list(last.values())


def _refusal(fault: Answer) -> web.Response:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"injected {fault.status}",
        "reason": fault.reason,
        "code": fault.status,
    }
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else None
    return web.json_response(status, status=fault.status, headers=headers)


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection without a word."""
    if request.transport is not None:
        with suppress(OSError):
            request.transport.abort()
    return web.Response()


def _headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}


def _upstream(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """The server and the TLS context of a kubeconfig with one client certificate."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=None)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with tempfile.TemporaryDirectory() as folder:
        certificate = _file(user, "client-certificate", Path(folder))
        context.load_cert_chain(certificate, _file(user, "client-key", Path(folder)))
    return str(cluster["server"]), context


def _file(user: dict[str, str], field: str, folder: Path) -> Path:
    if field in user:
        return Path(user[field])
    path = folder / field
    path.write_bytes(base64.b64decode(user[f"{field}-data"]))
    return path


def _kubeconfig(server: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {"server": server}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        "users": [{"name": "proxy", "user": {}}],
    }
