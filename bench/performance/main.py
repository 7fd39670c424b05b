"""`make bench`: a fresh embedded cluster, a bare writer and the operator on it in one go; a table, JSON and plots."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable
from pathlib import Path

from performance import baseline, fleet, large, phases, plots, processes, profiles, table
from performance.client import Client
from performance.phases import Bench, Figures

from devcluster import cluster as clusters
from devcluster import nodes
from devcluster.process import Operator

ROOT = Path(__file__).parents[2]
CRDS = sorted((ROOT / "crds").glob("*.yaml"))
PREFIX = "bench-"
CONTROLLERS = {"kube-controller-manager": {"kube-api-qps": "100", "kube-api-burst": "200"}}
"""At the default of 20 requests a second the Deployment's controller needs minutes for what is made here in seconds."""
CHILDREN = 5


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", default="500,2000", help="sizes without pods, in rising order (%(default)s)")
    parser.add_argument("--no-service-apps", type=int, default=500, help="the same without Services (%(default)s)")
    parser.add_argument("--pod-apps", type=int, default=200, help="apps of three pods (%(default)s)")
    parser.add_argument("--storm-apps", type=int, default=20, help="apps that go from 0 to 30 pods (%(default)s)")
    parser.add_argument("--single", type=int, default=50, help="apps made and edited one at a time (%(default)s)")
    parser.add_argument("--rest", type=float, default=30.0, help="seconds of rest (%(default)s)")
    parser.add_argument("--large", type=int, default=0, help="instead: how cost grows up to so many apps")
    parser.add_argument("--profile", action="store_true", help="instead: where the CPU goes, by sampling profiles")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where the results go (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="small sizes, into build/bench: does it work?")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.apps, arguments.no_service_apps, arguments.pod_apps = "25,120", 25, 10
        arguments.storm_apps, arguments.single, arguments.rest = 2, 10, 5.0
        arguments.out = ROOT / "build" / "bench"
    return arguments


class Log:
    """Takes up the figures of each phase, and says that it is over."""

    def __init__(self) -> None:
        self.results: dict[str, Figures] = {}

    async def take(self, name: str, phase: Awaitable[Figures]) -> Figures:
        figures = self.results[name] = await phase
        print(f"{name}: {table.brief(figures)}", flush=True)
        return figures


async def measure(bench: Bench, arguments: argparse.Namespace, log: Log) -> None:
    """All phases, in an order in which none disturbs the next."""
    sizes = [int(size) for size in arguments.apps.split(",")]
    few = arguments.no_service_apps
    await baseline.warm(bench)
    await log.take("same_writes", baseline.same_writes(bench, "same", fleet.apps("same", sizes[0])))
    bare = fleet.apps("same-bare", few, service=False)
    await log.take("same_writes_no_services", baseline.same_writes(bench, "same-bare", bare))
    await baseline.start(bench)
    await log.take("one_by_one", phases.one_by_one(bench, "single", arguments.single))
    total = arguments.single
    apps = fleet.apps("apps", sizes[0])
    # The bare writer before and after: what there is already makes each creation dearer, above all of a Service.
    await log.take("floor", baseline.floor(bench, "floor", fleet.apps("floor", sizes[0])))
    await log.take(f"create_{sizes[0]}", phases.create(bench, "apps", apps, CHILDREN))
    total += len(apps)
    await log.take(f"restart_{total}", phases.restart(bench, "apps", total))
    total += 1
    await log.take("floor_after", baseline.floor(bench, "floor-after", fleet.apps("floor-after", sizes[0])))
    bare = fleet.apps("floor-bare", few, service=False)
    await log.take("floor_no_services", baseline.floor(bench, "floor-bare", bare))
    bare = fleet.apps("bare", few, service=False)
    await log.take("create_no_services", phases.create(bench, "bare", bare, CHILDREN - 1))
    bare = fleet.apps("floor-after-bare", few, service=False)
    await log.take("floor_after_no_services", baseline.floor(bench, "floor-after-bare", bare))
    total += few
    await log.take("edit", phases.edit(bench, apps, "example/web:2"))
    await log.take("rest", phases.rest(bench, total, arguments.rest))
    await log.take("touch", phases.touch(bench, apps))
    await log.take(f"restart_{total}", phases.restart(bench, "apps", total))
    total += 1
    for size in sizes[1:]:
        # So many more that there are `size` in all; without Services, whose cost is known by now.
        more = fleet.apps(f"to-{size}", max(0, size - total), service=False)
        await log.take(f"floor_{size}", baseline.floor(bench, f"floor-{size}", _renamed(more, f"floor-{size}")))
        await log.take(f"create_to_{size}", phases.create(bench, f"to-{size}", more, CHILDREN - 1))
        total += len(more)
        await log.take(f"restart_{size}", phases.restart(bench, "apps", total))
        total += 1
    await pods(bench, arguments, log)


