"""Which nodes are domains: selectors, taints and state, one by one."""

from typing import Any

import pytest
from tests.live_cases import node, nodes

from haapp.api.spec import Nodes, PodExtras, Spec, Zones
from haapp.placement.domains import domain_of, eligible_nodes, required_keys, usable_nodes, zones_of
from haapp.placement.model import Node
from haapp.placement.selectors import node_terms_match, selects, tolerated

TAINT = ("gpu", "yes", "NoSchedule")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def spec(**parts: Any) -> Spec:
    return Spec(app={"name": "app", "image": "x"}, **parts)


def names(found: tuple[Node, ...]) -> list[str]:
    return [item.name for item in found]


@pytest.mark.parametrize(
    ("changes", "eligible", "usable"),
    [
        ({}, True, True),
        ({"ready": False}, False, True),
        ({"unschedulable": True}, False, True),
        ({"taints": (("node.kubernetes.io/unreachable", "", "NoExecute"),)}, False, True),
        ({"taints": (TAINT,)}, False, False),
        ({"taints": (("gpu", "yes", "NoExecute"),)}, False, False),
        ({"taints": (("gpu", "yes", "PreferNoSchedule"),)}, True, True),
    ],
)
def test_state_and_taints_decide(changes: dict[str, Any], eligible: bool, usable: bool) -> None:
    candidates = (node("n", "a", **changes),)
    assert bool(eligible_nodes(spec(), candidates)) is eligible
    assert bool(usable_nodes(spec(), candidates)) is usable


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "gpu", "operator": "Exists"}, True),
        ({"key": "gpu", "value": "yes"}, True),
        ({"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}, True),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "gpu"}, False),
    ],
)
def test_a_toleration_lets_a_taint_be(toleration: dict[str, str], expected: bool) -> None:
    assert tolerated(TAINT, [toleration]) is expected
    allowed = spec(pod=PodExtras(tolerations=(toleration,)))
    assert bool(eligible_nodes(allowed, (node("n", "a", taints=(TAINT,)),))) is expected


def test_only_the_zones_named_count() -> None:
    found = eligible_nodes(spec(zones=Zones(names=("a", "c"))), nodes(a=1, b=1, c=1))
    assert zones_of(found) == ("a", "c")


def test_the_node_selector_counts() -> None:
    there = (node("n1", "a", labels=(("disk", "ssd"),)), node("n2", "a"))
    assert names(eligible_nodes(spec(pod=PodExtras(node_selector={"disk": "ssd"})), there)) == ["n1"]


def test_a_required_node_affinity_counts_and_a_preferred_one_does_not() -> None:
    there = (node("n1", "a", labels=(("disk", "ssd"),)), node("n2", "a"))
    expression = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    required = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [expression]}}}
    preferred = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"preference": expression}]}}
    assert names(eligible_nodes(spec(pod=PodExtras(affinity=required)), there)) == ["n1"]
    assert names(eligible_nodes(spec(pod=PodExtras(affinity=preferred)), there)) == ["n1", "n2"]


def test_a_node_without_a_zone_is_passed_over_where_the_spread_over_zones_is_required() -> None:
    there = (node("n1", "a"), node("n2", None))
    assert names(eligible_nodes(spec(zones=Zones()), there)) == ["n1"]
    assert names(eligible_nodes(spec(zones=Zones(when_unsatisfiable="ScheduleAnyway")), there)) == ["n1", "n2"]
    assert names(eligible_nodes(spec(nodes=Nodes(when_unsatisfiable="DoNotSchedule")), there)) == ["n1", "n2"]


def test_a_required_further_level_needs_its_label_too() -> None:
    rack = {"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    there = (node("n1", "a", labels=(("rack", "r1"),)), node("n2", "a"))
    assert names(eligible_nodes(spec(spread=(rack,)), there)) == ["n1"]
    assert required_keys(spec(spread=(rack,))) == {"rack"}
    assert domain_of(there[0], "rack") == "r1"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "x", "operator": "In", "values": ["5", "6"]}, True),
        ({"key": "y", "operator": "In", "values": ["5"]}, False),
        ({"key": "x", "operator": "NotIn", "values": ["5"]}, False),
        ({"key": "y", "operator": "NotIn", "values": ["5"]}, True),
        ({"key": "x", "operator": "Exists"}, True),
        ({"key": "y", "operator": "DoesNotExist"}, True),
        ({"key": "x", "operator": "Gt", "values": ["4"]}, True),
        ({"key": "x", "operator": "Gt", "values": ["5"]}, False),
        ({"key": "x", "operator": "Lt", "values": ["6"]}, True),
        ({"key": "y", "operator": "Lt", "values": ["6"]}, False),
        ({"key": "x", "operator": "Lt", "values": ["many"]}, False),
        ({"key": "x", "operator": "Like", "values": ["5"]}, False),
    ],
)
def test_an_expression_matches_labels(expression: dict[str, Any], expected: bool) -> None:
    assert node_terms_match([{"matchExpressions": [expression]}], "n", {"x": "5"}) is expected


def test_terms_are_alternatives_and_an_empty_one_matches_nothing() -> None:
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}
    assert node_terms_match([{}, by_name], "n", {})
    assert not node_terms_match([{}], "n", {})


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, True),
        ({"matchLabels": {"app": "redis"}}, True),
        ({"matchLabels": {"app": "redis", "role": "db"}}, False),
        ({"matchExpressions": [{"key": "role", "operator": "In", "values": ["cache"]}]}, True),
        ({"matchLabels": {"app": "redis"}, "matchExpressions": [{"key": "role", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_label_selector_selects(selector: dict[str, Any], expected: bool) -> None:
    assert selects(selector, {"app": "redis", "role": "cache"}) is expected
