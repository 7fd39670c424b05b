"""Sampled stacks: of an operator by py-spy, of a Go process by `go tool pprof`, and what each of them belongs to."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

RATE = 200
"""Samples of the operator in a second."""

Stack = Sequence[str]
"""Functions, the innermost first."""

Causes = Sequence[tuple[str, Sequence[str]]]
"""What a stack belongs to: the first whose function it contains, as part of a name."""

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

OPERATOR = (
    ("watches: JSON, indices", ("kopf/_cogs", "haapp/cluster/following.py", "haapp/runtime/feed.py")),
    ("JSON of requests, HTTP of requests and watches", ("haapp/cluster/client.py", "aiohttp/")),
    ("rendering", ("haapp/render",)),
    ("reading the spec", ("haapp/api",)),
    ("judging the status", ("haapp/status", "haapp/placement")),
    ("the rest of the operator", ("haapp/reconcile", "haapp/cluster", "haapp/runtime", "haapp/children")),
    ("the event loop, sockets, TLS, threads", ("",)),
)

RESTART = (
    ("Python's start: imports", ("_find_and_load",)),
    ("lists: what is kept of each object", ("haapp/runtime/feed.py",)),
    ("rendering, and compiling its templates", ("haapp/render",)),
    ("comparing with what is there", ("haapp/children",)),
    ("reading each app", ("haapp/api/parse.py", "haapp/cluster/seen.py", "haapp/status/previous.py")),
    ("judging the status", ("haapp/status", "haapp/placement")),
    ("the rest of the visits", ("haapp/reconcile", "haapp/runtime/workers.py")),
    ("lists: JSON", ("haapp/api/jsontext.py",)),
    ("lists: HTTP and Kopf", ("kopf/_cogs", "haapp/cluster", "aiohttp/")),
    ("the event loop, sockets, TLS, threads", ("",)),
)
"""The same of a process that has just begun: it lists what there is, and visits each app once."""


@asynccontextmanager
async def spying(pid: int, causes: Causes = OPERATOR, *, native: bool = True) -> AsyncIterator[dict[str, float]]:
    """Samples an operator; what is given has the seconds by cause at the end. `native` looks into libraries, too, and
    so tells who waits from who works; it slows a process that is always busy to a third of its speed."""
    spy = Path(sys.executable).with_name("py-spy")
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        arguments = ["record", "--pid", str(pid), "--rate", str(RATE), "--format", "raw", "--output", str(stacks)]
        if native:
            arguments.append("--native")
        sampler = await asyncio.create_subprocess_exec(spy, *arguments, stdout=asyncio.subprocess.DEVNULL)
        try:
            yield found
        finally:
            sampler.send_signal(signal.SIGINT)
            await sampler.wait()
        found.update(shares(causes, collapsed(stacks.read_text().splitlines())))


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


def shares(causes: Causes, stacks: Iterable[tuple[float, Stack]]) -> dict[str, float]:
    """Seconds by cause, the most first."""
    found: defaultdict[str, float] = defaultdict(float)
    for seconds, stack in stacks:
        found[_cause(causes, stack)] += seconds
    return {name: round(found[name], 2) for name in sorted(found, key=lambda name: -found[name])}


def _cause(causes: Causes, stack: Stack) -> str:
    whole = "\n".join(stack)
    return next((name for name, marks in causes if any(mark in whole for mark in marks)))
