"""Random layouts, what the model says of each, and what the real kube-scheduler does with it.

Several layouts share a cluster: each has its own nodes, told by a label and a taint, and its own app. A layout is hard
if its spread over zones is DoNotSchedule, else soft.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from devcluster.cluster import Cluster, wait_for
from devcluster.config import RUNNING_LABEL
from haapp.api import App, parse_app
from haapp.api.names import API_VERSION, COMPONENT_CACHE, HOSTNAME_KEY, KIND, LABEL_COMPONENT, ZONE_KEY
from haapp.render import Environment, render
from haapp.simulation.layout import Layout, place
from haapp.simulation.machines import machine_of
from haapp.simulation.outcomes import outcomes
from haapp.simulation.scene import Group
from haapp.simulation.shapes import shape_of
from haapp.simulation.workloads import REVISION, workloads_of

Object = dict[str, Any]
KEY = "test.highavailability.dev/layout"
EFFORT = 4_000_000


@dataclass(frozen=True)
class Case:
    """One layout: its nodes, the pods of others on them, the app."""

    name: str
    hard: bool
    nodes: list[Object]
    others: list[Object]
    app: App
    facts: str
    templates: dict[str, tuple[Object, int]] = field(default_factory=dict)
    """Pod template and replicas by component, the cache first."""


@dataclass(frozen=True)
class Seen:
    """Where the app's pods are: numbers by zone, how many stay Pending, and what the scheduler says of those."""

    zones: tuple[tuple[str, int], ...]
    pending: int
    message: str = ""


def case(seed: int, namespace: str) -> Case:
    """The layout of that seed."""
    rng = random.Random(seed)  # noqa: S311  (a test's layouts, not a secret)
    name = f"l{seed}"
    nodes = list(_nodes(rng, name))
    spec = _spec(rng, name)
    obj = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    app = parse_app(obj)
    crowded = rng.random() < 0.5
    others = [_filler(rng, node, at, namespace) for at, node in enumerate(nodes) if crowded and rng.random() < 0.4]
    hard = (spec.get("zones") or {}).get("whenUnsatisfiable") == "DoNotSchedule"
    shown = {key: value for key, value in spec.items() if key not in ("app", "pod")}
    made = Case(name, hard, nodes, others, app, json.dumps(shown))
    for deployment in render(app).objects:
        if deployment["kind"] == "Deployment":
            component = deployment["metadata"]["labels"][LABEL_COMPONENT]
            made.templates[component] = (deployment["spec"]["template"], int(deployment["spec"]["replicas"]))
    return made


def _nodes(rng: random.Random, name: str) -> Iterator[Object]:
    """Half of the layouts have equal nodes, so that lots are drawn; the others have nodes of all kinds."""
    equal = {"cpu": "4", "memory": "8Gi", "pods": "110"} if rng.random() < 0.5 else None
    each = rng.randint(1, 3) if equal and rng.random() < 0.7 else None
    for zone in range(rng.randint(1, 4)):
        for number in range(each or rng.randint(1, 3)):
            node = f"{name}-{'abcd'[zone]}{number}"
            amounts = equal or {
                "cpu": str(rng.choice((1, 2, 4, 8))),
                "memory": f"{rng.choice((1, 2, 8))}Gi",
                "pods": str(rng.choice((2, 3, 110, 110))),
            }
            labels = {HOSTNAME_KEY: node, ZONE_KEY: f"{name}-{'abcd'[zone]}", KEY: name, RUNNING_LABEL: "running"}
            if rng.random() < (0.1 if each else 0.3):
                labels["disk"] = "ssd"
            taints = [{"key": KEY, "value": name, "effect": "NoSchedule"}]
            if rng.random() < (0.03 if each else 0.2):
                taints.append({"key": "spare", "value": "", "effect": rng.choice(("NoSchedule", "PreferNoSchedule"))})
            spec = {"taints": taints} | ({"unschedulable": True} if rng.random() < (0.03 if each else 0.08) else {})
            yield {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": node, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
                "spec": spec,
                "status": {"allocatable": amounts, "capacity": amounts},
            }


def _spec(rng: random.Random, name: str) -> Object:
    hard = rng.random() < 0.65
    zones: Object = {
        "maxSkew": rng.choice((1, 1, 2)),
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
    }
    if hard and rng.random() < 0.4:
        zones["minDomains"] = rng.randint(1, 3)
    requests = {"cpu": f"{rng.choice((50, 300, 700))}m", "memory": f"{rng.choice((64, 300))}Mi"}
    pod: Object = {"nodeSelector": {KEY: name}, "tolerations": [{"key": KEY, "value": name}]}
    if rng.random() < 0.3:
        pod["tolerations"].append({"key": "spare", "operator": "Exists"})
    if rng.random() < 0.3:
        strength, term = rng.choice((REQUIRED, PREFERRED))
        pod["affinity"] = {"nodeAffinity": {strength: term}}
    return {
        "replicas": rng.randint(1, 8),
        "app": {"image": "shop:1", **({"resources": {"requests": requests}} if rng.random() < 0.8 else {})},
        **({"zones": zones} if hard or rng.random() < 0.7 else {}),
        "nodes": {
            "antiAffinity": rng.choice(("Required", "Preferred", "Preferred", "None")),
            "whenUnsatisfiable": rng.choice(("ScheduleAnyway", "ScheduleAnyway", "DoNotSchedule")),
            "maxSkew": rng.choice((1, 2)),
        },
        **({"cache": _cache(rng)} if rng.random() < 0.3 else {}),
        "pod": pod,
    }


