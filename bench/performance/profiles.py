"""Where the CPU goes while apps are made: a sampling profile of the API server under each writer, and of the operator.
`make bench ARGS=--profile`; that of the API server needs Go on the PATH."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from performance import baseline, fleet
from performance.client import USER_AGENT, each
from performance.phases import QUIET_SECONDS, STATUS, TIMEOUT, Bench, Figures, new_children
from performance.processes import Meter
from performance.trail import OPERATOR_AGENTS, Entry, Trail

from haapp.api.names import KIND

SECONDS = 1
"""How long each sample of the API server is; one follows the other until all children are made."""

RATE = 200
"""Samples of the operator in a second."""

Stack = Sequence[str]
"""Functions, the innermost first."""

API_SERVER = (
    (
        "garbage collection",
        ("runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge"),
    ),
    ("watches: sending what has changed", ("(*WatchServer)",)),
    ("the apps and their statuses, by the CRD", ("(*crdHandler)", "pkg/registry/customresource.")),
    (
        "watch caches",
        (
            *("(*Reflector)", "cacher.(*watchCache)", "cacher.(*cacheWatcher)", "(*Cacher).dispatch"),
            *("etcd3.(*watchChan)", "etcd3.(*concurrentOrderedEventProcessing)"),
        ),
    ),
    ("ClusterIPs", ("service/ipallocator.", "(*Allocators)")),
    ("patches: server-side applies", ("(*applyPatcher)", "(*patcher)", "PatchResource")),
    ("creations, the controllers', too", ("createHandler",)),
    ("updates (the controllers')", ("UpdateResource",)),
    ("gets, lists, deletions", ("GetResource", "ListResource", "DeleteResource", "DeleteCollection")),
    ("the audit log", ("ProcessEvents", "audit.(*backend)")),
    ("the way to a handler: TLS, HTTP/2, filters", ("net/http.", "crypto/tls.", "golang.org/x/net/http2")),
    ("talking to etcd", ("google.golang.org/grpc", "go.etcd.io/etcd")),
    ("scheduling of goroutines", ("runtime.mcall", "runtime.schedule", "runtime.findRunnable", "runtime.systemstack")),
    ("the rest", ("",)),
)
"""What a stack belongs to: the first whose function it contains, as part of a name."""

OPERATOR = (
    ("watches: JSON, indices", ("kopf/_cogs", "haapp/cluster/following.py", "haapp/runtime/feed.py")),
    ("JSON of requests, HTTP of requests and watches", ("haapp/cluster/client.py", "aiohttp/")),
    ("rendering", ("haapp/render",)),
    ("reading the spec", ("haapp/api",)),
    ("judging the status", ("haapp/status", "haapp/placement")),
    ("the rest of the operator", ("haapp/reconcile", "haapp/cluster", "haapp/runtime", "haapp/children")),
    ("the event loop, sockets, TLS, threads", ("",)),
)

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
    await take("profile_own", own(bench, "own", fleet.apps("own", number, service=False)))


def _figures(name: str, service: bool) -> str:
    """What the figures are called."""
    return f"profile_{name}{'_services' if service else ''}"


async def writer(bench: Bench, apps: list[fleet.Object], requests: list[baseline.Request]) -> Figures:
    """A bare client that sends these; afterwards the apps among them are deleted, and the Services."""

    async def write() -> None:
        await each(requests, lambda request: bench.client.send(*request))

    figures = await _sampled(bench, apps, write)
    for obj in {obj["kind"]: obj for obj in [apps[0], *fleet.children(apps[0])]}.values():
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
    return {"apps": len(apps), "by": found}


@asynccontextmanager
async def spying(pid: int) -> AsyncIterator[dict[str, float]]:
    """Samples an operator; what is given has the seconds by cause at the end."""
    spy = Path(sys.executable).with_name("py-spy")
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        arguments = ("record", "--pid", str(pid), "--rate", str(RATE), "--native", "--format", "raw")
        to = ("--output", str(stacks))
        sampler = await asyncio.create_subprocess_exec(spy, *arguments, *to, stdout=asyncio.subprocess.DEVNULL)
        try:
            yield found
        finally:
            sampler.send_signal(signal.SIGINT)
            await sampler.wait()
        found.update(shares(OPERATOR, collapsed(stacks.read_text().splitlines())))


async def _sampled(bench: Bench, apps: list[fleet.Object], write: Callable[[], Awaitable[object]]) -> Figures:
    """What everybody took of the cores until all was made, and the API server for what."""
    namespace = await bench.namespace(apps[0]["metadata"]["namespace"])
    children = len(fleet.children(apps[0]))
    pids = {part: bench.pid(part) for part in PARTS} | {"bench": os.getpid()}
    if bench.operator.is_running():
        pids["operator"] = bench.operator.pid
    meter, trail = Meter(pids), bench.trail()
    began = time.monotonic()
    made: list[Entry] = []
    writing = asyncio.ensure_future(write())
    profiles: list[bytes] = []
    while not writing.done() or len(made := _made(trail, namespace)) < children * len(apps):
        if writing.done():
            writing.result()
        if time.monotonic() - began > TIMEOUT:
            raise TimeoutError(f"{len(made)} children after {TIMEOUT:.0f} s")
        async with bench.client.session.get(f"{bench.client.host}/debug/pprof/profile?seconds={SECONDS}") as answer:
            answer.raise_for_status()
            profiles.append(await answer.read())
    used, writes = meter.read(), _writes(trail)
    seconds = max(entry.answered for entry in made) - min(entry.received for entry in trail.entries)
    # Read afterwards: that takes of the same cores.
    sampled = [trace for profile in profiles for trace in await traces(profile)]
    return {
        "seconds": round(seconds, 1),
        "apps": len(apps),
        "children": children,
        "writes": writes,
        "cpu_s": {name: figures["cpu_s"] for name, figures in used.items()},
        "apiserver_by": shares(API_SERVER, sampled),
    }


def _writes(trail: Trail) -> dict[str, int]:
    """How many writes were answered meanwhile, by what they were for."""
    trail.read()
    return dict(Counter(map(_sort, filter(lambda entry: entry.is_write, trail.entries))))


def _sort(entry: Entry) -> str:
    if not entry.agent.startswith((*OPERATOR_AGENTS, USER_AGENT)):
        return "what the control plane makes of them"
    return "statuses and Events" if entry.resource in (STATUS, "events") else "apps and children"


def _made(trail: Trail, namespace: str) -> list[Entry]:
    trail.read()
    return new_children(trail.entries, namespace)


async def traces(profile: bytes) -> list[tuple[float, Stack]]:
    """The stacks of a Go profile and their seconds, as `go tool pprof` reads it."""
    with tempfile.NamedTemporaryFile(suffix=".pprof") as file:
        file.write(profile)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            "go",
            "tool",
            "pprof",
            "-traces",
            "-unit=ms",
            file.name,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        text, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"go tool pprof: {errors.decode()}")
    return list(_traces(text.decode().splitlines()))


def _traces(lines: Iterable[str]) -> Iterator[tuple[float, Stack]]:
    value = 0.0
    stack: list[str] = []
    for line in [*lines, "---"]:
        words = line.split()
        if line.startswith("---"):
            if stack:
                yield value, stack
            value, stack = 0.0, []
        elif words and words[0].endswith("ms") and words[0][0].isdigit():
            value, stack = float(words[0].removesuffix("ms")) / 1000, [" ".join(words[1:])]
        elif stack and words:
            stack.append(" ".join(words))


def collapsed(lines: Iterable[str]) -> Iterator[tuple[float, Stack]]:
    """The stacks that py-spy collapsed, and their seconds, without those of a thread that waits."""
    for line in lines:
        text, _, samples = line.rpartition(" ")
        stack = text.split(";")[::-1]
        pooled = "_worker (concurrent" in text and "run (concurrent" not in text
        if not pooled and "epoll_" not in stack[0]:
            yield int(samples) / RATE, stack


def shares(causes: Sequence[tuple[str, Sequence[str]]], stacks: Iterable[tuple[float, Stack]]) -> dict[str, float]:
    """Seconds by cause, the most first."""
    found: defaultdict[str, float] = defaultdict(float)
    for seconds, stack in stacks:
        found[_cause(causes, stack)] += seconds
    return {name: round(found[name], 2) for name in sorted(found, key=lambda name: -found[name])}


def _cause(causes: Sequence[tuple[str, Sequence[str]]], stack: Stack) -> str:
    whole = "\n".join(stack)
    return next((name for name, marks in causes if any(mark in whole for mark in marks)))


def markdown(results: Mapping[str, Any]) -> str:
    """The tables: the cores under each writer, the API server's part by cause, the operator's by its own."""
    tables = [line for service in (False, True) for line in _under_each(results, service)]
    return "\n".join([*tables, *_own(results["profile_own"]["by"])])


def _under_each(results: Mapping[str, Any], service: bool) -> Iterator[str]:
    names = {name: what for name, (what, _) in WRITERS.items()} | {"operator": "the operator"}
    told = {what: results[_figures(name, service)] for name, what in names.items()}
    any_of = told["the operator"]
    of_what = f"{any_of['apps']} apps of {any_of['children']} children, {'with' if service else 'without'} a Service"
    yield f"{of_what}; until all children are made, CPU in milliseconds per app.\n"
    yield _row("", list(told))
    yield _row("---", ["---:"] * len(told))
    yield _row("seconds", [f"{figures['seconds']:.0f}" for figures in told.values()])
    for sort in _most(figures["writes"] for figures in told.values()):
        counts = [figures["writes"].get(sort, 0) / figures["apps"] for figures in told.values()]
        yield _row(f"writes per app: {sort}", [f"{count:.1f}" for count in counts])
    spent = {"CPU of": [figures["cpu_s"] for figures in told.values()]}
    spent["API server:"] = [
        _whole(figures["apiserver_by"], figures["cpu_s"]["kube-apiserver"]) for figures in told.values()
    ]
    for title, columns in spent.items():
        for part in _most(columns):
            ms = [
                1000 * column.get(part, 0) / figures["apps"]
                for column, figures in zip(columns, told.values(), strict=True)
            ]
            yield _row(f"{title} {part}", [f"{value:.1f}" for value in ms])
    yield ""


def _whole(sampled: Mapping[str, float], used: float) -> dict[str, float]:
    """The parts as they are among the samples, of all that was used: between two samples there is a gap, and once in
    a while a sample has caught less."""
    return {part: seconds * used / sum(sampled.values()) for part, seconds in sampled.items()}


def _own(spent: Mapping[str, float]) -> Iterator[str]:
    """The operator's part by its own causes."""
    yield _row("the operator until every app had its status: where it was, when it was not asleep", ["samples"])
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
