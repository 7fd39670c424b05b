"""Of ConfigMaps and Secrets nothing but the metadata is asked for."""

import asyncio
from typing import Any, Self

from haapp.cluster.client import METADATA, METADATA_LIST, Request
from haapp.cluster.watches import Target, Watches
from haapp.reconcile.ports import Key

KEY = Key("shop", "web")
SECRETS = Target("/api/v1/namespaces/shop/secrets", metadata_only=True)


class Stream:
    """A watch that stays silent."""

    @property
    def content(self) -> Self:
        return self

    async def readline(self) -> bytes:
        await asyncio.Event().wait()
        return b""

    def close(self) -> None:
        return None


class Client:
    """An API server with one Secret, that remembers how it was asked."""

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.watched = asyncio.Event()

    async def send(self, request: Request) -> dict[str, Any]:
        self.accepted.append(request.accept)
        return {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "password"}}]}

    async def stream(self, path: str, params: dict[str, str], accept: str) -> Stream:
        self.accepted.append(accept)
        self.watched.set()
        return Stream()


async def test_only_metadata_is_asked_for() -> None:
    client = Client()
    watches = Watches(client, lambda _: None)  # type: ignore[arg-type]
    await watches.use(KEY, SECRETS, lambda obj: obj["metadata"]["name"])
    await client.watched.wait()
    await watches.close()
    assert client.accepted == [METADATA_LIST, METADATA]
    assert all("PartialObjectMetadata" in accept for accept in client.accepted)
    assert watches.items(SECRETS) == {"password": "password"}
