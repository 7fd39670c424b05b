"""Where the CPU goes while apps are made: a sampling profile of the API server under each writer, and of the operator.
`make bench ARGS=--profile`; that of the API server needs Go on the PATH."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any

from performance import baseline, fleet, phases
from performance.client import USER_AGENT, each
from performance.phases import QUIET_SECONDS, READY_SECONDS, STATUS, TIMEOUT, Bench, Figures, new_children
from performance.processes import Meter
from performance.stacks import API_SERVER, RESTART, shares, spying, traces
from performance.trail import OPERATOR_AGENTS, Entry, Trail

from devcluster.shell import wait_for
from haapp.api.names import KIND

SECONDS = 1
"""How long each sample of the API server is; one follows the other until all children are made."""

WRITERS: dict[str, tuple[str, Callable[[fleet.Object], Iterable[baseline.Request]]]] = {
    "children": ("the bare writer: children alone", lambda app: map(baseline.created, fleet.children(app))),
    "apps": ("the apps, too", lambda app: map(baseline.created, [app, *fleet.children(app)])),
    "applied": ("the apps, and children by server-side apply", baseline.as_operator),
}
"""What each bare client sends for an app, without an operator."""

PARTS = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kwok-controller")


async def measure(bench: Bench, arguments: argparse.Namespace, take: Any) -> None:
    """Each writer in turn, on one cluster: without Services, whose cost on this API server hides the rest, then with
    them. The apps and Services of one writer are deleted before the next: a Service is dearer the more there are."""
    number = int(arguments.apps.split(",")[0])
    await baseline.warm(bench)
    for service in (False, True):
        for name, (_, requests_of) in WRITERS.items():
            apps = fleet.apps(_figures(name, service).replace("_", "-"), number, service=service)
            requests = [request for app in apps for request in requests_of(app)]
            await take(_figures(name, service), writer(bench, apps, requests))
    await baseline.start(bench)
    for service in (False, True):
        figures = _figures("operator", service)
        apps = fleet.apps(figures.replace("_", "-"), number, service=service)
        await take(figures, _sampled(bench, apps, lambda apps=apps: each(apps, bench.post)))
        await bench.trail().quiet(QUIET_SECONDS, TIMEOUT, everybody=True)
    await take("profile_own", own(bench, "own", fleet.apps("own", number)))
    await take("profile_restart", restarted(bench, "own", 3 * number))


def _figures(name: str, service: bool) -> str:
    """What the figures are called."""
    return f"profile_{name}{'_services' if service else ''}"


async def writer(bench: Bench, apps: list[fleet.Object], requests: list[baseline.Request]) -> Figures:
    """A bare client that sends these; afterwards the apps among them are deleted, and the Services."""

    async def write() -> None:
        await each(requests, lambda request: bench.client.send(*request))

    figures = await _sampled(bench, apps, write)
    for obj in [apps[0], *fleet.children(apps[0])]:
        if obj["kind"] in (KIND, "Service"):
            await bench.client.send("DELETE", fleet.path(obj, collection=True))
    await bench.trail().quiet(QUIET_SECONDS, TIMEOUT, everybody=True)
    return figures


async def own(bench: Bench, namespace: str, apps: list[fleet.Object]) -> Figures:
    """What the operator does with its CPU until it has told of every app. The sampler slows what it looks at, so
    nothing else is measured meanwhile."""
    await bench.namespace(namespace)
    async with spying(bench.operator.pid) as found:
        await each(apps, bench.post)
        await bench.trail().quiet(QUIET_SECONDS, TIMEOUT)
    return {"apps": len(apps), "children": len(fleet.children(apps[0])), "by": found}


async def restarted(bench: Bench, namespace: str, apps: int) -> Figures:
    """What a new process does with its CPU until it has visited all apps, but for its very first moment."""
    bench.operator.stop()
    async with asyncio.TaskGroup() as group:
        restart = group.create_task(phases.restart(bench, namespace, apps))
        await asyncio.to_thread(wait_for, bench.operator.is_running, READY_SECONDS, "a new operator", 0.01)
        async with spying(bench.operator.pid, RESTART, native=False) as found:
            await restart
    return {"apps": apps, "by": found}


async def _sampled(bench: Bench, apps: list[fleet.Object], write: Callable[[], Coroutine[Any, Any, object]]) -> Figures:
    """What everybody took of the cores until all was made, and the API server for what."""
    namespace = await bench.namespace(apps[0]["metadata"]["namespace"])
    children = len(fleet.children(apps[0]))
    pids = {part: bench.pid(part) for part in PARTS} | {"bench": os.getpid()}
    if bench.operator.is_running():
        pids["operator"] = bench.operator.pid
    meter, trail = Meter(pids), bench.trail()
    profiles: list[bytes] = []
    async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as group:
        writing = group.create_task(write())
        while not writing.done() or len(_made(trail, namespace)) < children * len(apps):
            profiles.append(await _profile(bench))
    used, made = meter.read(), new_children(trail.entries, namespace)
    seconds = max(entry.answered for entry in made) - min(entry.received for entry in trail.entries)
    writes = Counter(_purpose(entry) for entry in trail.entries if entry.is_write)
    # Read afterwards: that takes of the same cores.
    sampled = [trace for profile in profiles for trace in await traces(profile)]
    return {
        "seconds": round(seconds, 1),
        "apps": len(apps),
        "children": children,
        "writes": dict(writes),
        "cpu_s": {name: figures["cpu_s"] for name, figures in used.items()},
        "apiserver_by": shares(API_SERVER, sampled),
    }


async def _profile(bench: Bench) -> bytes:
    """What the API server's CPU did for the next SECONDS."""
    async with bench.client.session.get(f"{bench.client.host}/debug/pprof/profile?seconds={SECONDS}") as answer:
        answer.raise_for_status()
        return await answer.read()


