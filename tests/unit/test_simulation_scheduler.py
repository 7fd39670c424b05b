"""One scheduling decision: why a node is passed over, in the scheduler's words, and which node is best."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.render_support import app_of
from tests.simulation_cases import ROOMY, layout, machines, node, node_objects

from haapp.placement.model import node_of
from haapp.placement.scheduler import Scheduler
from haapp.render import Environment
from haapp.simulation.machines import machine_of
from haapp.simulation.requests import UNSTATED, pod_requests
from haapp.simulation.scene import Group
from haapp.simulation.scheduler import decide
from haapp.simulation.shapes import Shape, shape_of
from haapp.simulation.workloads import workloads_of

PLAIN: dict[str, Any] = {"containers": [{"name": "main", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]}


def shape(spec: dict[str, Any] | None = None, **labels: str) -> Shape:
    return shape_of({"metadata": {"namespace": "here", "labels": labels}, "spec": {**PLAIN, **(spec or {})}})


def apart(key: str, **labels: str) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": labels}}


def required(kind: str, *terms: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}}


HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
SPREAD = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
MINE = {"labelSelector": {"matchLabels": {"app": "a"}}}

PASSED_OVER: list[tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]], str]] = [
    ({"unschedulable": True}, {}, [], "node(s) were unschedulable"),
    ({"taints": [{"key": "k", "effect": "NoSchedule"}]}, {}, [], "node(s) had untolerated taint(s)"),
    ({"taints": [{"key": "k", "effect": "NoExecute"}]}, {}, [], "node(s) had untolerated taint(s)"),
    ({}, {"nodeSelector": {"disk": "ssd"}}, [], "node(s) didn't match Pod's node affinity/selector"),
    (
        {},
        {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
        [{"containers": [{"name": "c", "ports": [{"containerPort": 8080, "hostPort": 80}]}]}],
        "node(s) didn't have free ports for the requested pod ports",
    ),
    ({}, {}, [PLAIN] * 8, "Insufficient cpu"),
    ({}, {"containers": [{"name": "c", "resources": {"limits": {"memory": "64Gi"}}}]}, [], "Insufficient memory"),
    ({}, {"containers": [{"name": "c"}]}, [{"containers": [{"name": "c"}]}] * 110, "Too many pods"),
    ({}, {"topologySpreadConstraints": [{**SPREAD, **MINE, "topologyKey": "rack"}]}, [], "(missing required label)"),
    (
        {},
        {"topologySpreadConstraints": [{**SPREAD, **MINE, "minDomains": 2}]},
        [PLAIN],
        "node(s) didn't match pod topology spread constraints",
    ),
    ({}, required("podAffinity", apart(ZONE, app="cache")), [PLAIN], "node(s) didn't match pod affinity rules"),
    ({}, required("podAntiAffinity", apart(HOST, app="a")), [PLAIN], "node(s) didn't match pod anti-affinity rules"),
    (
        {},
        {},
        [required("podAntiAffinity", apart(HOST, app="a"))],
        "node(s) didn't satisfy existing pods anti-affinity rules",
    ),
]


@pytest.mark.parametrize(("of_node", "of_pod", "there", "said"), PASSED_OVER, ids=[it[3] for it in PASSED_OVER])
def test_why_a_node_is_passed_over(
    of_node: dict[str, Any], of_pod: dict[str, Any], there: list[dict[str, Any]], said: str
) -> None:
    machine = machine_of(node("n", "a", ROOMY, **of_node))
    groups = [Group(shape(spec, app="a"), "n") for spec in there]
    decision = decide(shape(of_pod, app="a"), [machine], groups)
    assert decision.best == ()
    assert decision.message.startswith("0/1 nodes are available: 1 ")
    assert said in decision.message
    assert decide(shape(app="b"), [machine_of(node("n", "a", ROOMY))], ()).best


def test_a_message_counts_each_reason_as_the_scheduler_does() -> None:
    nodes = [
        machine_of(node("n1", "a", {**ROOMY, "cpu": "500m", "memory": "1Mi"})),
        machine_of(node("n2", "a", ROOMY, unschedulable=True)),
        machine_of(node("n3", "a", ROOMY, taints=[{"key": "k", "effect": "NoSchedule"}])),
    ]
    assert decide(shape(), nodes, ()).message == (
        "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s), "
        "1 node(s) were unschedulable."
    )
    assert decide(shape(), (), ()).message == "no nodes available to schedule pods"


def test_the_first_pod_of_a_group_that_wants_its_own_kind_near_may_go_anywhere() -> None:
    near = shape(required("podAffinity", apart(ZONE, app="a")), app="a")
    there = machines()
    assert len(decide(near, there, ()).feasible) == 6
    found = decide(near, there, [Group(near, "b1")])
    assert {machine.zone for machine in found.feasible} == {"b"}


def test_terms_speak_of_their_own_namespace_unless_they_name_others() -> None:
    other = shape_of({"metadata": {"namespace": "there", "labels": {"app": "a"}}, "spec": PLAIN})
    term = apart(HOST, app="a")
    for stated, free in (
        (term, True),
        ({**term, "namespaces": ["there"]}, False),
        ({**term, "namespaceSelector": {}}, False),
    ):
        mine = shape(required("podAntiAffinity", stated), app="b")
        assert bool(decide(mine, machines(1, "a"), [Group(other, "a1")]).best) is free


def test_pods_being_deleted_take_room_and_count_for_no_spread() -> None:
    spread = shape({"topologySpreadConstraints": [{**SPREAD, **MINE}]}, app="a")
    there = machines(1, "ab", {"cpu": "2", "memory": "8Gi", "pods": "110"})
    leaving = [Group(spread, "a1", 2, deleting=True)]
    assert [machine.name for machine in decide(spread, there, leaving).feasible] == ["b1"]
    assert len(decide(spread, machines(1, "ab"), leaving).feasible) == 2


def test_a_tainted_zone_counts_unless_the_constraint_honours_taints() -> None:
    there = [
        machine_of(node("a1", "a", ROOMY)),
        machine_of(node("b1", "b", ROOMY, taints=[{"key": "k", "effect": "NoSchedule"}])),
    ]
    for policy, free in (({}, False), ({"nodeTaintsPolicy": "Honor"}, True)):
        spread = shape({"topologySpreadConstraints": [{**SPREAD, **MINE, **policy}]}, app="a")
        assert bool(decide(spread, there, [Group(spread, "a1")]).best) is free


def test_a_node_that_is_not_ready_or_cordoned_is_taken_for_tainted() -> None:
    silent = node("n", "a", ROOMY)
    silent["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    assert "untolerated" in decide(shape(), [machine_of(silent)], ()).message
    unknown = node("n", "a", ROOMY)
    del unknown["status"]["conditions"]
    assert decide(shape(), [machine_of(unknown)], ()).best


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [{"name": "a"}]}, {}),
        ({"containers": [{"name": "a", "resources": {"limits": {"cpu": "100m"}}}]}, {"cpu": 100}),
        (
            {
                "containers": [{"name": "a", "resources": {"requests": {"cpu": "100m"}}}],
                "initContainers": [
                    {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
                    {"name": "i", "resources": {"requests": {"cpu": "300m"}}},
                    {"name": "t", "restartPolicy": "Always", "resources": {"requests": {"cpu": "10m"}}},
                ],
            },
            {"cpu": 350},
        ),
        (
            {
                "containers": [{"name": "a", "resources": {"requests": {"cpu": "100m"}}}],
                "initContainers": [{"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}}],
                "overhead": {"cpu": "7m"},
            },
            {"cpu": 157},
        ),
    ],
)
def test_what_a_pod_requests(spec: dict[str, Any], expected: dict[str, int]) -> None:
    assert pod_requests(spec) == Counter(expected)


def test_scoring_takes_something_for_what_is_not_stated() -> None:
    assert pod_requests({"containers": [{"name": "a"}, {"name": "b"}]}, UNSTATED) == {
        "cpu": 200,
        "memory": 400 * 1024**2,
    }


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from((None, {"maxSkew": 1}, {"maxSkew": 2}, {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"})),
    st.sampled_from(("Required", "Preferred", "None")),
    st.sampled_from(("DoNotSchedule", "ScheduleAnyway")),
    st.lists(st.integers(0, 5), max_size=7),
)
@example(zones=None, anti_affinity="None", nodes="ScheduleAnyway", placed=[0, 1, 2, 3, 4, 4, 4])
def test_the_operators_quick_scheduler_says_the_same(
    zones: dict[str, Any] | None, anti_affinity: str, nodes: str, placed: list[int]
) -> None:
    """Where only the app's own constraints matter, the model that rebalancing uses agrees with the whole one."""
    spec = {"nodes": {"antiAffinity": anti_affinity, "whenUnsatisfiable": nodes}, **({"zones": zones} if zones else {})}
    app = app_of(spec)
    objects = node_objects(2, "abc", None)
    there = [node_of(item) for item in objects]
    numbers = Counter(there[at].name for at in placed)
    quick = Scheduler(app.spec, there, (), {item.name: item for item in there}).landings(numbers)
    (workload,) = workloads_of(app, Environment())
    groups = [Group(workload.shape, name, number) for name, number in numbers.items()]
    whole = decide(workload.shape, [machine_of(item) for item in objects], groups).best
    assert {item.name for item in quick} == {machine.name for machine in whole}


