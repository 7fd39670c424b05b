"""The webhook's server: allowed in every case, renewed without a pause, and no trouble of its own ends the operator."""

import asyncio
import copy
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from devcluster.process import free_port
from haapp.admission import advice
from haapp.admission.certificate import KeyPair, issue
from haapp.api import InvalidSpec
from haapp.runtime import webhook
from haapp.runtime.key_pairs import from_files
from haapp.runtime.webhook import MOST_AT_ONCE, Webhook

HOST = "127.0.0.1"
ASKED = {"request": {"uid": "u", "operation": "UPDATE", "object": {"metadata": {}}}}
ALLOWED = {"uid": "u", "allowed": True}


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return issue([HOST], datetime.now(UTC))


async def until(seen: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await seen():  # noqa: ASYNC110  (there is no event of a server's that says so)
            await asyncio.sleep(0.02)


class Server:
    """A webhook whose pairs come from a queue, and whose review is `review`."""

    def __init__(self, review: Any) -> None:
        self.port = free_port()
        self.pairs: asyncio.Queue[KeyPair | Exception] = asyncio.Queue()
        self._review = review

    async def _pems(self) -> AsyncIterator[bytes]:
        while True:
            pair = await self.pairs.get()
            if isinstance(pair, Exception):
                raise pair
            yield pair.key + pair.certificate

    async def run(self) -> None:
        async for _ in Webhook(self.port, self._pems)(self._review):
            pass

    async def ask(self, pair: KeyPair, body: object = ASKED) -> tuple[int, Any]:
        trust = ssl.create_default_context(cadata=pair.authorities.decode())
        connector = aiohttp.TCPConnector(ssl=trust, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            async with session.post(f"https://{HOST}:{self.port}/validate", data=data) as answer:
                return answer.status, (await answer.json())["response"] if answer.status == 200 else None

    async def answers(self, pair: KeyPair) -> bool:
        try:
            return (await self.ask(pair))[0] == 200
        except (OSError, aiohttp.ClientError):
            return False

    async def until_it_answers(self, pair: KeyPair) -> None:
        await until(lambda: self.answers(pair))

    async def until_all_is_tried(self) -> None:
        async def tried() -> bool:
            return self.pairs.empty()

        await until(tried)


@asynccontextmanager
async def serving(review: Any, *pairs: KeyPair | Exception) -> AsyncIterator[Server]:
    server = Server(review)
    for pair in pairs:
        server.pairs.put_nowait(pair)
    task = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def saying(response: Any) -> Any:
    async def review(_: Any) -> Any:
        if isinstance(response, Exception):
            raise response
        return response

    return review


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ({"response": {"warnings": ["w"]}}, {**ALLOWED, "warnings": ["w"]}),
        ({"response": {"allowed": False, "warnings": None}}, ALLOWED),
        ({}, ALLOWED),
        (RuntimeError("a fault"), ALLOWED),
    ],
)
async def test_every_object_is_allowed(pair: KeyPair, response: Any, answer: Any) -> None:
    async with serving(saying(response), pair) as server:
        await server.until_it_answers(pair)
        assert await server.ask(pair) == (200, answer)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"request": {}}'])
async def test_what_is_no_review_is_not_answered_as_one(pair: KeyPair, body: bytes) -> None:
    async with serving(saying({}), pair) as server:
        await server.until_it_answers(pair)
        assert (await server.ask(pair, body))[0] == 400


async def test_kopf_gets_only_objects_and_keeps_none(pair: KeyPair) -> None:
    seen: list[Any] = []

    async def review(asked: Any) -> Any:
        seen.append(asked["request"])
        return {"response": {}}

    async with serving(review, pair) as server:
        await server.until_it_answers(pair)
        seen.clear()
        for obj in (None, [], "app", {}, {"metadata": None}):
            assert await server.ask(pair, {"request": {"uid": "u", "object": obj}}) == (200, ALLOWED)
        assert seen == []
        await server.ask(pair)
        assert [request["operation"] for request in seen] == ["CREATE"]


@pytest.mark.parametrize("levels", [300, 1_000, 5_000])
async def test_an_object_that_is_nested_too_deeply_is_reviewed(pair: KeyPair, levels: int) -> None:
    seen: list[Any] = []

    async def review(asked: Any) -> Any:
        seen.append(copy.deepcopy(asked["request"]["object"]))
        return {"response": {}}

    spec = f'{{"pod": {"[" * levels}{"]" * levels}}}'
    body = f'{{"request": {{"uid": "u", "object": {{"metadata": {{"name": "web"}}, "spec": {spec}}}}}}}'
    async with serving(review, pair) as server:
        await server.until_it_answers(pair)
        assert await server.ask(pair, body.encode()) == (200, ALLOWED)
    with pytest.raises(InvalidSpec, match="nested too deeply"):
        advice.read(seen[-1])


async def test_a_slow_review_is_not_waited_for(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.05)

    async def slow(_: Any) -> Any:
        await asyncio.sleep(60)

    async with serving(slow, pair) as server:
        await server.until_it_answers(pair)
        assert await server.ask(pair) == (200, ALLOWED)


async def test_a_flood_is_let_through(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 60)
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def held(asked: Any) -> Any:
        if asked.get("held"):
            begun.release()
            await go_on.wait()
        return {"response": {"warnings": ["w"]}}

    async with serving(held, pair) as server:
        await server.until_it_answers(pair)
        waiting = [asyncio.create_task(server.ask(pair, ASKED | {"held": True})) for _ in range(MOST_AT_ONCE)]
        for _ in waiting:
            await begun.acquire()
        assert await server.ask(pair) == (200, ALLOWED)
        go_on.set()
        assert await asyncio.gather(*waiting) == [(200, {**ALLOWED, "warnings": ["w"]})] * MOST_AT_ONCE


async def test_a_renewed_pair_is_served_and_a_bad_one_is_not(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "AGAIN_SECONDS", 0.01)
    renewed = issue([HOST], datetime.now(UTC))
    mixed = KeyPair(renewed.certificate, pair.key, b"")
    async with serving(saying({}), RuntimeError("no Secret"), KeyPair(b"junk", b"junk", b""), pair) as server:
        await server.until_it_answers(pair)
        server.pairs.put_nowait(mixed)
        server.pairs.put_nowait(RuntimeError("a fault"))
        await server.until_all_is_tried()
        assert await server.answers(pair)
        server.pairs.put_nowait(renewed)
        await server.until_it_answers(renewed)
        assert not await server.answers(pair)


async def test_a_port_that_is_taken_is_waited_for(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "AGAIN_SECONDS", 0.01)
    async with serving(saying({})) as server:
        other = await asyncio.start_server(lambda *_: None, None, server.port)
        server.pairs.put_nowait(pair)
        await server.until_all_is_tried()
        other.close()
        await other.wait_closed()
        server.pairs.put_nowait(pair)
        await server.until_it_answers(pair)


async def test_files_are_waited_for_and_followed(tmp_path: Path) -> None:
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    found = from_files(certificate, key, look_seconds=0.01)
    first = asyncio.ensure_future(anext(found))
    await asyncio.sleep(0.03)
    key.write_bytes(b"key ")
    assert not first.done()
    certificate.write_bytes(b"one")
    assert await first == b"key one"
    second = asyncio.ensure_future(anext(found))
    await asyncio.sleep(0.03)
    assert not second.done()
    certificate.write_bytes(b"two")
    assert await second in (b"key ", b"key two")
    await found.aclose()