_SSD = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
REQUIRED = ("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": [_SSD]})
PREFERRED = ("preferredDuringSchedulingIgnoredDuringExecution", [{"weight": 50, "preference": _SSD}])


def _cache(rng: random.Random) -> Object:
    return {
        "colocate": rng.choice(("Node", "Zone")),
        "whenUnsatisfiable": rng.choice(("DoNotSchedule", "ScheduleAnyway")),
        "redis": {"replicas": rng.randint(1, 3), "maxMemory": "32Mi"},
    }


def _filler(rng: random.Random, node: Object, index: int, namespace: str) -> Object:
    requests = {"cpu": f"{rng.choice((100, 500))}m", "memory": f"{rng.choice((100, 500))}Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"other-{node['metadata']['name']}-{index}", "namespace": namespace},
        "spec": {
            "nodeName": node["metadata"]["name"],
            "containers": [{"name": "main", "image": "other:1", "resources": {"requests": requests}}],
            "tolerations": [{"operator": "Exists"}],
        },
    }


def predict(one: Case, all_nodes: Sequence[Object]) -> tuple[frozenset[Seen], Layout]:
    """Everything that may come of a layout (without messages), and one possibility with its message."""
    machines = [machine_of(_settled(node)) for node in all_nodes]
    others = [Group(shape_of(pod), pod["spec"]["nodeName"]) for pod in one.others]
    layout = place(machines, others, workloads_of(one.app, Environment()))
    found = outcomes(layout, EFFORT)
    assert found.complete, one.facts
    return frozenset(Seen(_own(zones, one.name), pending) for zones, pending in found.found), layout


def _settled(node: Object) -> Object:
    return {**node, "status": {**node["status"], "conditions": [{"type": "Ready", "status": "True"}]}}


def _own(zones: Iterable[tuple[str, int]], name: str) -> tuple[tuple[str, int], ...]:
    return tuple((zone, number) for zone, number in zones if zone.startswith(f"{name}-"))


def observe(cluster: Cluster, namespace: str, cases: Sequence[Case]) -> dict[str, Seen]:
    """What the real scheduler makes of the layouts, side by side; all is removed again."""
    cluster.kubectl("create", "namespace", namespace)
    nodes = [node for one in cases for node in one.nodes]
    try:
        wait_for(lambda: cluster.kubectl("get", "serviceaccount", "default", "-n", namespace), 60, "a service account")
        _create(cluster, nodes)
        names = {node["metadata"]["name"] for node in nodes}
        wait_for(lambda: names <= set(_untainted(cluster)), 120, "Ready on all nodes of the layouts")
        _create(cluster, [pod for one in cases for pod in one.others])
        for component in (COMPONENT_CACHE, "app"):
            wanted = [pod for one in cases for pod in _pods(one, component, namespace)]
            _create(cluster, wanted)
            _wait_for_decisions(cluster, namespace, len(wanted), component)
        pods = cluster.get("pods", "-n", namespace, "-l", f"{LABEL_COMPONENT}=app")["items"]
        return {one.name: _seen(one, pods) for one in cases}
    finally:
        # One request for all: kubectl would delete one by one.
        cluster.kubectl("delete", "--raw", f"/api/v1/namespaces/{namespace}/pods?gracePeriodSeconds=0", timeout=300)
        cluster.kubectl("delete", "--raw", f"/api/v1/nodes?labelSelector={quote(KEY)}", timeout=300)
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _create(cluster: Cluster, objects: Sequence[Object]) -> None:
    if objects:
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        cluster.kubectl("create", "-f", "-", stdin=body, timeout=300)


def _untainted(cluster: Cluster) -> Iterator[str]:
    """Nodes with no taint but the layouts' own, and whose cordon has got its taint."""
    for node in cluster.get("nodes", "-l", KEY)["items"]:
        keys = {taint["key"] for taint in node["spec"].get("taints") or ()}
        cordoned = "node.kubernetes.io/unschedulable" in keys
        ready = any(it["type"] == "Ready" and it["status"] == "True" for it in node["status"].get("conditions") or ())
        settled = keys <= {KEY, "spare", "node.kubernetes.io/unschedulable"}
        if ready and settled and cordoned == bool(node["spec"].get("unschedulable")):
            yield node["metadata"]["name"]


