"""An efficient asynchronous client: what a writer reaches that does nothing but write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import aiohttp
import orjson
from kubernetes.aio import config as kubeconfig
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from devcluster.cluster import Cluster

AT_ONCE = 16
"""Requests in flight: as many as the operator has workers."""

USER_AGENT = "haapp-bench"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Client:
    """One connection pool, credentials looked up once, bodies sent as they are, answers read and thrown away."""

    session: aiohttp.ClientSession
    host: str

    @classmethod
    async def connect(cls, cluster: Cluster) -> Self:
        configuration = Configuration()
        await kubeconfig.load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
        connector = aiohttp.TCPConnector(ssl=RESTClientObject(configuration).ssl_context, limit=AT_ONCE)
        return cls(aiohttp.ClientSession(connector=connector, headers={"User-Agent": USER_AGENT}), configuration.host)

    async def send(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> bytes:
        """The answer's text. Raises RuntimeError with the API server's complaint."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Content-Type": content_type}
        async with self.session.request(method, self.host + path, data=data, headers=headers) as answer:
            text = await answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {text[:500].decode(errors='replace')}")
            return text

    async def get(self, path: str) -> dict[str, Any]:
        """An object, decoded."""
        async with self.session.get(self.host + path) as answer:
            decoded: dict[str, Any] = orjson.loads(await answer.read())
            return decoded

    async def close(self) -> None:
        await self.session.close()


async def each(items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> float:
    """Do the work for each item, AT_ONCE of them at a time; returns the seconds it took."""
    waiting = iter(items)
    began = time.perf_counter()

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
    return time.perf_counter() - began
