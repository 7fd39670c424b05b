"""An operator that may not read nodes says what the pods tell, and claims nothing about zones."""

from typing import Any

import pytest
from tests.live_cases import app, deployment, observed, pods

from haapp.api.spec import Cache, Zones
from haapp.placement.rebalance import decide
from haapp.status import assess


def told(there: Any, **spec: Any) -> dict[str, Any]:
    status = assess(app(**spec), observed(there, (), cache_pods=pods("a1", prefix="c", component="cache")), {})
    return {**status, **{c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}}


def test_pods_are_ready_by_their_own_word() -> None:
    status = told(pods("a1", "b1", "b1"))
    assert status["readyReplicas"] == 3
    assert status["summary"] == "3/3 ready"
    assert status["Ready"] == ("True", "Ready")
    assert status["placement"]["nodes"] == 2
    assert not told(pods("a1", ready=False))["readyReplicas"]


def test_nothing_is_claimed_of_zones() -> None:
    status = told(pods("a1", "b1", "c1"))
    assert status["Spread"] == ("Unknown", "ZonesUnknown")
    assert status["SurvivesZoneLoss"] == ("Unknown", "ZonesUnknown")
    assert status["SurvivesNodeLoss"] == ("True", "EnoughLeft"), "the pods name their nodes"
    assert status["columns"]["survives"] == "node"


@pytest.mark.parametrize("zones", [Zones(), Zones(min_domains=2), Zones(keep_ready=1)])
def test_what_is_required_and_cannot_be_judged_is_not_ready(zones: Zones) -> None:
    status = told(pods("a1", "b1", "c1"), zones=zones)
    assert status["Ready"] == ("Unknown", "ZonesUnknown")


def test_a_cache_is_near_on_the_same_node_and_may_be_in_the_same_zone() -> None:
    selector = {"matchLabels": {"app": "cache"}}
    assert told(pods("a1"), cache=Cache(colocate="Node", selector=selector))["CacheColocated"] == ("True", "Colocated")
    assert told(pods("a1"), cache=Cache(colocate="Zone", selector=selector))["CacheColocated"][0] == "Unknown"


def test_no_pod_is_moved() -> None:
    there = observed(pods("a1", "a1", "a1"), (), deployment=deployment(3))
    assert decide(app(zones=Zones()).spec, there, None, 0).move is None
