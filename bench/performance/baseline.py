"""What the API server takes by itself, before there is an operator: a bare client makes what the operator would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import orjson
from performance import fleet
from performance.client import APPLY, each
from performance.phases import QUIET_SECONDS, READY_SECONDS, TIMEOUT, Bench, Figures

from devcluster.shell import wait_for

APPLIED = "?fieldManager=bench&force=true&fieldValidation=Ignore"

Request = tuple[str, str, bytes, str]
"""Method, path, body and content type."""


async def floor(bench: Bench, namespace: str, apps: list[fleet.Object]) -> Figures:
    """The bare writer: the children of the apps, by plain creates of ready-made bodies, and nothing else."""
    # App by app, as the operator meets them.
    return await _sent(bench, namespace, apps, [created(obj) for app in apps for obj in fleet.children(app)])


async def same_writes(bench: Bench, namespace: str, apps: list[fleet.Object]) -> Figures:
    """The same with what comes of the apps themselves: they are created, and their children are made by server-side
    apply. The apps are deleted at the end, before there is an operator."""

    async def delete() -> None:
        await bench.client.send("DELETE", fleet.path(apps[0], collection=True))

    return await _sent(bench, namespace, apps, [request for app in apps for request in as_operator(app)], delete)


async def warm(bench: Bench) -> None:
    """The API server builds what it needs for server-side applies of a kind at the first of them, in a tenth of a
    second or more: one that serves a cluster has done so long ago."""
    for obj in fleet.children(fleet.app("default", "warm")):
        await bench.client.send("PATCH", f"{fleet.path(obj)}?dryRun=All&fieldManager=warm", obj, APPLY)


async def start(bench: Bench) -> None:
    """The operator, until it has seen all there is and is at rest."""
    await asyncio.to_thread(bench.operator.start)
    await asyncio.to_thread(wait_for, bench.operator.is_ready, READY_SECONDS, "an operator that is ready")
    await asyncio.sleep(QUIET_SECONDS)


async def _sent(
    bench: Bench,
    namespace: str,
    apps: list[fleet.Object],
    requests: list[Request],
    tidy: Callable[[], Awaitable[None]] | None = None,
) -> Figures:
    """Send them in a new namespace, tidy up, and wait for the controllers, who are not done with them then."""
    await bench.namespace(namespace)
    meter = bench.meter()
    seconds = await each(requests, lambda request: bench.client.send(*request))
    used = meter.read()
    if tidy:
        await tidy()
    await bench.trail().quiet(QUIET_SECONDS, TIMEOUT, everybody=True)
    return {"apps": len(apps), "requests": len(requests), "seconds": round(seconds, 2), "used": used}


def created(obj: fleet.Object) -> Request:
    """A plain creation."""
    return "POST", fleet.path(obj, collection=True), orjson.dumps(obj), "application/json"


def as_operator(app: fleet.Object) -> Iterator[Request]:
    """The app's creation, and its children as the operator makes them."""
    yield created(app)
    for obj in fleet.children(app):
        yield "PATCH", f"{fleet.path(obj)}{APPLIED}", orjson.dumps(obj), APPLY
