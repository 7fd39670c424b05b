"""The operator's own endpoints, asked as the kubelet and Prometheus ask them."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from devcluster.process import free_port
from haapp.runtime import metrics
from haapp.runtime.endpoints import Endpoints

METRICS = free_port()
HEALTH = free_port()


class State:
    alive = True
    ready = False


@pytest.fixture
async def state() -> AsyncIterator[State]:
    found = State()
    endpoints = Endpoints(HEALTH, METRICS, alive=lambda: found.alive, ready=lambda: found.ready)
    await endpoints.start()
    yield found
    await endpoints.stop()


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_the_probes_say_what_is_so(state: State) -> None:
    assert (await ask(HEALTH, "/healthz"))[0] == 200
    assert (await ask(HEALTH, "/readyz"))[0] == 503
    state.alive, state.ready = False, True
    assert (await ask(HEALTH, "/healthz"))[0] == 503
    assert (await ask(HEALTH, "/readyz"))[0] == 200


async def test_metrics_may_be_asked_for_by_name(state: State) -> None:
    """With thousands of apps there are tens of thousands of series."""
    metrics.QUEUE_DEPTH.set(7)
    _, everything = await ask(METRICS, "/metrics")
    _, some = await ask(METRICS, "/metrics?name[]=haapp_queue_depth&name[]=haapp_reconcile_total")
    assert "haapp_queue_depth 7.0" in some
    assert "haapp_queue_oldest_seconds" in everything
    assert "haapp_queue_oldest_seconds" not in some
    assert (await ask(METRICS, "/metrics?name[]=unknown"))[1].strip() in ("", "# EOF")
