"""What cannot be as asked, with the number to change; deadlocks held against a rollout played out in every way."""

import re
from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.live_cases import app, node, nodes, pod, pods

from haapp.api.spec import (
    Autoscaling,
    Cache,
    DisruptionBudget,
    InitStep,
    Nodes,
    PodExtras,
    Redis,
    Rollout,
    Sidecar,
    Zones,
)
from haapp.placement import finding
from haapp.placement.capacity import UNBOUNDED, Rules, cache_replicas, capacity
from haapp.placement.contradictions import find
from haapp.placement.exclusive import own_labels
from haapp.placement.model import Node, Pod
from haapp.render import render

THERE = nodes(a=2, b=2, c=2)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
HOST_PORT = {"ports": [{"containerPort": 80, "hostPort": 80}]}
REDIS = {"matchLabels": {"app": "redis"}}


def apart(key: str = "kubernetes.io/hostname", **term: Any) -> PodExtras:
    """The user's own required anti-affinity to the app's pods."""
    own = {"labelSelector": {"matchLabels": {"app.kubernetes.io/name": "web"}}, "topologyKey": key, **term}
    return PodExtras(affinity={"podAntiAffinity": {REQUIRED: [own]}})


CASES: list[tuple[str, dict[str, Any], tuple[Node, ...], str, str, tuple[str, ...]]] = [
    (
        "fewer zones than minDomains",
        {"zones": Zones(min_domains=3)},
        nodes(a=2, b=2),
        finding.TOO_FEW_ZONES,
        "spec.zones.minDomains",
        ("zones.minDomains is 3", "of 2 only (a, b)", "no more than 2 of 3 pods", "lower zones.minDomains to 2"),
    ),
    (
        "minDomains and too short a list of names",
        {"zones": Zones(min_domains=3, names=("a", "b"), max_skew=2)},
        THERE,
        finding.TOO_FEW_ZONES,
        "spec.zones.minDomains",
        ("add nodes in 1 more and name them in zones.names, which lists 2",),
    ),
    (
        "no node at all",
        {"zones": Zones(names=("x",)), "pod": PodExtras(node_selector={"disk": "ssd"})},
        THERE,
        finding.NO_ELIGIBLE_NODE,
        "spec.zones.names",
        ("no node of the cluster may run the pods", "zones.names or pod.nodeSelector"),
    ),
    (
        "only tainted nodes",
        {},
        (node("n", "a", taints=(("gpu", "", "NoSchedule"),)),),
        finding.NO_ELIGIBLE_NODE,
        "spec.pod.tolerations",
        ("pod.tolerations",),
    ),
    (
        "required anti-affinity with more replicas than nodes",
        {"replicas": 7, "nodes": Nodes(anti_affinity="Required")},
        THERE,
        finding.TOO_FEW_NODES,
        "spec.nodes.antiAffinity",
        ("each of the 6 nodes", "replicas is 7: lower it to 6", "nodes.antiAffinity: Preferred"),
    ),
    (
        "required anti-affinity with more maxReplicas than nodes",
        {"autoscaling": Autoscaling(max_replicas=8), "nodes": Nodes(anti_affinity="Required")},
        THERE,
        finding.TOO_FEW_NODES,
        "spec.nodes.antiAffinity",
        ("autoscaling.maxReplicas is 8: lower it to 6",),
    ),
    (
        "own anti-affinity over zones with more replicas than zones",
        {"replicas": 4, "pod": apart("topology.kubernetes.io/zone")},
        THERE,
        finding.TOO_FEW_ZONES,
        f"spec.pod.affinity.podAntiAffinity.{REQUIRED}[0]",
        ("each of the 3 zones", "replicas is 4: lower it to 3"),
    ),
    (
        "own anti-affinity and no node to spare",
        {"replicas": 6, "pod": apart()},
        THERE,
        finding.ROLLOUT_DEADLOCK,
        f"spec.pod.affinity.podAntiAffinity.{REQUIRED}[0]",
        ("a rollout cannot begin", "all 6 nodes", "set rollout.maxUnavailable to 1", "matchLabelKeys"),
    ),
    (
        "own anti-affinity over zones and no zone to spare",
        {"replicas": 3, "pod": apart("topology.kubernetes.io/zone")},
        THERE,
        finding.ROLLOUT_DEADLOCK,
        f"spec.pod.affinity.podAntiAffinity.{REQUIRED}[0]",
        ("all 3 zones", "add zones"),
    ),
    (
        "a host port and no node to spare",
        {"replicas": 6, "container": HOST_PORT},
        THERE,
        finding.ROLLOUT_DEADLOCK,
        "spec.app.ports[].hostPort",
        ("a rollout cannot begin", "do without the host port"),
    ),
    (
        "a host port and one full zone",
        {"replicas": 3, "container": HOST_PORT, "zones": Zones()},
        nodes(a=1, b=2, c=2),
        finding.ROLLOUT_DEADLOCK,
        "spec.app.ports[].hostPort",
        ("a rollout can stand still", "zone a", "set rollout.maxUnavailable to 1"),
    ),
    (
        "a sidecar's host port counts too",
        {"replicas": 6, "sidecars": (Sidecar(name="proxy", container={"name": "proxy", "image": "x", **HOST_PORT}),)},
        THERE,
        finding.ROLLOUT_DEADLOCK,
        "spec.app.ports[].hostPort",
        ("a rollout cannot begin",),
    ),
    (
        "zones that cannot be even with one pod a node",
        {"replicas": 7, "zones": Zones(), "nodes": Nodes(anti_affinity="Required")},
        nodes(a=1, b=4, c=4),
        finding.SPREAD_UNSATISFIABLE,
        "spec.zones.maxSkew",
        ("zones.maxSkew 1 and one pod a node", "by 5 of 7 pods only", "a:1 b:4 c:4", "lower replicas to 5"),
    ),
    (
        "zones and nodes that cannot both be even",
        {"replicas": 4, "zones": Zones(), "nodes": Nodes(when_unsatisfiable="DoNotSchedule")},
        nodes(a=1, b=3),
        finding.SPREAD_UNSATISFIABLE,
        "spec.zones.maxSkew",
        ("zones.maxSkew 1 and nodes.maxSkew 1", "raise zones.maxSkew"),
    ),
    (
        "a required cache that is nowhere",
        {"cache": Cache(when_unsatisfiable="DoNotSchedule", selector=REDIS)},
        THERE,
        finding.CACHE_NOT_FOUND,
        "spec.cache.selector",
        ("cache.selector finds no pod", "cache.whenUnsatisfiable: ScheduleAnyway"),
    ),
    (
        "a managed cache in fewer zones than the app",
        {
            "replicas": 6,
            "zones": Zones(),
            "cache": Cache(colocate="Zone", when_unsatisfiable="DoNotSchedule", redis=Redis()),
        },
        THERE,
        finding.CACHE_TOO_NARROW,
        "spec.cache.redis.replicas",
        ("only 1 of 6 pods", "raise cache.redis.replicas from 1 to 3"),
    ),
    (
        "minAvailable as many as there are",
        {"disruption_budget": DisruptionBudget(min_available=3)},
        THERE,
        finding.BUDGET_BLOCKS_DRAINS,
        "spec.disruptionBudget.minAvailable",
        ("disruptionBudget.minAvailable 3 with replicas 3", "lower it to 2"),
    ),
    (
        "minAvailable in percent that comes to all",
        {"disruption_budget": DisruptionBudget(min_available="70%")},
        THERE,
        finding.BUDGET_BLOCKS_DRAINS,
        "spec.disruptionBudget.minAvailable",
        ("disruptionBudget.minAvailable 70% with replicas 3", "lower it to 2"),
    ),
    (
        "minAvailable as many as an autoscaler may leave",
        {
            "autoscaling": Autoscaling(min_replicas=2, max_replicas=9),
            "disruption_budget": DisruptionBudget(min_available=2),
        },
        THERE,
        finding.BUDGET_BLOCKS_DRAINS,
        "spec.disruptionBudget.minAvailable",
        ("with autoscaling.minReplicas 2", "lower it to 1"),
    ),
    (
        "maxUnavailable 0",
        {"disruption_budget": DisruptionBudget(max_unavailable="0%")},
        THERE,
        finding.BUDGET_BLOCKS_DRAINS,
        "spec.disruptionBudget.maxUnavailable",
        ("disruptionBudget.maxUnavailable 0%", "raise it to 1"),
    ),
    (
        "a keepReady that too few replicas cannot keep",
        {"zones": Zones(keep_ready=3)},
        THERE,
        finding.KEEP_READY_IMPOSSIBLE,
        "spec.zones.keepReady",
        ("asks for 3 pods after the loss of one of 3 zones", "replicas 3 leaves 2", "raise replicas to 5", "to 2"),
    ),
    (
        "a keepReady that one zone can never keep",
        {"zones": Zones(keep_ready="50%")},
        nodes(a=4),
        finding.KEEP_READY_IMPOSSIBLE,
        "spec.zones.keepReady",
        ("asks for 2 pods", "leaves 0 at best", "add nodes in more zones"),
    ),
    (
        "a keepReady that so few nodes cannot keep",
        {"nodes": Nodes(keep_ready="90%")},
        nodes(a=2),
        finding.KEEP_READY_IMPOSSIBLE,
        "spec.nodes.keepReady",
        ("asks for 3 pods after the loss of one of 2 nodes", "leaves 1 at best: add nodes, or lower"),
    ),
]

