"""What two shards of the operator cost beside one process: PYTHONPATH=operator:tools:bench python bench/shards.py.

The same fleet each time, on a fresh cluster: one process, two shards that pick out their own, and two for which the API
server does. Prints for each process the CPU seconds of each phase and the memory after it. The namespaces are chosen so
that either hash splits them evenly, so that the figures tell of the split, not of luck. With --profile: what each
process did while the apps were made, by a sampling profile, which slows it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from performance import fleet, processes
from performance.client import Client, each
from performance.main import CONTROLLERS, CRDS
from performance.phases import series
from performance.stacks import spying
from performance.trail import Trail

from devcluster import cluster as clusters
from devcluster.audit import audit_log
from devcluster.cluster import Cluster
from devcluster.process import EVERYWHERE, Operator
from haapp.api import names
from haapp.sharding import Shard

PREFIX = "shards-"
GATE = {"kube-apiserver": {"feature-gates": "ShardedListAndWatch=true"}}
MODES = {"one process": ("0/1",), "two shards": ("0/2", "1/2"), "two by the server": ("0/2:server", "1/2:server")}
TIMEOUT = 900.0
QUIET_SECONDS = 5.0
POLL_SECONDS = 2.0
PACED = 400
PACE_SECONDS = 0.1
"""At least so many apps are changed one after the other, which leaves the API server and the cores time in between."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured: apps in all, evenly in so many namespaces, with so many pods each."""

    apps: int
    namespaces: int
    replicas: int


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds, resident memory in MB, visits of apps and requests to the API server of one process."""

    cpu: float = 0.0
    rss: float = 0.0
    visits: float = 0.0
    requests: float = 0.0

    def since(self, then: Spent) -> Spent:
        """What was spent since then; memory is what it is now."""
        return Spent(self.cpu - then.cpu, self.rss, self.visits - then.visits, self.requests - then.requests)


def spent(operator: Operator) -> Spent:
    """What it has spent since its start."""
    used = processes.used(operator.pid)
    visits, requests = (
        sum(series(operator, m).values()) for m in ("haapp_reconcile_total", "haapp_api_requests_total")
    )
    return Spent(used.cpu, used.rss, visits, requests)


def halves(number: int) -> list[str]:
    """So many names of namespaces, a quarter for each pair of what the two hashes say."""
    quarters: dict[tuple[bool, bool], list[str]] = {}
    for candidate in map("{:03x}-team".format, range(4096)):
        pair = Shard(0, 2).serves(candidate), Shard(0, 2, by_server=True).serves(candidate)
        quarters.setdefault(pair, []).append(candidate)
    return [name for found in quarters.values() for name in islice(found, number // 4)]


@dataclass
class Run:
    """One way to serve a fleet, on a cluster of its own."""

    cluster: Cluster
    client: Client
    operators: list[Operator]
    sizes: Sizes

    async def measure(self) -> None:
        """All phases, and what each process used in each."""
        apps = await self._begin()
        await self._phase("create", apps, "example/web:1")
        await self._phase("another image", apps, "example/web:2")
        await self._phase("another, paced", apps[:: max(1, len(apps) // PACED)], "example/web:3", PACE_SECONDS)
        await asyncio.to_thread(self.stop)
        await self._started("restart")

    async def profile(self) -> None:
        """The creation alone: what each process did, and where its CPU went."""
        apps = await self._begin()
        async with AsyncExitStack() as stack:
            found = [await stack.enter_async_context(spying(operator.pid)) for operator in self.operators]
            told = await self._phase("create", apps, "example/web:1")
        for operator, own, by in zip(self.operators, told, found, strict=True):
            print(operator.name)
            for cause, seconds in by.items():
                print(f"  {own.cpu * seconds / sum(by.values()):6.2f} s  {cause}", flush=True)

    async def _begin(self) -> list[fleet.Object]:
        """Start the operators; the apps to make."""
        spaces = halves(self.sizes.namespaces)
        await each(spaces, self._namespace)
        await self._started("start without apps")
        few = self.sizes.apps // len(spaces)
        return [app for space in spaces for app in fleet.apps(space, few, replicas=self.sizes.replicas)]

    async def _namespace(self, name: str) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await self.client.send("POST", "/api/v1/namespaces", body)

    async def _started(self, phase: str) -> None:
        trail = Trail(audit_log(self.cluster).path)
        await asyncio.gather(*(asyncio.to_thread(operator.start) for operator in self.operators))
        await trail.quiet(QUIET_SECONDS, TIMEOUT)
        self._tell(phase, [Spent()] * len(self.operators))

    async def _phase(self, phase: str, apps: list[fleet.Object], image: str, pace: float = 0.0) -> list[Spent]:
        """Have the apps run this image, all at once or one every `pace` seconds, and wait until the operator has
        nothing more to say; what each process spent on it."""
        before = [spent(operator) for operator in self.operators]
        trail = Trail(audit_log(self.cluster).path)

        async def apply(app: fleet.Object) -> None:
            app["spec"]["app"]["image"] = image
            path = f"{fleet.path(app)}?fieldManager=bench&force=true"
            await self.client.send("PATCH", path, orjson.dumps(app), "application/apply-patch+yaml")

        if pace:
            await asyncio.gather(*(_later(number * pace, apply, app) for number, app in enumerate(apps)))
        else:
            await each(apps, apply)
        await self._settled()
        await trail.quiet(QUIET_SECONDS, TIMEOUT)
        return self._tell(phase, before)

    async def _settled(self) -> None:
        for _ in range(int(TIMEOUT / POLL_SECONDS)):
            stored = (await self.client.get(f"/apis/{names.API_VERSION}/{names.PLURAL}"))["items"]
            if all(map(_is_told_of, stored)):
                return
            await asyncio.sleep(POLL_SECONDS)
        raise TimeoutError(f"not every app has a status of its generation after {TIMEOUT:.0f} s")

    def _tell(self, phase: str, before: list[Spent]) -> list[Spent]:
        told = [spent(operator).since(then) for operator, then in zip(self.operators, before, strict=True)]
        for operator, own in zip(self.operators, told, strict=True):
            print(
                f"{phase:20} {operator.name:12} CPU {own.cpu:6.2f} s  RSS {own.rss:6.1f} MB  "
                f"visits {own.visits:6.0f}  requests {own.requests:6.0f}",
                flush=True,
            )
        return told

    def stop(self) -> None:
        for operator in self.operators:
            operator.stop()


async def _later(seconds: float, write: Callable[[fleet.Object], Awaitable[None]], app: fleet.Object) -> None:
    await asyncio.sleep(seconds)
    await write(app)


def _is_told_of(app: dict[str, Any]) -> bool:
    return bool((app.get("status") or {}).get("observedGeneration") == app["metadata"]["generation"])


async def run(mode: str, shards: Iterable[str], sizes: Sizes, *, profile: bool) -> None:
    """Measure one way on a fresh cluster, and delete it."""
    name = f"{PREFIX}{os.getpid()}"
    print(f"{mode}; load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        cluster = await asyncio.to_thread(clusters.create, name, flags=CONTROLLERS | GATE)
        operators = [
            Operator(cluster, Path(folder), shard.replace("/", "-of-"), (*EVERYWHERE, f"--shard={shard}"))
            for shard in shards
        ]
        try:
            await asyncio.to_thread(cluster.install_crds, *CRDS)
            client = await Client.connect(cluster)
            measured = Run(cluster, client, operators, sizes)
            try:
                await (measured.profile() if profile else measured.measure())
            finally:
                measured.stop()
                await client.close()
        finally:
            clusters.delete(name)
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", type=int, default=300, help="in all (%(default)s)")
    parser.add_argument("--namespaces", type=int, default=20, help="a multiple of 4 (%(default)s)")
    parser.add_argument("--replicas", type=int, default=0, help="pods of each app; there are no nodes (%(default)s)")
    parser.add_argument("--profile", action="store_true", help="instead: what each process does while apps are made")
    arguments = parser.parse_args()
    sizes = Sizes(arguments.apps, arguments.namespaces, arguments.replicas)
    clusters.delete_leftovers(PREFIX)
    for mode, shards in MODES.items():
        asyncio.run(run(mode, shards, sizes, profile=arguments.profile))


if __name__ == "__main__":
    main()
