"""Moving pods back: one at a time, only to the better, never to and fro; and the model of the scheduler behind it."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.live_cases import START, app, deployment, node, nodes, observed, pod, pods, replica_sets

from haapp.api.spec import Cache, Nodes, Rebalance, Spec, Zones
from haapp.placement.domains import eligible_nodes
from haapp.placement.live import by_name
from haapp.placement.model import Node, Pod
from haapp.placement.rebalance import Decision, History, decide
from haapp.placement.scheduler import Scheduler
from haapp.placement.spread import counts, domains, levels, misplaced
from haapp.status import Observed

DRIFTED = pods("a1", "a2", "b1", "b2", "a1", "b1")
THERE = nodes(a=2, b=2, c=2)


def run(live: Observed, history: History | None = None, now: int = START, **spec: Any) -> Decision:
    return decide(app(**spec).spec, live, history, now)


def drift(spec: Spec, live: Observed) -> tuple[int, ...]:
    eligible, by = eligible_nodes(spec, live.nodes), by_name(live.nodes)
    return tuple(misplaced(level, counts(level.key, live.pods, by), domains(level, eligible)) for level in levels(spec))


def test_a_zone_that_came_back_gets_a_pod() -> None:
    decision = run(observed(DRIFTED, THERE))
    assert decision.verdict == "Move"
    assert decision.move is not None
    assert decision.move.pod in {item.name for item in DRIFTED}
    assert decision.move.why == (
        "topology.kubernetes.io/zone: a has 3 pods and c 0, a skew of 3 where zones.maxSkew allows 1"
    )
    assert decision.history is not None
    assert decision.history.at == START
    assert decision.history.drift == (2, 2)


def test_of_equal_pods_the_youngest_goes() -> None:
    aged = tuple(replace(item, created=100 + index) for index, item in enumerate(DRIFTED))
    decision = run(observed(aged, THERE))
    assert decision.move is not None
    assert decision.move.pod == "p6"


def test_a_crowded_node_gives_one_to_a_node_that_came_new() -> None:
    decision = run(observed(pods("a1", "a1", "b1", "b1"), nodes(a=2, b=2)))
    assert decision.move is not None
    assert decision.move.why.startswith("kubernetes.io/hostname: ")


@pytest.mark.parametrize(
    ("spec", "live", "verdict"),
    [
        ({"rebalance": Rebalance(mode="Off")}, observed(DRIFTED, THERE), "Off"),
        ({"paused": True}, observed(DRIFTED, THERE), "Off"),
        ({}, observed(pods("a1", "b1", "c1"), THERE), "Balanced"),
        ({}, observed(DRIFTED, THERE, deployment=deployment(6, updated=5)), "NotSettled"),
        ({}, observed((*DRIFTED[:5], pod("p6", "b1", ready=False)), THERE), "NotSettled"),
        ({"zones": Zones(max_skew=3), "nodes": Nodes(max_skew=2)}, observed(DRIFTED, THERE), "Balanced"),
    ],
)
def test_nothing_is_moved_without_need_or_while_anything_is_going_on(
    spec: dict[str, Any], live: Observed, verdict: str
) -> None:
    decision = run(live, **spec)
    assert (decision.verdict, decision.move) == (verdict, None)


def test_a_pod_that_would_find_no_place_is_left_where_it_is() -> None:
    """The only free zone has no cache, and the cache is required."""
    cache = Cache(when_unsatisfiable="DoNotSchedule", selector={"matchLabels": {"app": "redis"}})
    live = observed(DRIFTED, THERE, cache_pods=pods("a1", "a2", "b1", "b2", prefix="redis"))
    assert run(live, cache=cache).verdict == "NoBetterPlace"
    live = replace(live, cache_pods=(*live.cache_pods, pod("redis5", "c1")))
    assert run(live, cache=cache).verdict == "Move"


def test_the_cooldown_is_between_two_moves() -> None:
    live = observed(DRIFTED, THERE)
    waiting = run(live, History(START - 100))
    assert (waiting.verdict, waiting.retry_after) == ("CoolingDown", 200)
    assert waiting.history == History(START - 100)
    assert run(live, History(START - 300)).verdict == "Move"
    assert run(live, History(START - 30), rebalance=Rebalance(cooldown=30)).verdict == "Move"


def test_a_move_that_did_not_help_is_not_repeated_until_the_situation_is_another() -> None:
    live = observed(DRIFTED, THERE)
    first = run(live)
    again = run(live, first.history, START + 301)
    assert (again.verdict, again.history) == ("MoveDidNotHelp", first.history)
    another = replace(live, nodes=(*THERE, node("c3", "c")))
    assert run(another, first.history, START + 301).verdict == "Move"
    revised = replace(live, pods=tuple(replace(item, template_hash="next") for item in DRIFTED), replica_sets=())
    assert run(revised, first.history, START + 301).verdict == "Move"


def test_once_balanced_the_next_drift_is_a_new_one() -> None:
    live = observed(DRIFTED, THERE)
    first = run(live)
    calm = run(observed(pods("a1", "a2", "b1", "b2", "c1", "c2"), THERE), first.history, START + 10)
    assert (calm.verdict, calm.history) == ("Balanced", History(START))
    assert run(live, calm.history, START + 301).verdict == "Move"


def test_the_youngest_pod_of_a_zone_that_may_not_be_used_stays() -> None:
    cordoned = (*nodes(a=1, b=1), node("c1", "c", unschedulable=True))
    assert run(observed(pods("a1", "b1", "c1", "c1", "c1"), cordoned)).verdict == "Balanced"


zone_rules = st.none() | st.builds(
    Zones, max_skew=st.integers(1, 2), when_unsatisfiable=st.sampled_from(("DoNotSchedule", "ScheduleAnyway"))
)
node_rules = st.builds(
    Nodes,
    max_skew=st.integers(1, 2),
    when_unsatisfiable=st.sampled_from(("DoNotSchedule", "ScheduleAnyway")),
    anti_affinity=st.sampled_from(("Required", "Preferred", "None")),
)
cache_rules = st.none() | st.builds(
    Cache,
    colocate=st.sampled_from(("Node", "Zone")),
    when_unsatisfiable=st.sampled_from(("DoNotSchedule", "ScheduleAnyway")),
    selector=st.just({"matchLabels": {"app": "redis"}}),
)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Spec, Observed]:
    """A settled app anywhere in a small cluster, whatever its constraints say of that."""
    spec = app(zones=draw(zone_rules), nodes=draw(node_rules), cache=draw(cache_rules)).spec
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    there = nodes(**dict(zip("abc", sizes, strict=False)))
    names = st.sampled_from([item.name for item in there])
    caches = pods(*draw(st.lists(names, max_size=3)), prefix="redis")
    return spec, observed(pods(*draw(st.lists(names, min_size=1, max_size=8))), there, cache_pods=caches)


def fits(spec: Spec, live: Observed, others: list[Pod], target: Node) -> bool:
    """The required constraints for one more pod on `target`, from their definitions."""
    zone_of = {item.name: item.zone for item in live.nodes}
    after = [*(item.node for item in others), target.name]
    by_zone = {zone: sum(zone_of[home] == zone for home in after) for zone in set(zone_of.values())}
    by_node = {name: after.count(name) for name in zone_of}
    if spec.zones and spec.zones.when_unsatisfiable == "DoNotSchedule":
        before = [number - (zone == target.zone) for zone, number in by_zone.items()]
        if by_zone[target.zone] - min(before) > spec.zones.max_skew:
            return False
    if spec.nodes.when_unsatisfiable == "DoNotSchedule":
        before = [number - (name == target.name) for name, number in by_node.items()]
        if by_node[target.name] - min(before) > spec.nodes.max_skew:
            return False
    if spec.nodes.anti_affinity == "Required" and by_node[target.name] > 1:
        return False
    if spec.cache and spec.cache.when_unsatisfiable == "DoNotSchedule":
        near = [c.node == target.name or spec.cache.colocate == "Zone" for c in live.cache_pods]
        return any(ok and zone_of[c.node] == target.zone for ok, c in zip(near, live.cache_pods, strict=True))
    return True


@settings(max_examples=200, deadline=None)
@given(scenes())
def test_a_pod_lands_only_where_every_required_constraint_lets_it(scene: tuple[Spec, Observed]) -> None:
    spec, live = scene
    scheduler = Scheduler(spec, live.nodes, live.cache_pods, by_name(live.nodes))
    found = scheduler.landings(Counter(item.node for item in live.pods))
    allowed = [item for item in live.nodes if fits(spec, live, list(live.pods), item)]
    assert set(found) <= set(allowed)
    assert bool(found) is bool(allowed)


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_a_move_is_made_exactly_when_one_surely_helps(scene: tuple[Spec, Observed]) -> None:
    spec, live = scene
    before = drift(spec, live)
    scheduler = Scheduler(spec, live.nodes, live.cache_pods, by_name(live.nodes))
    surely = []
    for gone in live.pods:
        others = [item for item in live.pods if item is not gone]
        landings = scheduler.landings(Counter(item.node for item in others), taken=(gone.node,))
        after = [drift(spec, replace(live, pods=(*others, replace(gone, node=n.name)))) for n in landings]
        surely += [gone.name] * (bool(after) and max(after) < before)
    decision = decide(spec, live, None, START)
    assert (decision.move is not None) is bool(surely)
    assert decision.move is None or decision.move.pod in surely


@settings(max_examples=100, deadline=None)
@given(scenes(), st.data())
def test_moves_come_to_an_end_and_each_is_for_the_better(scene: tuple[Spec, Observed], data: st.DataObject) -> None:
    spec, live = scene
    history, now = None, START
    for _ in range(40):
        decision = decide(spec, live, history, now)
        if decision.move is None:
            break
        before = drift(spec, live)
        gone = next(item for item in live.pods if item.uid == decision.move.uid)
        others = [item for item in live.pods if item is not gone]
        scheduler = Scheduler(spec, live.nodes, live.cache_pods, by_name(live.nodes))
        landings = scheduler.landings(Counter(item.node for item in others), taken=(gone.node,))
        landed = data.draw(st.sampled_from(landings))
        live = replace(live, pods=(*others, pod(f"{gone.name}x", landed.name)))
        assert drift(spec, live) < before
        history, now = decision.history, now + spec.rebalance.cooldown
    else:
        pytest.fail("moves without end")


def test_a_soft_spread_prefers_the_emptiest_zone_and_then_the_emptiest_node() -> None:
    there = nodes(a=1, b=2)
    scheduler = Scheduler(app().spec, there, (), by_name(there))
    assert [item.name for item in scheduler.landings({"a1": 1})] == ["b1", "b2"]
    assert [item.name for item in scheduler.landings({"a1": 1, "b1": 1, "b2": 0})] == ["b2"]


def test_a_pod_that_still_goes_keeps_its_node_from_its_successor_only_under_required_anti_affinity() -> None:
    there = nodes(a=1)
    for rule, landings in (("Required", 0), ("Preferred", 1)):
        scheduler = Scheduler(app(nodes=Nodes(anti_affinity=rule)).spec, there, (), by_name(there))  # type: ignore[arg-type]
        assert len(scheduler.landings({}, taken=("a1",))) == landings


def test_a_rollout_is_never_disturbed() -> None:
    rolling = observed(DRIFTED, THERE, replica_sets=replica_sets(5, 1))
    assert (
        run(replace(rolling, pods=(*DRIFTED[:5], replace(DRIFTED[5], template_hash="old11")))).verdict == "NotSettled"
    )