def _purpose(entry: Entry) -> str:
    if not entry.agent.startswith((*OPERATOR_AGENTS, USER_AGENT)):
        return "what the control plane makes of them"
    return "statuses and Events" if entry.resource in (STATUS, "events") else "apps and children"


def _made(trail: Trail, namespace: str) -> list[Entry]:
    trail.read()
    return new_children(trail.entries, namespace)


def markdown(results: Mapping[str, Any]) -> str:
    """The tables: the cores under each writer, the API server's part by cause, the operator's by its own."""
    tables = [line for service in (False, True) for line in _under_each(results, service)]
    own, restarted = results["profile_own"], results["profile_restart"]
    of_what = f"{own['apps']} new apps of {own['children']} children"
    made = _own(f"the operator until each of {of_what} had its status", own["by"])
    again = _own(f"a new process with {restarted['apps']} apps in place", restarted["by"])
    return "\n".join([*tables, *made, "", *again])


def _under_each(results: Mapping[str, Any], service: bool) -> Iterator[str]:
    names = {name: what for name, (what, _) in WRITERS.items()} | {"operator": "the operator"}
    told = {what: results[_figures(name, service)] for name, what in names.items()}
    any_of = told["the operator"]
    of_what = f"{any_of['apps']} apps of {any_of['children']} children, {'with' if service else 'without'} a Service"
    yield f"{of_what}; until all children are made, CPU in milliseconds per app.\n"
    yield _row("", list(told))
    yield _row("---", ["---:"] * len(told))
    yield _row("seconds", [f"{figures['seconds']:.0f}" for figures in told.values()])
    for purpose in _most(figures["writes"] for figures in told.values()):
        counts = [figures["writes"].get(purpose, 0) / figures["apps"] for figures in told.values()]
        yield _row(f"writes per app: {purpose}", [f"{count:.1f}" for count in counts])
    yield from _spent("CPU of", told.values(), [figures["cpu_s"] for figures in told.values()])
    parts = [_whole(figures["apiserver_by"], figures["cpu_s"]["kube-apiserver"]) for figures in told.values()]
    yield from _spent("API server:", told.values(), parts)
    yield ""


def _spent(title: str, told: Iterable[Figures], columns: Sequence[Mapping[str, float]]) -> Iterator[str]:
    """A row for each part of the CPU seconds, in milliseconds for each app."""
    apps = [figures["apps"] for figures in told]
    for part in _most(columns):
        ms = [1000 * column.get(part, 0) / number for column, number in zip(columns, apps, strict=True)]
        yield _row(f"{title} {part}", [f"{value:.1f}" for value in ms])


def _whole(sampled: Mapping[str, float], used: float) -> dict[str, float]:
    """The parts as they are among the samples, of all that was used: between two samples there is a gap, and once in
    a while a sample has caught less."""
    return {part: seconds * used / sum(sampled.values()) for part, seconds in sampled.items()}


def _own(title: str, spent: Mapping[str, float]) -> Iterator[str]:
    """The operator's part by its own causes."""
    yield _row(f"{title}: where it was, when it was not asleep", ["samples"])
    yield _row("---", ["---:"])
    for part, seconds in spent.items():
        yield _row(part, [f"{100 * seconds / sum(spent.values()):.0f} %"])


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([name, *cells])} |"


def _most(counts: Iterable[Mapping[str, float]]) -> list[str]:
    """The names in all of them, the greatest first."""
    sums: defaultdict[str, float] = defaultdict(float)
    for count in counts:
        for name, value in count.items():
            sums[name] += value
    return sorted(sums, key=lambda name: -sums[name])
