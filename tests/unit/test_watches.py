"""Of ConfigMaps and Secrets nothing but the metadata is asked for."""

import asyncio
from typing import Any, Self

from haapp.cluster.client import METADATA, METADATA_LIST, Request
from haapp.cluster.overlay import Overlay
from haapp.cluster.view import ClusterView, Indices
from haapp.cluster.watches import Target, Watches
from haapp.reconcile.ports import Key

KEY = Key("shop", "web")
PASSWORD = {"metadata": {"name": "password", "uid": "u", "resourceVersion": "1"}}
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
        return {"metadata": {"resourceVersion": "7"}, "items": [PASSWORD]}

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


async def test_a_watch_goes_on_until_nobody_uses_it_and_a_later_one_is_its_own() -> None:
    client = Client()
    watches = Watches(client, lambda _: None)  # type: ignore[arg-type]
    other = Key("shop", "other")
    await watches.use(KEY, SECRETS, lambda obj: obj["metadata"]["name"])
    await watches.use(other, SECRETS, lambda obj: obj["metadata"]["name"])
    task = watches._watches[SECRETS].task
    assert task
    await client.watched.wait()
    watches.release(other)
    assert watches.items(SECRETS) == {"password": "password"}
    watches.release(KEY, lambda target: target != SECRETS)
    assert watches.items(SECRETS) == {"password": "password"}
    watches.release(KEY)
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()
    assert watches.items(SECRETS) == {}
    await watches.use(KEY, SECRETS, lambda obj: obj["metadata"]["name"])
    assert watches.items(SECRETS) == {"password": "password"}
    await watches.close()


async def test_an_app_follows_what_it_refers_to_now_and_nothing_when_it_is_gone() -> None:
    client = Client()
    watches = Watches(client, lambda _: None)  # type: ignore[arg-type]
    anything: Any = Overlay()
    view = ClusterView(Indices(), anything, watches, anything)
    both = frozenset({("ConfigMap", "settings"), ("Secret", "password")})
    await view.config_versions(KEY, both, {})
    await view.selected_pods(KEY, {"matchLabels": {"app": "cache"}})
    assert followed(watches) == ["configmaps", "pods app=cache", "secrets"]
    await view.config_versions(KEY, frozenset({("Secret", "password")}), {})
    await view.selected_pods(KEY, {"matchLabels": {"app": "other"}})
    assert followed(watches) == ["pods app=other", "secrets"]
    await view.selected_pods(KEY, None)
    assert followed(watches) == ["secrets"]
    assert view.app(KEY) is None
    assert followed(watches) == []
    await watches.close()


def followed(watches: Watches) -> list[str]:
    return sorted(f"{target.path.rpartition('/')[2]} {target.selector}".strip() for target in watches._watches)
