"""Requests to the API server: the official client's configuration and credentials, without its models.

The official client deserialises every answer into model classes, which costs more time than the request itself, and
escapes non-ASCII text in the body of a server-side apply in a way that the server refuses; so bodies are made here.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter
from kubernetes.aio import config as kubeconfig
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from haapp import exceptions
from haapp.api import jsontext

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

REQUEST_TIMEOUT = 30.0
"""Seconds that one request may take, connecting included."""

CONNECTIONS = 32
"""Two for each worker; a TLS handshake costs as much as several requests, on both sides. Streams have others: they hold
theirs, and enough of them would leave none for anything else."""

UNLIMITED = 0

Observer = Callable[[str, str, int, float], None]
"""Called after each request with verb, resource (the plural), HTTP status (0: no answer) and seconds."""

_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON holds as it is, and YAML refuses or takes for the end of a line."""


def encode(obj: object) -> bytes:
    """The JSON text of an object, which is valid YAML too: a server-side apply's body is read as YAML."""
    text = orjson.dumps(obj)
    if text.isascii() and b"\x7f" not in text:
        return text
    return _NOT_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text.decode()).encode()


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the API server: `body` is sent as JSON of the given content type, `timeout` is in seconds.

    `fence` is called at the last moment, when the connection stands and the body is about to be sent; what it raises
    keeps the request from being sent. A process may have been stopped for any time before that moment."""

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: object = None
    content_type: str = JSON
    accept: str = JSON
    timeout: float = REQUEST_TIMEOUT
    fence: Callable[[], object] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class _Body(aiohttp.BytesPayload):
    """A request's body, which asks the fence before it is sent."""

    def __init__(self, request: Request) -> None:
        super().__init__(encode(request.body), content_type=request.content_type)
        self._fence = request.fence

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if self._fence:
            self._fence()
        await super().write_with_length(writer, content_length)


class Client:
    """An HTTP session with the API server. Errors are those of `haapp.exceptions`."""

    def __init__(self, configuration: Configuration, *, user_agent: str, observe: Observer | None = None) -> None:
        self._configuration = configuration
        self._user_agent = user_agent
        self._observe = observe
        self._session, self._streams = self._open()

    @classmethod
    async def connect(cls, *, user_agent: str = "haapp-operator", observe: Observer | None = None) -> Self:
        """A client for the cluster of the kubeconfig's current context, or of the pod's service account."""
        return cls(await load_configuration(), user_agent=user_agent, observe=observe)

    async def close(self) -> None:
        await _close(self._session, self._streams)

    async def send(self, request: Request) -> dict[str, Any]:
        """Send one request and return the decoded answer."""
        started = time.monotonic()
        status = 0
        try:
            async with await self._open_response(request) as response:
                status = response.status
                return await self._decode(response, str(request))
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError) as error:
            if isinstance(error.__cause__, exceptions.NotLeading):
                raise error.__cause__ from None
            message = str(error) or f"no answer within {request.timeout:.0f} s"
            raise exceptions.Unavailable(message, request=str(request)) from error
        finally:
            if self._observe:
                self._observe(request.method, resource_of(request.path), status, time.monotonic() - started)

    async def stream(self, path: str, params: Mapping[str, str], accept: str) -> aiohttp.ClientResponse:
        """Open a watch; the caller reads its lines and closes it. Raises TimeoutError where no answer begins."""
        forever = aiohttp.ClientTimeout(total=None)
        async with asyncio.timeout(REQUEST_TIMEOUT):
            headers = await self._headers(accept)
            response = await self._streams.get(self._url(path), params=params, headers=headers, timeout=forever)
            if response.status >= 400:
                await self._decode(response, f"WATCH {path}")
        return response

    async def _open_response(self, request: Request) -> aiohttp.ClientResponse:
        headers = await self._headers(request.accept)
        return await self._session.request(
            request.method,
            self._url(request.path),
            params=request.params,
            data=None if request.body is None else _Body(request),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=request.timeout),
        )

    async def _decode(self, response: aiohttp.ClientResponse, request: str) -> dict[str, Any]:
        text = await response.read()
        answer = _object(text)
        if response.status == 401:
            await self._renew_credentials()
        if response.status >= 400:
            response.release()
            details = answer or {"message": f"HTTP {response.status}: {text[:200].decode(errors='replace')}"}
            retry_after = response.headers.get("Retry-After")
            raise exceptions.from_answer(response.status, details, retry_after=retry_after, request=request)
        if answer is None:
            raise exceptions.Unavailable("the answer is cut short, or not the API server's", request=request)
        return answer

    async def _headers(self, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": self._user_agent}
        credentials = cast("dict[str, dict[str, str]]", await self._configuration.auth_settings())
        for setting in credentials.values():
            if setting["value"]:
                headers[setting["key"]] = setting["value"]
        return headers

    async def _renew_credentials(self) -> None:
        """A client certificate or token has run out: the next request goes with what the kubeconfig says now."""
        old, self._configuration = (self._session, self._streams), await load_configuration()
        asyncio.get_running_loop().call_later(REQUEST_TIMEOUT, lambda: asyncio.ensure_future(_close(*old)))
        self._session, self._streams = self._open()

    def _open(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession]:
        """A session for requests, and one for streams."""
        context = RESTClientObject(self._configuration).ssl_context
        return _session(context, CONNECTIONS), _session(context, UNLIMITED)

    def _url(self, path: str) -> str:
        return f"{self._configuration.host.rstrip('/')}{path}"


def _session(context: ssl.SSLContext, limit: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=context, limit=limit, keepalive_timeout=60)
    return aiohttp.ClientSession(connector=connector, read_bufsize=2**21, cookie_jar=aiohttp.DummyCookieJar())


async def _close(*sessions: aiohttp.ClientSession) -> None:
    for session in sessions:
        await session.close()


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        answer = jsontext.loads(text)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def in_cluster() -> bool:
    """Whether to log in as the pod's service account: there is one, and no kubeconfig is named."""
    return "KUBERNETES_SERVICE_HOST" in os.environ and not os.environ.get("KUBECONFIG")


async def load_configuration() -> Configuration:
    """The service account of the pod that this runs in, or the kubeconfig's current context."""
    configuration = Configuration()
    if in_cluster():
        kubeconfig.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        await kubeconfig.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    return configuration


def resource_of(path: str) -> str:
    """The plural (and subresource) that a path names, for the metrics: `/apis/apps/v1/namespaces/a/deployments/b`."""
    parts = path.strip("/").split("/")
    rest = parts[3:] if parts[0] == "apis" else parts[2:]
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    return "/".join([rest[0], *rest[2:]]) if rest else "/".join(parts)
