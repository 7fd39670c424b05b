"""What is measured: each phase does something to the cluster, waits for its end, and returns its figures."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from performance import fleet
from performance.client import MERGE, USER_AGENT, Client, each
from performance.processes import Meter, used
from performance.trail import OPERATOR_AGENTS, Entry, Trail, counted, quantile

from devcluster import nodes
from devcluster.audit import audit_log
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api.names import API_VERSION, PLURAL
from haapp.children import KINDS
from haapp.status.reasons import READY, RECONCILING

Figures = dict[str, Any]

STATUS = f"{PLURAL}/status"
CHILDREN = frozenset(kind.plural for kind in KINDS)
TIMEOUT = 1800.0
READY_SECONDS = 60.0
BETWEEN_SECONDS = 0.6
LOOK_SECONDS = 2.0
"""Listing the apps takes of the API server that is being measured: seldom, and out of its memory."""

QUIET_SECONDS = 2.0
"""A phase has ended when the operator has written nothing for so long; the time is not counted."""


@dataclass(slots=True)
class Bench:
    """A cluster, a client for it, and the operator once it runs."""

    cluster: Cluster
    client: Client
    operator: Operator

    def trail(self) -> Trail:
        """The requests from now on."""
        return Trail(audit_log(self.cluster).path)

    def pid(self, component: str) -> int:
        """The process id of a part of the control plane."""
        if self.cluster.folder is None:
            raise ValueError("only an embedded cluster can be measured")
        return int((self.cluster.folder / "pids" / f"{component}.pid").read_text())

    def meter(self) -> Meter:
        """What the API server, etcd and the operator use from now on."""
        pids = {"apiserver": self.pid("kube-apiserver"), "etcd": self.pid("etcd")}
        if self.operator.is_running():
            pids["operator"] = self.operator.pid
        return Meter(pids)

    async def namespace(self, name: str) -> str:
        """A new namespace."""
        await self.client.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    async def post(self, obj: fleet.Object) -> None:
        """Create an object."""
        await self.client.send("POST", fleet.path(obj, collection=True), obj)

    async def change(self, obj: fleet.Object, **spec: Any) -> None:
        """Change fields of an app's spec."""
        await self.client.send("PATCH", fleet.path(obj), {"spec": spec}, MERGE)


def roomy(machine: nodes.Machine, pods: int) -> nodes.Machine:
    """A node like that one with room for so many pods."""
    return nodes.Machine(machine.name, machine.zone, cpu="512", memory="2048Gi", pods=str(pods))


async def create(bench: Bench, namespace: str, apps: list[fleet.Object], children: int) -> Figures:
    """New apps, all at once: from the first app's request to the last child's answer, and to the last status."""
    await bench.namespace(namespace)
    meter, trail = bench.meter(), bench.trail()
    await each(apps, bench.post)
    await trail.until(lambda entries: len(new_children(entries, namespace)) >= len(apps) * children, TIMEOUT)
    await _settled(bench, namespace)
    await trail.quiet(QUIET_SECONDS, TIMEOUT)
    made = new_children(trail.entries, namespace)
    begun = {e.key: e for e in trail.entries if e.verb == "create" and e.resource == PLURAL}
    first = min(entry.received for entry in begun.values())
    deployed = {e.key: e.answered for e in made if e.resource == "deployments"}
    latency = [deployed[key] - entry.answered for key, entry in begun.items()]
    return {
        "apps": len(apps),
        "seconds": round(max(entry.answered for entry in made) - first, 2),
        "seconds_observed": round(_last_write(trail) - first, 2),
        "latency_s": {"p50": round(quantile(latency, 0.5), 3), "p99": round(quantile(latency, 0.99), 3)},
        "latencies_s": _curve(latency),
        **_requests(trail, len(apps)),
        "used": meter.read(),
    }


