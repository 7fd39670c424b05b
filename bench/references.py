"""What it costs that apps refer to ConfigMaps and Secrets: PYTHONPATH=operator:tools:bench python bench/references.py.

Each namespace has one app, first without references, then with one to a ConfigMap and one to a Secret: two watches for
each namespace. Prints the operator's open files (connections, most of them), its memory and CPU, and how long it took
until nobody asked for anything any more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from performance import fleet, processes
from performance.client import Client, each
from performance.main import CONTROLLERS, CRDS
from performance.phases import Bench
from performance.trail import Trail

from devcluster import cluster as clusters
from devcluster.process import Operator

PREFIX = "references-"
TIMEOUT = 900.0
QUIET_SECONDS = 5.0
VOLUMES = [
    {"name": "settings", "configMap": {"name": "settings", "optional": True}},
    {"name": "keys", "secret": {"secretName": "keys", "optional": True}},
]


async def measure(bench: Bench, number: int) -> None:
    """All steps, on a cluster whose operator runs."""
    apps = [fleet.app(f"team-{n:04}", "web", service=False) for n in range(number)]
    await each(apps, lambda app: bench.namespace(app["metadata"]["namespace"]))
    trail = bench.trail()
    await each(apps, bench.post)
    await told(bench, trail, "without references")
    await each(apps, lambda app: bench.change(app, pod={"volumes": VOLUMES}))
    await told(bench, trail, "with two each")
    await asyncio.to_thread(bench.operator.stop)
    began = time.monotonic()
    await asyncio.to_thread(bench.operator.start)
    await told(bench, trail, "a new process", began)
    await each(apps, lambda app: bench.change(app, pod=None))
    await told(bench, trail, "without references again")


async def told(bench: Bench, trail: Trail, step: str, began: float | None = None) -> None:
    """Wait until nobody asks for anything any more, and print what the operator has come to."""
    began = time.monotonic() if began is None else began
    await trail.quiet(QUIET_SECONDS, TIMEOUT, everybody=True)
    begun = (entry for entry in trail.of_operator() if entry.verb == "watch")
    watches = sum(entry.resource in ("configmaps", "secrets") for entry in begun)
    used = processes.used(bench.operator.pid)
    print(
        f"{step:26} {open_files(bench.operator.pid):5} open files, {watches:5} watches begun, RSS {used.rss:6.1f} MB, "
        f"CPU so far {used.cpu:6.2f} s, {time.monotonic() - began - QUIET_SECONDS:5.1f} s",
        flush=True,
    )


def open_files(pid: int) -> int:
    """How many files the process has open: connections, most of them."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


async def run(number: int) -> None:
    """Measure on a fresh cluster, and delete it."""
    name = f"{PREFIX}{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        cluster = await asyncio.to_thread(clusters.create, name, flags=CONTROLLERS)
        operator = Operator(cluster, Path(folder))
        try:
            await asyncio.to_thread(cluster.install_crds, *CRDS)
            await asyncio.to_thread(operator.start)
            client = await Client.connect(cluster)
            try:
                await measure(Bench(cluster, client, operator), number)
            finally:
                await client.close()
        finally:
            operator.stop()
            clusters.delete(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--namespaces", type=int, default=300, help="one app in each (%(default)s)")
    clusters.delete_leftovers(PREFIX)
    asyncio.run(run(parser.parse_args().namespaces))


if __name__ == "__main__":
    main()