def test_pods_go_where_most_is_free() -> None:
    small, large = node("s", "a", {**ROOMY, "cpu": "2"}), node("l", "a", ROOMY)
    assert [machine.name for machine in decide(shape(), [machine_of(small), machine_of(large)], ()).best] == ["l"]


def test_a_soft_taint_is_avoided_and_a_preferred_node_is_chosen() -> None:
    soft = node("s", "a", ROOMY, taints=[{"key": "k", "effect": "PreferNoSchedule"}])
    plain = node("p", "a", ROOMY)
    there = [machine_of(soft), machine_of(plain)]
    assert [machine.name for machine in decide(shape(), there, ()).best] == ["p"]
    tolerant = shape({"tolerations": [{"key": "k", "operator": "Exists"}]})
    assert len(decide(tolerant, there, ()).best) == 2
    likes = {"weight": 1, "preference": {"matchExpressions": [{"key": HOST, "operator": "In", "values": ["s"]}]}}
    wanting = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [likes]}}
    tolerations = [{"key": "k", "operator": "Exists"}]
    chosen = decide(shape({"affinity": wanting, "tolerations": tolerations}), there, ()).best
    assert [machine.name for machine in chosen] == ["s"]


def test_a_cache_comes_first_and_pulls_the_app() -> None:
    found = layout(
        {"replicas": 2, "cache": {"redis": {"replicas": 1}, "whenUnsatisfiable": "DoNotSchedule"}}, machines()
    )
    cache, own = found.placements
    assert cache.nodes.keys() == own.nodes.keys()
    assert own.placed == 2