async def edit(bench: Bench, apps: list[fleet.Object], image: str) -> Figures:
    """Another image for all apps: until the last Deployment has it, and until the operator has no more to write."""
    meter, trail = bench.meter(), bench.trail()
    await each(apps, lambda app: bench.change(app, app={**app["spec"]["app"], "image": image}))
    await trail.until(lambda entries: len(_patched(entries)) >= len(apps), TIMEOUT)
    await _settled(bench, apps[0]["metadata"]["namespace"])
    await trail.quiet(QUIET_SECONDS, TIMEOUT)
    first = min(entry.received for entry in trail.entries if entry.resource == PLURAL and entry.verb == "patch")
    last = max(entry.answered for entry in _patched(trail.entries))
    return {
        "apps": len(apps),
        "seconds": round(last - first, 2),
        "seconds_observed": round(_last_write(trail) - first, 2),
        **_requests(trail, len(apps)),
        "used": meter.read(),
    }


async def touch(bench: Bench, apps: list[fleet.Object]) -> Figures:
    """Events that ask for nothing: somebody's label on each app, and on each Deployment. (An annotation is another
    generation of a Deployment, which its controller has to look at before anybody may call it Ready.)"""
    meter, trail = bench.meter(), bench.trail()
    deployments = [obj for app in apps for obj in fleet.children(app) if obj["kind"] == "Deployment"]
    foreign = {"metadata": {"labels": {"bench": "touched"}}}
    await each([*apps, *deployments], lambda obj: bench.client.send("PATCH", fleet.path(obj), foreign, MERGE))
    await trail.quiet(QUIET_SECONDS, TIMEOUT)
    return {"apps": len(apps), **_requests(trail, len(apps)), "used": meter.read()}


async def rest(bench: Bench, apps: int, seconds: float) -> Figures:
    """Nothing happens."""
    meter, trail = bench.meter(), bench.trail()
    await asyncio.sleep(seconds)
    trail.read()
    return {"apps": apps, "seconds": seconds, **_requests(trail, apps), "used": meter.read()}


async def restart(bench: Bench, namespace: str, apps: int) -> Figures:
    """A new process with all apps in place and one that is new: until that one is served, and until all are seen."""
    bench.operator.stop()
    new = fleet.app(namespace, f"new-{time.time_ns()}")
    await bench.post(new)
    trail, began = bench.trail(), time.time()
    key = (namespace, new["metadata"]["name"])
    served = _the_deployment(key)
    await asyncio.to_thread(bench.operator.start)
    await trail.until(lambda entries: any(map(served, entries)), TIMEOUT)
    settled = await asyncio.to_thread(_until_visited, bench.operator, apps)
    await trail.quiet(QUIET_SECONDS, TIMEOUT)
    written = [entry for entry in trail.of_operator() if entry.is_write and entry.resource in (*CHILDREN, STATUS)]
    in_place = [entry for entry in written if not entry.name.startswith(key[1])]
    return {
        "apps": apps,
        "seconds_new_app": round(next(e.answered for e in trail.entries if served(e)) - began, 2),
        "seconds_settled": round(settled - began, 2),
        "writes_in_place": len(in_place),
        "requests": counted(trail.of_operator()),
        "used": {"operator": {"cpu_s": used(bench.operator.pid).cpu, "peak_rss_mb": used(bench.operator.pid).peak}},
    }


async def one_by_one(bench: Bench, namespace: str, number: int) -> Figures:
    """One new app at a time, then one edit at a time, the operator idle: from the API server's answer to the app's
    write to its answer to the Deployment's, in milliseconds."""
    await bench.namespace(namespace)
    apps = fleet.apps(namespace, number)
    created = [await _served(bench, app, lambda app=app: bench.post(app)) for app in apps]
    await asyncio.sleep(2 * QUIET_SECONDS)
    image = "example/web:edited"
    edited = [
        await _served(bench, app, lambda app=app: bench.change(app, app={**app["spec"]["app"], "image": image}))
        for app in apps
    ]
    return {"apps": number, "created_ms": _spread(created), "edited_ms": _spread(edited)}


async def storm(bench: Bench, apps: list[fleet.Object], replicas: int) -> Figures:
    """From no pod to many on a few apps."""
    meter, trail = bench.meter(), bench.trail()
    await each(apps, lambda app: bench.change(app, replicas=replicas))
    namespace = apps[0]["metadata"]["namespace"]
    began = time.monotonic()
    await _settled(bench, namespace)
    seconds = time.monotonic() - began
    await trail.quiet(QUIET_SECONDS, TIMEOUT)
    writes = Counter(entry.key for entry in trail.of_operator() if entry.resource == STATUS)
    return {
        "apps": len(apps),
        "replicas": replicas,
        "seconds": round(seconds, 1),
        "status_writes": {"mean": round(writes.total() / len(apps), 2), "max": max(writes.values(), default=0)},
        **_requests(trail, len(apps)),
        "used": meter.read(),
    }