WITHOUT_A_NUMBER = {finding.NO_ELIGIBLE_NODE, finding.CACHE_NOT_FOUND, finding.CACHE_OUT_OF_REACH}


@pytest.mark.parametrize(
    ("spec", "there", "reason", "field", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_contradiction_is_named_with_what_to_change(
    spec: dict[str, Any], there: tuple[Node, ...], reason: str, field: str, words: tuple[str, ...]
) -> None:
    found = {item.reason: item for item in find(app(**spec), there)}
    assert reason in found
    assert found[reason].field == field
    for word in words:
        assert word in found[reason].message
    brief = found[reason].brief
    assert len(brief) <= 120
    assert field.removeprefix("spec.").split("[")[0].replace(f".{REQUIRED}", "") in brief
    assert reason in WITHOUT_A_NUMBER or re.search(r"\bto \d|add nodes", brief)


def test_every_reason_has_a_case() -> None:
    reasons = {value for name, value in vars(finding).items() if name.isupper()}
    assert reasons - {finding.CACHE_OUT_OF_REACH} == {case[3] for case in CASES}


@pytest.mark.parametrize(
    ("spec", "there"),
    [
        ({}, THERE),
        ({"zones": Zones(min_domains=3, keep_ready=2), "nodes": Nodes(anti_affinity="Required", keep_ready=2)}, THERE),
        ({"replicas": 6, "nodes": Nodes(anti_affinity="Required"), "zones": Zones()}, THERE),
        ({"replicas": 5, "pod": apart()}, THERE),
        ({"replicas": 6, "pod": apart(), "rollout": Rollout(max_unavailable=1)}, THERE),
        ({"replicas": 6, "pod": apart(), "rollout": Rollout(max_unavailable="20%")}, THERE),
        ({"replicas": 6, "pod": apart(), "rollout": Rollout(max_surge="0%")}, THERE),
        ({"replicas": 6, "pod": apart(matchLabelKeys=["pod-template-hash"])}, THERE),
        ({"replicas": 6, "pod": apart(labelSelector={"matchLabels": {"app": "other"}})}, THERE),
        ({"replicas": 6, "pod": apart(namespaces=["elsewhere"])}, THERE),
        ({"replicas": 1, "disruption_budget": DisruptionBudget(min_available="100%")}, THERE),
        ({"replicas": 0, "zones": Zones(keep_ready=2)}, THERE),
        ({"cache": Cache(selector=REDIS)}, THERE),
        ({"cache": Cache(when_unsatisfiable="DoNotSchedule", redis=Redis())}, THERE),
        ({"cache": Cache(colocate="Pod", when_unsatisfiable="DoNotSchedule", redis=Redis())}, THERE),
        (
            {
                "zones": Zones(min_domains=3),
                "cache": Cache(colocate="Zone", when_unsatisfiable="DoNotSchedule", redis=Redis()),
            },
            THERE,
        ),
        ({"init_steps": (InitStep(name="x", container={"name": "x", "image": "x"}),)}, nodes(a=1)),
    ],
)
def test_what_can_be_is_not_complained_of(spec: dict[str, Any], there: tuple[Node, ...]) -> None:
    assert find(app(**spec), there) == ()


def test_a_zone_that_is_down_is_no_contradiction() -> None:
    down = (
        *nodes(a=1, b=1),
        node("c1", "c", ready=False, taints=(("node.kubernetes.io/unreachable", "", "NoExecute"),)),
    )
    assert find(app(zones=Zones(min_domains=3)), down) == ()


def test_without_a_cluster_only_what_needs_none_is_found() -> None:
    spec = {"zones": Zones(min_domains=3, keep_ready=9), "disruption_budget": DisruptionBudget(max_unavailable=0)}
    assert [item.reason for item in find(app(**spec), ())] == [finding.BUDGET_BLOCKS_DRAINS]


@pytest.mark.parametrize(
    ("caches", "spec", "reasons"),
    [
        (pods("a1", "b1", "c1"), {}, []),
        (pods("x1"), {}, [finding.CACHE_OUT_OF_REACH]),
        (pods("a1"), {"zones": Zones()}, [finding.CACHE_OUT_OF_REACH]),
        (pods("a1"), {"zones": Zones(max_skew=3)}, []),
        ((pod("r", "a1", deleting=True),), {}, [finding.CACHE_NOT_FOUND]),
    ],
)
def test_a_cache_that_runs_already_has_to_be_where_the_app_may_go(
    caches: tuple[Pod, ...], spec: dict[str, Any], reasons: list[str]
) -> None:
    cache = Cache(when_unsatisfiable="DoNotSchedule", selector=REDIS)
    elsewhere = node("x1", "x", taints=(("db", "", "NoSchedule"),))
    found = find(app(cache=cache, **spec), (*THERE, elsewhere), (), caches)
    assert [item.reason for item in found] == reasons


def test_a_deadlock_of_an_autoscaled_app_comes_with_its_pods() -> None:
    spec = app(autoscaling=Autoscaling(min_replicas=2, max_replicas=6), pod=apart())
    assert find(spec, THERE, pods("a1", "a2")) == ()
    assert [item.reason for item in find(spec, THERE, pods(*(item.name for item in THERE)))] == ["RolloutDeadlock"]


# A rollout with maxSurge 1 and maxUnavailable 0, played out in every way that scheduler and controller may choose.

Taken = tuple[int, ...]


def even(homes: tuple[int, ...], placed: Taken, max_skew: int) -> bool:
    numbers = [sum(n for zone, n in zip(homes, placed, strict=True) if zone == z) for z in set(homes)]
    return max(numbers) - min(numbers) <= max_skew


def one_more(placed: Taken) -> Iterator[Taken]:
    return ((*placed[:i], 1, *placed[i + 1 :]) for i, taken in enumerate(placed) if not taken)


def one_less(placed: Taken) -> Iterator[Taken]:
    return ((*placed[:i], 0, *placed[i + 1 :]) for i, taken in enumerate(placed) if taken)


def may_land(homes: tuple[int, ...], old: Taken, new: Taken, max_skew: int | None, alone: bool) -> list[Taken]:
    """Where a new pod may go: one a node among the new (and, if `alone`, among all), even over zones among the new."""

    def lands(after: Taken) -> bool:
        where = next(i for i, (a, b) in enumerate(zip(after, new, strict=True)) if a != b)
        numbers = [sum(n for zone, n in zip(homes, new, strict=True) if zone == z) for z in sorted(set(homes))]
        free = not (alone and old[where])
        return free and (max_skew is None or numbers[homes[where]] + 1 - min(numbers) <= max_skew)

    return [after for after in one_more(new) if lands(after)]


def can_stick(sizes: tuple[int, ...], replicas: int, max_skew: int | None, alone: bool) -> bool | None:
    """Whether some course of the rollout ends with a pod that has no place; `None`: the app itself has none."""
    homes = tuple(zone for zone, size in enumerate(sizes) for _ in range(size))
    starts = [p for p in product((0, 1), repeat=len(homes)) if sum(p) == replicas]
    starts = [p for p in starts if max_skew is None or even(homes, p, max_skew)]
    todo, seen = [(start, (0,) * len(homes)) for start in starts], set()
    while todo:
        old, new = todo.pop()
        if (old, new) in seen:
            continue
        seen.add((old, new))
        if sum(old) + sum(new) > replicas:
            todo += [(less, new) for less in one_less(old)]
        elif sum(new) < replicas:
            landings = may_land(homes, old, new, max_skew, alone)
            if not landings:
                return True
            todo += [(old, after) for after in landings]
    return False if starts else None


@pytest.mark.parametrize("alone", [True, False], ids=["host port", "own anti-affinity"])
@pytest.mark.parametrize("max_skew", [None, 1, 2])
@pytest.mark.parametrize(
    "sizes", [s for n in (1, 2, 3) for s in combinations_with_replacement((1, 2, 3), n) if sum(s) < 6]
)
def test_a_deadlock_is_told_of_exactly_when_a_rollout_can_get_stuck(
    sizes: tuple[int, ...], max_skew: int | None, alone: bool
) -> None:
    there = nodes(**dict(zip("abc", sizes, strict=False)))
    for replicas in range(1, sum(sizes) + 1):
        spec: dict[str, Any] = {"replicas": replicas}
        if max_skew is not None:
            spec["zones"] = Zones(max_skew=max_skew)
        spec |= {"container": HOST_PORT} if alone else {"nodes": Nodes(anti_affinity="Required")}
        found = {item.reason for item in find(app(**spec), there)}
        stuck = can_stick(sizes, replicas, max_skew, alone)
        if stuck is None:
            assert finding.SPREAD_UNSATISFIABLE in found
        else:
            assert (finding.ROLLOUT_DEADLOCK in found) is stuck


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 4),
    st.lists(st.tuples(st.integers(1, 2), st.booleans()), min_size=1, max_size=3),
    st.sampled_from((None, 1, 2)),
    st.sampled_from((None, 1)),
    st.booleans(),
)
def test_capacity_is_the_greatest_number_with_an_arrangement(
    wanted: int, zones: list[tuple[int, bool]], zone_skew: int | None, node_skew: int | None, alone: bool
) -> None:
    sizes = {f"z{index}": size for index, (size, _) in enumerate(zones)}
    reachable = {f"z{index}": size for index, (size, near) in enumerate(zones) if near}
    homes = [zone for zone, size in sizes.items() for _ in range(size)]

    def allowed(placed: tuple[int, ...]) -> bool:
        numbers = [sum(n for home, n in zip(homes, placed, strict=True) if home == zone) for zone in sizes]
        return (
            (zone_skew is None or max(numbers) - min(numbers) <= zone_skew)
            and (node_skew is None or max(placed) - min(placed) <= node_skew)
            and (not alone or max(placed) <= 1)
            and all(n == 0 or home in reachable for home, n in zip(homes, placed, strict=True))
        )

    arrangements = product(range(wanted + 1), repeat=len(homes))
    best = max((sum(a) for a in arrangements if sum(a) <= wanted and allowed(a)), default=0)
    rules = Rules(zone_skew, node_skew, 1 if alone else UNBOUNDED, floor=True)
    assert capacity(wanted, rules, sizes, reachable) == best


