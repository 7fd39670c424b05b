"""The share of time in which enough pods are ready: held against enumeration, and against a simulation by chance."""

import random
from itertools import product
from math import isclose, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.render_support import app_of
from tests.simulation_cases import machines

from haapp.simulation.availability import DAY, YEAR, Availability, Rates, availability
from haapp.simulation.changes import changes

OFTEN = Rates(node_mtbf=9 * DAY, node_repair=DAY, zone_mtbf=19 * DAY, zone_repair=DAY)
"""Nodes are down for a tenth of the time, zones for a twentieth: then chance shows what there is to see."""

Zones = list[dict[str, int]]


def enumerated(zones: Zones, keep: int, rates: Rates) -> float:
    """Every combination of zones and nodes that are up, one by one."""
    nodes = [(zone, pods) for zone, names in enumerate(zones) for pods in names.values()]
    down = 0.0
    for up in product((True, False), repeat=len(zones) + len(nodes)):
        zone_up, node_up = up[: len(zones)], up[len(zones) :]
        probability = 1.0
        for state, share in [*((it, rates.zone_down) for it in zone_up), *((it, rates.node_down) for it in node_up)]:
            probability *= 1 - share if state else share
        ready = sum(pods for (zone, pods), state in zip(nodes, node_up, strict=True) if state and zone_up[zone])
        down += probability if ready < keep else 0.0
    return down


layouts = st.lists(
    st.lists(st.integers(0, 3), max_size=3).map(lambda pods: {str(at): number for at, number in enumerate(pods)}),
    max_size=3,
)


@settings(max_examples=100, deadline=None)
@given(layouts, st.integers(0, 6), st.sampled_from((Rates(), OFTEN)))
def test_it_is_what_enumeration_gives(zones: Zones, keep: int, rates: Rates) -> None:
    assert isclose(availability(zones, keep, rates).down, enumerated(zones, keep, rates), rel_tol=1e-9, abs_tol=1e-15)


@pytest.mark.parametrize("keep", [1, 4, 6])
def test_it_is_what_a_long_time_of_failures_and_repairs_shows(keep: int) -> None:
    """Every node and zone fails and is repaired at random moments (exponential times); the share of the time in which
    enough pods are ready is measured over many pieces of time, whose scatter says how exact the measure is."""
    zones: Zones = [{"a1": 2, "a2": 1}, {"b1": 2}, {"c1": 1}]
    rng = random.Random(7)  # noqa: S311
    pieces = [_measured(zones, keep, OFTEN, rng, 2000 * DAY) for _ in range(60)]
    mean = sum(pieces) / len(pieces)
    scatter = sqrt(sum((piece - mean) ** 2 for piece in pieces) / (len(pieces) - 1) / len(pieces))
    assert abs(availability(zones, keep, OFTEN).share - mean) < 4 * scatter
    assert scatter < 0.02


def _measured(zones: Zones, keep: int, rates: Rates, rng: random.Random, length: float) -> float:
    parts = [(rates.zone_mtbf, rates.zone_repair) for _ in zones]
    owners = [zone for zone, nodes in enumerate(zones) for _ in nodes]
    pods = [number for nodes in zones for number in nodes.values()]
    parts += [(rates.node_mtbf, rates.node_repair)] * len(pods)
    up = [rng.random() >= repair / (mtbf + repair) for mtbf, repair in parts]
    due = [rng.expovariate(1 / times[not state]) for times, state in zip(parts, up, strict=True)]
    now = enough = 0.0
    while now < length:
        at = min(range(len(parts)), key=due.__getitem__)
        ready = sum(n for i, n in enumerate(pods) if up[len(zones) + i] and up[owners[i]])
        enough += (min(due[at], length) - now) * (ready >= keep)
        now, up[at] = due[at], not up[at]
        due[at] = now + rng.expovariate(1 / parts[at][not up[at]])
    return enough / length


def test_nines_and_time_down() -> None:
    found = Availability(1, 0.0001)
    assert isclose(found.nines, 4)
    assert isclose(found.down_per_year, YEAR / 10_000)
    assert availability([{"a": 1}], 2, Rates()).share == 0
    assert availability([{"a": 1}], 0, Rates()).nines == float("inf")


def test_one_node_is_down_as_often_as_it_fails_or_its_zone_does() -> None:
    rates = Rates()
    expected = 1 - (1 - rates.node_down) * (1 - rates.zone_down)
    assert isclose(availability([{"a": 3}], 1, rates).down, expected)


def test_the_changes_that_are_not_so_already() -> None:
    names = [change.name for change in changes(app_of({}), machines(2, "ab"))]
    assert names == ["nodes.antiAffinity: Required", "a third zone", "replicas: 4"]
    assert [change.name for change in changes(app_of({"nodes": {"antiAffinity": "Required"}}), machines())] == [
        "replicas: 4"
    ]


def test_a_further_zone_is_like_the_largest_and_may_be_used() -> None:
    app = app_of({"zones": {"names": ["a", "b"]}})
    (change,) = (it for it in changes(app, [*machines(1, "a"), *machines(2, "b")]) if it.name == "a third zone")
    new = [machine for machine in change.machines if machine.zone == "zone-new"]
    assert [machine.name for machine in new] == ["zone-new-1", "zone-new-2"]
    assert change.app.spec.zones is not None
    assert change.app.spec.zones.names == ("a", "b", "zone-new")