def _pods(one: Case, component: str, namespace: str) -> Iterator[Object]:
    template, replicas = one.templates.get(component, ({}, 0))
    for number in range(replicas):
        labels = {**template["metadata"]["labels"], "pod-template-hash": REVISION, KEY: one.name}
        spec = {**template["spec"], "serviceAccountName": "default"}
        name = f"{one.name}-{component}-{number}"
        meta = {"name": name, "namespace": namespace, "labels": labels}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _wait_for_decisions(cluster: Cluster, namespace: str, count: int, component: str) -> None:
    """Until each pod has a node or has been refused, and nothing has changed for a moment."""
    before: list[str] = []

    def settled() -> bool:
        nonlocal before
        pods = cluster.get("pods", "-n", namespace, "-l", f"{LABEL_COMPONENT}={component}")["items"]
        now = sorted(f"{pod['metadata']['name']} {pod['spec'].get('nodeName')}" for pod in pods)
        same, before = now == before, now
        return same and len(pods) == count and all(pod["spec"].get("nodeName") or _refusal(pod) for pod in pods)

    wait_for(settled, 180, f"a decision on {count} pods", every=1)


def _refusal(pod: Object) -> str:
    for condition in pod["status"].get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return str(condition["message"])
    return ""


def _seen(one: Case, all_pods: Iterable[Object]) -> Seen:
    homes = {node["metadata"]["name"]: node["metadata"]["labels"][ZONE_KEY] for node in one.nodes}
    pods = [pod for pod in all_pods if pod["metadata"]["labels"][KEY] == one.name]
    numbers = Counter(dict.fromkeys(homes.values(), 0))
    numbers.update(homes[pod["spec"]["nodeName"]] for pod in pods if pod["spec"].get("nodeName"))
    refused = [_refusal(pod) for pod in pods if not pod["spec"].get("nodeName")]
    return Seen(tuple(sorted(numbers.items())), len(refused), refused[0] if refused else "")


@dataclass
class Verdicts:
    """How many layouts agreed, and what those were that did not."""

    hard: int = 0
    soft: int = 0
    agreed: Counter[str] = field(default_factory=Counter)
    certain: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    same_message: int = 0
    apart: list[str] = field(default_factory=list)
    """The hard cases that differ."""
    apart_soft: list[str] = field(default_factory=list)
    other_messages: list[str] = field(default_factory=list)

    def add(self, one: Case, possible: frozenset[Seen], layout: Layout, seen: Seen) -> None:
        """Compare one layout: the feasible number and the numbers by zone must be among what the model foretells."""
        kind = "hard" if one.hard else "soft"
        agrees = Seen(seen.zones, seen.pending) in possible
        self.hard, self.soft = self.hard + one.hard, self.soft + (not one.hard)
        self.agreed[kind] += agrees
        self.certain[kind] += agrees and len(possible) == 1
        if not agrees:
            told = " or ".join(f"{dict(it.zones)} pending {it.pending}" for it in sorted(possible, key=str))
            text = f"{one.name}: seen {dict(seen.zones)} pending {seen.pending}, foretold {told}; {one.facts}"
            (self.apart if one.hard else self.apart_soft).append(text)
        elif seen.message and layout.app.message and len(possible) == 1:
            self.messages += 1
            same = seen.message.startswith(layout.app.message)
            self.same_message += same
            if not same:
                self.other_messages.append(f"{one.name}: {seen.message!r}, foretold {layout.app.message!r}")

    def lines(self) -> Iterator[str]:
        """For people."""
        for kind, count in (("hard", self.hard), ("soft", self.soft)):
            yield (
                f"{kind}: {self.agreed[kind]} of {count} as foretold "
                f"({self.certain[kind]} of them the only outcome possible)"
            )
        yield f"messages of pending pods: {self.same_message} of {self.messages} word for word"
        yield from (f"APART {text}" for text in (*self.apart, *self.apart_soft))
        yield from (f"MESSAGE {text}" for text in self.other_messages)


def compare(cluster: Cluster, seeds: Sequence[int], batch: int = 25) -> Verdicts:
    """Run the layouts of the seeds through both."""
    verdicts = Verdicts()
    standing = cluster.get("nodes")["items"]
    for start in range(0, len(seeds), batch):
        namespace = f"layouts-{seeds[start]}-{int(time.time())}"
        cases = [case(seed, namespace) for seed in seeds[start : start + batch]]
        nodes = [*standing, *(node for one in cases for node in one.nodes)]
        seen = observe(cluster, namespace, cases)
        for one in cases:
            possible, layout = predict(one, nodes)
            verdicts.add(one, possible, layout, seen[one.name])
    return verdicts
