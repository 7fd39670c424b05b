"""Ready pods, skew, survival and nearness, held against their definitions put another way."""

from dataclasses import replace
from itertools import product
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.live_cases import CURRENT, OLD, app, deployment, node, nodes, observed, pod, pods, replica_sets, state

from haapp.api.spec import Nodes, Zones
from haapp.placement.colocation import nearness
from haapp.placement.domains import eligible_nodes
from haapp.placement.live import active_pods, by_name, current_hash, of_revision, ready_pods, settled
from haapp.placement.model import Node, Pod, ReplicaSet
from haapp.placement.replicas import scaled
from haapp.placement.spread import Level, counts, domains, levels, misplaced, skew
from haapp.placement.survival import best_left, enough_replicas, node_loss, zone_loss

ZONES = ("a", "b", "c")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[tuple[Node, ...], tuple[Pod, ...]]:
    """A few nodes in three zones or none, in any state, and pods on them, on nodes that are gone, or on none."""
    count = draw(st.integers(1, 6))
    there = tuple(
        node(
            f"n{index}",
            draw(st.sampled_from((*ZONES, None))),
            ready=draw(st.booleans()),
            unschedulable=draw(st.sampled_from((False, False, True))),
            taints=draw(st.sampled_from(((), (), (("k", "", "NoSchedule"),), (("k", "", "PreferNoSchedule"),)))),
        )
        for index in range(count)
    )
    homes = st.sampled_from((*(item.name for item in there), "gone", ""))
    placed = tuple(
        pod(
            f"p{index}",
            draw(homes),
            ready=draw(st.booleans()),
            deleting=draw(st.sampled_from((False, False, True))),
            phase=draw(st.sampled_from(("Running", "Running", "Failed"))),
            template_hash=draw(st.sampled_from((CURRENT, OLD))),
        )
        for index in range(draw(st.integers(0, 9)))
    )
    return there, placed


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_ready_means_ready_staying_and_on_a_node_that_is_there_and_ready(
    world: tuple[tuple[Node, ...], tuple[Pod, ...]],
) -> None:
    there, placed = world
    well = [item.name for item in there if item.ready]
    expected = [p for p in placed if p.ready and not p.deleting and p.phase == "Running" and p.node in well]
    assert list(ready_pods(placed, by_name(there))) == expected


@settings(max_examples=200, deadline=None)
@given(worlds(), st.integers(1, 2), st.sampled_from((None, 1, 2, 3)), st.booleans())
def test_zone_skew_is_fullest_less_emptiest_of_the_zones_that_can_take_pods(
    world: tuple[tuple[Node, ...], tuple[Pod, ...]], max_skew: int, min_domains: int | None, hard: bool
) -> None:
    there, placed = world
    kind: Literal["DoNotSchedule", "ScheduleAnyway"] = "DoNotSchedule" if hard else "ScheduleAnyway"
    spec = app(zones=Zones(max_skew=max_skew, min_domains=min_domains, when_unsatisfiable=kind)).spec
    level, *_ = levels(spec)
    open_zones = {
        n.zone
        for n in there
        if n.zone and n.ready and not n.unschedulable and all(t[2] == "PreferNoSchedule" for t in n.taints)
    }
    zone_by_node = {n.name: n.zone for n in there}
    numbers = [sum(1 for p in placed if zone_by_node.get(p.node) == zone) for zone in open_zones]
    lowest = 0 if len(numbers) < (min_domains or 1) else min(numbers)
    expected = max(numbers) - lowest if numbers else 0
    among = domains(level, eligible_nodes(spec, there))
    assert among == open_zones
    assert skew(level, counts(level.key, placed, by_name(there)), among) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(1, 2), st.sampled_from((None, 3, 5)))
def test_misplaced_is_the_least_number_of_moves_to_balance(
    numbers: list[int], max_skew: int, min_domains: int | None
) -> None:
    names = [f"d{index}" for index in range(len(numbers))]
    level = Level("zones", "zone", max_skew, required=True, min_domains=min_domains)
    placed = dict(zip(names, numbers, strict=True))
    few = len(numbers) < (min_domains or 1)
    balanced = [
        target
        for target in product(range(sum(numbers) + 1), repeat=len(numbers))
        if sum(target) == sum(numbers) and max(target) - (0 if few else min(target)) <= max_skew
    ]
    moves = [sum(max(0, have - want) for have, want in zip(numbers, target, strict=True)) for target in balanced]
    found = misplaced(level, placed, names)
    assert (found == 0) is (skew(level, placed, names) <= max_skew)
    if moves:
        assert found == min(moves)


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_survival_is_the_worst_over_every_loss_tried_out(world: tuple[tuple[Node, ...], tuple[Pod, ...]]) -> None:
    there, placed = world
    by = by_name(there)
    ready = ready_pods(placed, by)
    zone_of = {item.name: item.zone or "" for item in there}
    by_zone = {lost: sum(zone_of[p.node] != lost for p in ready) for lost in {zone_of[p.node] for p in ready}}
    by_node = {lost: sum(p.node != lost for p in ready) for lost in {p.node for p in ready}}
    for found, left in ((zone_loss(ready, by), by_zone), (node_loss(ready), by_node)):
        assert found.ready_left == min(left.values(), default=0)
        assert found.worst == min((name for name in left if left[name] == found.ready_left), default="")