async def pods(bench: Bench, arguments: argparse.Namespace, log: Log) -> None:
    """The phases with pods."""
    number, machines = 2 * 3 * arguments.pod_apps + 30 * arguments.storm_apps, 12
    trail = bench.trail()
    await asyncio.to_thread(
        nodes.add_nodes,
        bench.cluster,
        *(phases.roomy(machine, 2 * number // machines + 100) for machine in nodes.machines(machines // 3)),
    )
    await trail.quiet(phases.QUIET_SECONDS, phases.TIMEOUT)  # every app is told of the new zones
    with_pods = fleet.apps("pods", arguments.pod_apps, replicas=3)
    bare = fleet.apps("floor-pods", arguments.pod_apps, replicas=3)
    await log.take("floor_pods", baseline.floor(bench, "floor-pods", bare))
    await log.take("create_pods", phases.create(bench, "pods", with_pods, CHILDREN))
    await log.take("rollout", phases.edit(bench, with_pods, "example/web:2"))
    stormy = fleet.apps("storm", arguments.storm_apps)
    await log.take("create_storm", phases.create(bench, "storm", stormy, CHILDREN))
    await log.take("storm", phases.storm(bench, stormy, 30))


def _renamed(apps: list[fleet.Object], namespace: str) -> list[fleet.Object]:
    return [{**app, "metadata": {**app["metadata"], "namespace": namespace}} for app in apps]


async def run(arguments: argparse.Namespace) -> dict[str, Figures]:
    """Measure on a fresh cluster, and delete it."""
    name = f"{PREFIX}{os.getpid()}"
    clusters.delete_leftovers(PREFIX)
    log = Log()
    log.results["machine"] = processes.machine()
    with tempfile.TemporaryDirectory() as folder:
        cluster = await asyncio.to_thread(clusters.create, name, flags=CONTROLLERS)
        operator = Operator(cluster, Path(folder))
        try:
            await asyncio.to_thread(cluster.install_crds, *CRDS)
            client = await Client.connect(cluster)
            try:
                bench = Bench(cluster, client, operator)
                if arguments.profile:
                    await profiles.measure(bench, arguments, log.take)
                elif arguments.large:
                    await large.measure(bench, arguments, log.take)
                else:
                    await measure(bench, arguments, log)
            finally:
                await client.close()
        finally:
            operator.stop()
            clusters.delete(name)
    return log.results


def main() -> int:
    arguments = parse()
    results = asyncio.run(run(arguments))
    arguments.out.mkdir(parents=True, exist_ok=True)
    kept, page = arguments.out / "performance.json", arguments.out / "performance.md"
    apart = "large" if arguments.large else "profile" if arguments.profile else ""
    if apart:
        results[f"machine_{apart}"] = results.pop("machine")
    old = json.loads(kept.read_text()) if kept.exists() else {}
    others = {n: r for n, r in old.items() if apart or n.startswith(("large_", "profile_", "machine_"))}
    results = others | results
    kept.write_text(json.dumps(results, indent=1) + "\n")
    if "floor" in results:
        plots.draw(results, arguments.out)
        table.insert(page, "figures", table.markdown(results))
    if "profile_restart" in results:
        table.insert(page, "profile", profiles.markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
