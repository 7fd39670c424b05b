"""What the cluster cannot give is told at once: as a Warning Event and in the condition, with the number to change."""

from collections.abc import Iterator

import pykube
import pytest
from tests.space import Object, Space, app
from tests.timeline import new_space

from devcluster.cluster import Cluster
from devcluster.process import Operator

OWN = {"matchLabels": {"app.kubernetes.io/name": "deadlock"}}
ALONE = [{"topologyKey": "kubernetes.io/hostname", "labelSelector": OWN}]
CACHE = {"selector": {"matchLabels": {"app": "redis"}}, "whenUnsatisfiable": "DoNotSchedule"}
CASES: dict[str, tuple[Object, str, str, str]] = {
    "zones": ({"zones": {"minDomains": 4}}, "TooFewZones", "spec.zones.minDomains", "lower zones.minDomains to 3"),
    "nodes": (
        {"replicas": 7, "nodes": {"antiAffinity": "Required"}},
        "TooFewNodes",
        "spec.nodes.antiAffinity",
        "replicas is 7: lower it to 6",
    ),
    "cache": ({"cache": CACHE}, "CacheNotFound", "spec.cache.selector", "cache.selector finds no pod"),
    "deadlock": (
        {
            "replicas": 6,
            "pod": {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": ALONE}}},
        },
        "RolloutDeadlock",
        "spec.pod.affinity.podAntiAffinity",
        "set rollout.maxUnavailable to 1",
    ),
    "budget": (
        {"replicas": 2, "disruptionBudget": {"minAvailable": 2}},
        "BudgetBlocksDrains",
        "spec.disruptionBudget.minAvailable",
        "lower it to 1",
    ),
    "keep": (
        {"replicas": 2, "zones": {"keepReady": 2}},
        "KeepReadyImpossible",
        "spec.zones.keepReady",
        "raise replicas to 3, or lower zones.keepReady to 1",
    ),
}


@pytest.fixture(scope="module")
def space(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Space]:
    with new_space(cluster, api) as space:
        space.apply(*(app(name, **spec) for name, (spec, *_) in CASES.items()))
        yield space


@pytest.mark.parametrize("name", CASES)
def test_a_contradiction_is_told(space: Space, name: str) -> None:
    _, reason, field, advice = CASES[name]
    reconciled = space.wait_condition("Reconciled", "True", reason, name=name)
    assert advice in reconciled["message"]
    space.wait(lambda: warnings(space, name, reason), f"a Warning Event {reason}")
    (event,) = warnings(space, name, reason)
    assert event["note"].startswith(field)
    assert advice in event["note"]
    assert reason in space.status(name)["summary"]


def test_it_is_taken_back_when_it_is_put_right(space: Space) -> None:
    space.apply(app("budget", replicas=2, disruptionBudget={"minAvailable": 1}), app("zones", zones={"minDomains": 3}))
    for name in ("budget", "zones"):
        space.wait_condition("Reconciled", "True", "Reconciled", name=name)
    space.wait_ready("budget", "zones")


def test_a_blocked_rollout_is_what_was_foretold(space: Space) -> None:
    """The rollout that was called a deadlock is one, and the number that was named sets it free."""
    space.wait_ready("deadlock")
    spec = CASES["deadlock"][0]
    image = {"image": "example/web:2"}
    quick = {"minReadySeconds": 0, "drainSeconds": 0}
    space.apply(app("deadlock", **spec, app=image, rollout=quick))
    space.wait_condition("Spread", "False", "Unschedulable", name="deadlock")
    space.wait(lambda: space.get("deployments", "deadlock")["status"].get("updatedReplicas") == 1, "one new pod")
    assert space.get("deployments", "deadlock")["status"]["readyReplicas"] == 6
    space.apply(app("deadlock", **spec, app=image, rollout={**quick, "maxUnavailable": 1}))
    space.wait_ready("deadlock")
    space.wait(lambda: space.get("deployments", "deadlock")["status"]["updatedReplicas"] == 6, "six new pods")


def warnings(space: Space, name: str, reason: str) -> list[Object]:
    return [
        item
        for item in space.items("events")
        if item["regarding"]["name"] == name and item["reason"] == reason and item["type"] == "Warning"
    ]