@pytest.mark.timeout(20)
@pytest.mark.parametrize("replicas", [3_000, 2_000_000_000])
def test_a_great_number_does_not_hold_the_operator_up(replicas: int) -> None:
    """Whoever may create an app chooses its numbers."""
    hard = {"zones": Zones(keep_ready=1_000_000_000), "nodes": Nodes(when_unsatisfiable="DoNotSchedule")}
    found = {item.reason for item in find(app(replicas=replicas, **hard), nodes(a=1, b=3))}
    assert (finding.SPREAD_UNSATISFIABLE in found) is (replicas == 3_000)
    assert find(app(zones=Zones(keep_ready=1_000_000_000)), THERE)[0].message.count("raise replicas to 1500000000") == 1


def test_the_pods_are_taken_to_have_the_labels_that_they_are_rendered_with() -> None:
    wanted = app(pod=PodExtras(labels={"team": "web"}))
    template = next(obj for obj in render(wanted).objects if obj["kind"] == "Deployment")["spec"]["template"]
    assert own_labels(wanted).items() <= template["metadata"]["labels"].items()
    assert template["metadata"]["labels"].keys() == own_labels(wanted).keys()


@pytest.mark.parametrize(
    ("zones", "replicas"),
    [(None, None), (Zones(), None), (Zones(min_domains=3), None), (Zones(names=("a", "b")), None), (None, 5)],
)
def test_the_managed_cache_is_taken_to_have_the_pods_that_it_is_rendered_with(
    zones: Zones | None, replicas: int | None
) -> None:
    wanted = app(zones=zones, cache=Cache(redis=Redis(replicas=replicas)))
    cache = next(
        o for o in render(wanted).objects if o["kind"] == "Deployment" and o["metadata"]["name"] == "web-cache"
    )
    assert cache_replicas(wanted.spec) == cache["spec"]["replicas"]