@settings(max_examples=100, deadline=None)
@given(worlds(), worlds())
def test_near_is_a_ready_cache_on_the_same_node_or_in_the_same_zone(
    world: tuple[tuple[Node, ...], tuple[Pod, ...]], other: tuple[tuple[Node, ...], tuple[Pod, ...]]
) -> None:
    there, placed = world
    by = by_name(there)
    ready, caches = ready_pods(placed, by), ready_pods(other[1], by)
    on_node = [p.name for p in ready if any(c.node == p.node for c in caches)]
    in_zone = [p.name for p in ready if by[p.node].zone and any(by[c.node].zone == by[p.node].zone for c in caches)]
    for level, expected in (("Node", on_node), ("Zone", in_zone)):
        found = nearness(level, ready, caches, by)
        assert (found.colocated, found.total) == (len(expected), len(ready))
        assert set(found.apart) == {p.name for p in ready} - set(expected)


def test_a_cache_in_the_pod_is_the_pods_own_sidecar() -> None:
    warm = pod("warm", "a1", init=(state("redis", ready=True),))
    cold = pod("cold", "a1", init=(state("redis", ready=False),))
    found = nearness("Pod", (warm, cold, pod("bare", "a1")), pods("a1"), by_name(nodes(a=1)))
    assert (found.colocated, found.total, found.apart) == (1, 3, ("bare", "cold"))


def test_the_worst_of_equals_is_the_first_by_name() -> None:
    by = by_name(nodes(b=1, a=1))
    assert zone_loss(pods("b1", "a1"), by).worst == "a"
    assert node_loss(pods("b1", "a1")).worst == "a1"


def test_pods_of_an_old_revision_count_for_survival() -> None:
    by = by_name(nodes(a=1, b=1))
    both = (*pods("a1"), *pods("b1", prefix="old", template_hash=OLD))
    assert zone_loss(ready_pods(both, by), by).ready_left == 1
    assert of_revision(both, CURRENT) == both[:1]


def test_the_current_revision_is_the_newest_of_this_deployment() -> None:
    sets = (*replica_sets(), ReplicaSet("web-else", "u", "another-uid", "else9", revision=9))
    assert current_hash(deployment(), sets) == CURRENT
    assert current_hash(deployment(), ()) is None
    assert current_hash(None, sets) is None
    assert of_revision(pods("a1"), None) == pods("a1")


def test_levels_are_zones_then_nodes_then_the_users_own() -> None:
    rack = {"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2}
    other = {"topologyKey": "row", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"x": "y"}}
    found = levels(app(spread=(rack, other), nodes=Nodes(max_skew=2)).spec)
    assert [(level.field, level.key, level.max_skew, level.required, level.min_domains) for level in found] == [
        ("zones", "topology.kubernetes.io/zone", 1, False, None),
        ("nodes", "kubernetes.io/hostname", 2, False, None),
        ("spread[0]", "rack", 2, True, 2),
    ]


@pytest.mark.parametrize(
    ("value", "up", "expected"), [(2, True, 2), ("34%", True, 4), ("34%", False, 3), ("0%", True, 0)]
)
def test_a_percentage_is_of_the_total(value: int | str, up: bool, expected: int) -> None:
    assert scaled(value, 10, up=up) == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 8), st.integers(1, 4))
def test_the_best_that_a_loss_can_leave_is_found_by_trying_all_arrangements(replicas: int, count: int) -> None:
    arrangements = (a for a in product(range(replicas + 1), repeat=count) if sum(a) == replicas)
    assert best_left(replicas, count) == max(replicas - max(a) for a in arrangements)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 6) | st.sampled_from(("50%", "67%", "90%")), st.integers(1, 6), st.integers(0, 4))
def test_enough_replicas_is_the_first_number_that_keeps_so_much(keep: int | str, replicas: int, count: int) -> None:
    found = enough_replicas(keep, replicas, count)
    keeping = [n for n in range(replicas + 1, 300) if best_left(n, count) >= scaled(keep, n, up=True)]
    if count < 2:
        assert found is None
    else:
        assert found == (keeping[0] if keeping else None)


@pytest.mark.parametrize(
    "change",
    [
        {"deployment": None},
        {"deployment": deployment(3, paused=True)},
        {"deployment": deployment(3, observed_generation=1)},
        {"deployment": deployment(3, updated=2)},
        {"deployment": deployment(3, available=2)},
        {"deployment": deployment(3, replicas=4)},
        {"deployment": deployment(2)},
        {"pods": (*pods("a1", "b1"), pod("p3", "c1", ready=False))},
        {"pods": (*pods("a1", "b1", "c1"), pod("p4", "c1", deleting=True))},
        {"pods": (*pods("a1", "b1"), pod("p3", "c1", template_hash=OLD))},
        {"pods": (*pods("a1", "b1"), pod("p3", "", ready=False, phase="Pending"))},
        {"nodes": (*nodes(a=1, b=1), node("c1", "c", ready=False))},
    ],
    ids=str,
)
def test_what_is_going_on_is_not_settled(change: dict[str, object]) -> None:
    calm = observed(pods("a1", "b1", "c1"), nodes(a=1, b=1, c=1))
    assert settled(calm)
    assert not settled(replace(calm, **change))  # type: ignore[arg-type]


def test_a_pod_that_has_failed_is_none_of_the_app() -> None:
    there = (*pods("a1", "b1"), pod("evicted", "b1", phase="Failed", ready=False))
    assert [item.name for item in active_pods(there)] == ["p1", "p2"]
    assert settled(observed(there, nodes(a=1, b=1), deployment=deployment(2)))
