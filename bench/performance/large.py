"""Many apps and pods: how memory, time and CPU grow. `make bench ARGS='--large 10000'`."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping
from typing import Any

from performance import fleet, phases
from performance.client import each
from performance.phases import TIMEOUT, Bench, Figures

from devcluster import nodes
from haapp.api import names

SHARES = (0.1, 0.25, 0.5, 1.0)
"""Of the whole number: the points of the curve."""

PODS = 3
"""Pods of each app. They are made by the bench and bound to nodes at once: the operator keeps of them what it keeps of
any, and the controllers and the scheduler would need an hour for them on two cores."""

MACHINES = 12

QUIET_SECONDS = 5.0


async def measure(bench: Bench, arguments: argparse.Namespace, take: Any) -> None:
    """Rising numbers of apps without Services, then their pods, then a new process with all of it."""
    await asyncio.to_thread(bench.operator.start)
    await bench.namespace("large")
    total = 0
    for share in SHARES:
        size = int(arguments.large * share)
        apps = fleet.apps("large", size - total, service=False, first=total)
        await take(f"large_{size}", grow(bench, "large", apps, size))
        total = size
    await take("large_pods", pods(bench, "large", total))
    await take("large_restart", phases.restart(bench, "large", total))


async def grow(bench: Bench, namespace: str, apps: list[fleet.Object], size: int) -> Figures:
    """More apps, until all their children are there and the operator has no more to write."""
    meter, trail = bench.meter(), bench.trail()
    began = time.time()
    await each(apps, bench.post)
    await trail.quiet(QUIET_SECONDS, TIMEOUT)
    written = [entry for entry in trail.of_operator() if entry.is_write]
    seconds = max(entry.answered for entry in written) - began
    figures = meter.read()
    return {
        "apps": size,
        "new": len(apps),
        "seconds": round(seconds, 1),
        "cpu_ms_per_app": round(1000 * figures["operator"]["cpu_s"] / len(apps), 1),
        "rss_mb": figures["operator"]["rss_mb"],
        "used": figures,
    }


async def pods(bench: Bench, namespace: str, apps: int) -> Figures:
    """Ready pods for all apps."""
    machines = [phases.roomy(machine, 2 * apps * PODS // MACHINES) for machine in nodes.machines(MACHINES // 3)]
    await asyncio.to_thread(nodes.add_nodes, bench.cluster, *machines)
    meter, trail = bench.meter(), bench.trail()
    made = [(app, number) for app in range(apps) for number in range(PODS)]
    await each(made, lambda pod: _pod(bench, namespace, *pod, machines[sum(pod) % MACHINES].name))
    await trail.quiet(QUIET_SECONDS, TIMEOUT, everybody=True)  # kwok makes them ready one after the other
    figures = meter.read()
    return {"apps": apps, "pods": len(made), "rss_mb": figures["operator"]["rss_mb"], "used": figures}


def sizes(results: Mapping[str, Any]) -> list[Figures]:
    """The figures of `grow`, from the fewest apps to the most."""
    found = (figures for name, figures in results.items() if name.startswith("large_") and "new" in figures)
    return sorted(found, key=lambda figures: int(figures["apps"]))


async def _pod(bench: Bench, namespace: str, app: int, number: int, node: str) -> None:
    owner = f"app-{app:05}"
    labels = {
        names.LABEL_NAME: owner,
        names.LABEL_PART_OF: owner,
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_COMPONENT: names.COMPONENT_APP,
    }
    meta = {"name": f"{owner}-{number}", "labels": labels}
    spec = {"nodeName": node, "containers": [{"name": "app", "image": "example/web:1"}]}
    await bench.client.send("POST", f"/api/v1/namespaces/{namespace}/pods", {"metadata": meta, "spec": spec})