async def _served(bench: Bench, app: fleet.Object, write: Callable[[], Any]) -> float:
    trail = bench.trail()
    await write()
    done = _the_deployment((app["metadata"]["namespace"], app["metadata"]["name"]))
    while not (answered := [e for e in trail.entries if done(e)]):
        await asyncio.sleep(0.02)
        trail.read()
    await trail.quiet(BETWEEN_SECONDS, TIMEOUT)
    asked = next(e for e in trail.entries if e.resource == PLURAL and not e.by_operator)
    return answered[0].answered - asked.answered


def _until_visited(operator: Operator, apps: int) -> float:
    """When every app has been visited and none waits, by the operator's own metrics."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        values = series(operator, "haapp_reconcile_total", "haapp_queue_depth")
        if values.get('haapp_reconcile_total{result="ok"}', 0) >= apps and not values.get("haapp_queue_depth"):
            return time.time()
        time.sleep(0.05)
    raise TimeoutError("the apps in place were not visited")


def series(operator: Operator, *metrics: str) -> dict[str, float]:
    """What these metrics of the operator say now, by name and labels as in Prometheus' text."""
    lines = (line for line in operator.metrics(*metrics).splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def _settled(bench: Bench, namespace: str) -> None:
    """Return when every app's status is of its newest generation, Ready, and nothing is still to come."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = await bench.client.get(f"/apis/{API_VERSION}/namespaces/{namespace}/{PLURAL}?resourceVersion=0")
        if all(map(_is_settled, found["items"])):
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise TimeoutError(f"the apps of {namespace} did not settle")


def _is_settled(app: fleet.Object) -> bool:
    status = app.get("status") or {}
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    seen = status.get("observedGeneration") == app["metadata"]["generation"]
    return seen and conditions.get(READY) == "True" and RECONCILING not in conditions


def new_children(entries: Iterable[Entry], namespace: str) -> list[Entry]:
    """The children that the operator, or the bench in its place, has made in a namespace: not what every one has."""
    made = (e for e in entries if e.namespace == namespace and e.agent.startswith((*OPERATOR_AGENTS, USER_AGENT)))
    return [e for e in made if e.resource in CHILDREN and e.code == 201]


def _last_write(trail: Trail) -> float:
    return max(entry.answered for entry in trail.of_operator() if entry.is_write)


def _patched(entries: Iterable[Entry]) -> list[Entry]:
    return [e for e in entries if e.by_operator and e.resource == "deployments" and e.verb == "patch"]


def _the_deployment(key: tuple[str, str]) -> Callable[[Entry], bool]:
    return lambda e: e.by_operator and e.resource == "deployments" and e.key == key and e.code < 300


def _requests(trail: Trail, apps: int) -> Figures:
    """The operator's requests: how many of each kind, and how many writes of each sort per app."""
    entries = trail.of_operator()
    writes = [entry for entry in entries if entry.is_write]
    sorts = {
        "children": [e for e in writes if e.resource in CHILDREN],
        "status": [e for e in writes if e.resource == STATUS],
        "events": [e for e in writes if e.resource == "events"],
        "reads": [e for e in entries if e.verb in ("get", "list") and e.resource],
    }
    return {
        "per_app": {name: round(len(of_it) / apps, 2) for name, of_it in sorts.items()},
        "requests": counted(entries),
        "failed": counted(e for e in entries if e.code >= 400),
    }


def _spread(seconds: list[float]) -> Figures:
    return {
        "p50": round(1000 * quantile(seconds, 0.5), 1),
        "p99": round(1000 * quantile(seconds, 0.99), 1),
        "max": round(1000 * max(seconds), 1),
        "all": [round(1000 * value, 1) for value in seconds],
    }


def _curve(values: list[float]) -> list[float]:
    """The values at each hundredth, from the least to the greatest."""
    return [round(quantile(values, n / 100), 4) for n in range(101)] if values else []
