"""Whole layouts: what is possible, what survives, and how rollouts end."""

from typing import Any

import pytest
from tests.render_support import app_of
from tests.simulation_cases import layout, machines, node

from haapp.simulation.layout import after_loss
from haapp.simulation.machines import Machine, machine_of
from haapp.simulation.outcomes import outcomes
from haapp.simulation.rollout import play

SHARED_ANTI_AFFINITY = {
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "shop"}},
                }
            ]
        }
    }
}
"""Of the user's own: it keeps old and new pods apart."""


def possible(spec: dict[str, Any], there: list[Machine]) -> set[tuple[tuple[int, ...], int]]:
    found = outcomes(layout(spec, there))
    assert found.complete
    return {(tuple(number for _, number in zones), pending) for zones, pending in found.found}


def test_the_scheduler_draws_lots_among_equal_zones() -> None:
    assert possible({"replicas": 4, "zones": {}}, machines()) == {((2, 1, 1), 0), ((1, 2, 1), 0), ((1, 1, 2), 0)}
    assert possible({"replicas": 6, "zones": {}}, machines()) == {((2, 2, 2), 0)}


def test_what_does_not_fit_stays_pending_with_the_schedulers_message() -> None:
    spec = {"replicas": 7, "nodes": {"antiAffinity": "Required"}}
    found = layout(spec, machines())
    assert (found.app.placed, found.app.pending) == (6, 1)
    assert found.app.message == "0/6 nodes are available: 6 node(s) didn't match pod anti-affinity rules."
    assert possible(spec, machines()) == {((2, 2, 2), 1)}


def test_too_much_to_try_is_said() -> None:
    found = outcomes(layout({"replicas": 9}, machines(4, "abcd")), effort=50)
    assert not found.complete


def test_the_worst_losses() -> None:
    losses = layout({"replicas": 5, "zones": {}}, machines(1)).losses()
    assert {name: (loss.ready_left, loss.worst) for name, loss in losses.items()} == {
        "zone": (3, "a"),
        "node": (3, "a1"),
    }


def lost(spec: dict[str, Any], there: list[Machine], zone: str) -> tuple[int, dict[str, int], int]:
    found = layout(spec, there)
    after, left = after_loss(found, lambda machine: machine.zone == zone)
    return left, after.by_zone(after.app), after.app.pending


def test_pods_of_a_lost_zone_go_elsewhere_unless_that_is_forbidden() -> None:
    assert lost({"replicas": 6, "zones": {}}, machines(), "a") == (4, {"a": 0, "b": 3, "c": 3}, 0)
    assert lost({"replicas": 6, "zones": {"minDomains": 3}}, machines(), "a") == (4, {"a": 0, "b": 2, "c": 2}, 2)


def test_pods_that_tolerate_everything_stay_on_a_lost_node() -> None:
    spec = {"replicas": 3, "zones": {}, "pod": {"tolerations": [{"operator": "Exists"}]}}
    assert lost(spec, machines(1), "a") == (2, {"a": 1, "b": 1, "c": 1}, 0)


def test_losing_everything_leaves_everything_pending() -> None:
    assert lost({"replicas": 2}, machines(1, "a"), "a") == (0, {"a": 0}, 2)


@pytest.mark.parametrize(
    ("spec", "per_zone", "verdict"),
    [
        ({"replicas": 3, "zones": {}}, 1, "finishes"),
        ({"replicas": 3, "nodes": {"antiAffinity": "Required"}}, 1, "finishes"),
        ({"replicas": 3, "pod": SHARED_ANTI_AFFINITY}, 1, "cannot finish"),
        ({"replicas": 3, "pod": SHARED_ANTI_AFFINITY, "rollout": {"maxUnavailable": 1}}, 1, "finishes"),
        ({"replicas": 3, "pod": SHARED_ANTI_AFFINITY}, 2, "finishes"),
        ({"replicas": 3, "rollout": {"maxSurge": 0, "maxUnavailable": "10%"}}, 1, "finishes"),
        ({"replicas": 5, "zones": {"maxSkew": 1}, "pod": SHARED_ANTI_AFFINITY}, 2, "may get stuck"),
    ],
)
def test_how_a_rollout_ends(spec: dict[str, Any], per_zone: int, verdict: str) -> None:
    played = play(layout(spec, machines(per_zone)))
    assert played.verdict == verdict
    assert bool(played.message) is (verdict != "finishes")


def test_a_rollout_that_stands_still_says_where() -> None:
    played = play(layout({"replicas": 3, "pod": SHARED_ANTI_AFFINITY}, machines(1)))
    assert (sum(played.old.values()), sum(played.new.values()), played.pending) == (3, 0, 1)
    assert "anti-affinity" in played.message


def test_a_rollout_that_is_too_large_to_try_is_not_known() -> None:
    assert play(layout({"replicas": 9}, machines(4, "abcd")), effort=50).verdict == "not known"


def test_a_rollout_needs_room_for_its_surge() -> None:
    small = [machine_of(node("n", "a", {"cpu": "1", "memory": "8Gi", "pods": "110"}))]
    spec = {"replicas": 1, "app": {"image": "a:1", "resources": {"requests": {"cpu": "600m"}}}}
    assert play(layout(app_of(spec), small)).verdict == "cannot finish"
