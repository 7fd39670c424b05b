"""Of ConfigMaps and Secrets nothing but the metadata is asked for."""

import asyncio
from typing import Any, Self

import pytest

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


async def test_a_watch_that_nobody_uses_ends_and_a_later_one_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    watches = Watches(client, lambda _: None)  # type: ignore[arg-type]
    await watches.use(KEY, SECRETS, lambda obj: obj["metadata"]["name"])
    old = watches._watches[SECRETS]
    monkeypatch.setattr("haapp.cluster.watches.UNUSED_SECONDS", -1.0)
    assert not watches._in_use(SECRETS, old)
    assert watches.items(SECRETS) == {}
    monkeypatch.undo()
    await watches.use(KEY, SECRETS, lambda obj: obj["metadata"]["name"])
    assert not watches._in_use(SECRETS, old), "asked once more, and does not touch its successor"
    assert watches.items(SECRETS) == {"password": "password"}
    await watches.close()
    if old.task:
        old.task.cancel()
