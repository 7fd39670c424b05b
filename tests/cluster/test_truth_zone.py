"""A zone is tainted, cordoned, dies and returns: the status turns with it, and the pods come back without a gap."""

import time
from collections.abc import Callable, Iterator

import pykube
import pytest
from tests.space import Object, Space, app
from tests.timeline import Timeline, condition_of, is_ready, new_space, reaction

from devcluster import nodes
from devcluster.cluster import Cluster
from devcluster.process import Operator

PATIENCE = 5.0
"""Seconds from what the pods or nodes show to what the status says."""

ZONE = "zone-c"
PODS = 6
GONE_SOON = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
    for key in ("unreachable", "not-ready")
]
SOFT: Object = {
    "replicas": PODS,
    "zones": {"whenUnsatisfiable": "ScheduleAnyway", "keepReady": 4},
    "pod": {"tolerations": GONE_SOON},
    "rebalance": {"cooldown": "1s"},
}
APPS = {
    "hard": {**SOFT, "zones": {"minDomains": 3, "keepReady": 4}},
    "soft": SOFT,
    "held": {**SOFT, "disruptionBudget": {"minAvailable": PODS}},
}


class Play:
    """The apps of this module in one namespace, with all that becomes of them and their pods."""

    def __init__(self, cluster: Cluster, space: Space, apps: Timeline, pods: Timeline) -> None:
        self.cluster, self.space, self.apps, self.pods = cluster, space, apps, pods

    def told(self, name: str, kind: str, status: str, *says: str, since: float) -> str:
        """Wait for a condition of an app whose reason and message contain all of `says`; returns the message. Fails if
        that comes too late after `since`."""

        def holds(obj: Object) -> bool:
            found = condition_of(obj, kind)
            text = f"{found.get('reason')}: {found.get('message')}"
            return bool(
                obj["metadata"]["name"] == name and found.get("status") == status and all(part in text for part in says)
            )

        change = self.apps.when(f"{name}: {kind}={status} {says}", holds, since=since)
        print(f"{name}: {kind}={status} after {change.at - since:.2f} s")
        assert change.at - since < reaction(PATIENCE)
        return str(condition_of(change.obj, kind)["message"])

    def pods_of(self, name: str) -> list[Object]:
        return self.space.items("pods", f"app.kubernetes.io/name={name}")

    def zones(self, name: str) -> list[int]:
        """Ready pods of an app by zone, most first."""
        homes = [pod["spec"]["nodeName"].rpartition("-")[0] for pod in self.pods_of(name) if is_ready(pod)]
        return sorted((homes.count(zone) for zone in nodes.ZONES), reverse=True)

    def evicted(self, name: str, since: float) -> int:
        """How many pods of an app began to end from `since` on."""
        ends: dict[str, float] = {}
        for change in list(self.pods.changes):
            if change.name.startswith(name) and "deletionTimestamp" in change.obj["metadata"]:
                ends.setdefault(change.name, change.at)
        return sum(at >= since for at in ends.values())


@pytest.fixture(scope="module")
def play(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Play]:
    if cluster.folder is None:
        pytest.skip("needs the embedded cluster: it switches machines off")
    with new_space(cluster, api) as space:
        space.apply(*(app(name, **spec) for name, spec in APPS.items()))
        space.wait_ready(*APPS)
        with Timeline(cluster, space, "highavailabilityapps") as apps, Timeline(cluster, space, "pods") as pods:
            yield Play(cluster, space, apps, pods)


@pytest.fixture(params=["tainted", "cordoned"])
def closed(request: pytest.FixtureRequest, play: Play) -> Iterator[Callable[[bool], None]]:
    names = nodes.node_names(play.cluster, ZONE)

    def switch(close: bool) -> None:
        if request.param == "cordoned":
            play.cluster.kubectl("cordon" if close else "uncordon", *names)
        else:
            play.cluster.kubectl("taint", "node", *names, f"test=closed:NoSchedule{'' if close else '-'}")

    yield switch
    if any(
        item["key"] in ("test", "node.kubernetes.io/unschedulable") for item in nodes.taints(play.cluster, names[0])
    ):
        switch(False)


def test_a_closed_zone_is_no_domain(play: Play, closed: Callable[[bool], None]) -> None:
    now = time.monotonic()
    closed(True)
    there = "2 zones (zone-a, zone-b) of the 3 that zones.minDomains asks for"
    spread = play.told("hard", "Spread", "False", "TooFewDomains", there, "lower zones.minDomains to 2", since=now)
    play.told("hard", "Ready", "False", "TooFewDomains", spread, since=now)
    assert there in play.space.status("hard")["summary"]
    assert play.space.condition("Ready", "soft")["status"] == "True"
    now = time.monotonic()
    closed(False)
    play.told("hard", "Ready", "True", since=now)
    play.told("hard", "Spread", "True", since=now)


def test_a_zone_whose_nodes_are_deleted_is_gone(play: Play) -> None:
    lost = [machine for machine in nodes.machines() if machine.zone == ZONE]
    now = time.monotonic()
    try:
        play.cluster.kubectl("delete", "node", *(machine.name for machine in lost))
        play.told("hard", "Spread", "False", "TooFewDomains", "2 zones (zone-a, zone-b) of the 3", since=now)
        left = "2 of 4 ready pods would be left without zone zone-a"
        play.told("hard", "SurvivesZoneLoss", "False", "TooFewLeft", left, since=now)
        play.told("hard", "Ready", "False", left, since=now)
    finally:
        now = time.monotonic()
        nodes.add_nodes(play.cluster, *lost)
    play.told("hard", "Ready", "True", since=now)
    play.space.wait_ready(*APPS)


def test_a_zone_dies_and_returns(play: Play) -> None:
    try:
        the_zone_dies(play)
    finally:
        back = time.monotonic()
        nodes.set_zone_ready(play.cluster, ZONE, ready=True)
    the_zone_returns(play, back)


def the_zone_dies(play: Play) -> None:
    began = time.monotonic()
    nodes.set_zone_ready(play.cluster, ZONE, ready=False)
    lost = last_lost(play, began)
    left = "2 of 4 ready pods would be left without zone zone-a; zones.keepReady asks for 4"
    survives = play.told("hard", "SurvivesZoneLoss", "False", "TooFewLeft", left, since=lost)
    assert "bring back or add a zone that the pods may use, or lower zones.minDomains to 2" in survives
    play.told("hard", "Ready", "False", left, since=lost)
    play.told("hard", "Spread", "False", "zone", since=lost)
    play.told("soft", "Ready", "False", "SurvivesZoneLoss: ", since=lost)
    waiting = "2 of 6 pods cannot be scheduled: 0/6 nodes are available: "
    play.space.wait(lambda: waiting in play.space.condition("Spread", "hard")["message"], waiting)
    spread = play.space.condition("Spread", "hard")
    assert spread["reason"] == "Unschedulable"
    assert "didn't match pod topology spread constraints" in spread["message"]
    assert "bring back the nodes that are not ready" in spread["message"]
    play.space.wait(lambda: play.zones("soft") == [3, 3, 0], "the pods of soft in the zones that are left")
    whole = "3 of 6 ready pods would be left"
    play.space.wait(lambda: whole in play.space.condition("SurvivesZoneLoss", "soft")["message"], whole)


def last_lost(play: Play, began: float) -> float:
    """When the last pod on the dead zone's nodes was seen not ready."""
    return max(
        change.at
        for change in list(play.pods.changes)
        if change.at >= began
        and change.obj["spec"].get("nodeName", "").startswith(ZONE)
        and condition_of(change.obj, "Ready").get("reason") == "NodeNotReady"
    )


def the_zone_returns(play: Play, back: float) -> None:
    play.space.wait(lambda: play.zones("hard") == [2, 2, 2], "hard balanced again", timeout=60)
    play.space.wait(lambda: play.zones("soft") == [2, 2, 2], "soft balanced again, by evictions", timeout=60)
    play.space.wait_ready("hard", "soft")
    assert play.space.wait_condition("Spread", reason="Balanced", name="soft")
    assert play.evicted("soft", back) == 2
    moved = [note for reason, note in play.space.events("soft") if reason == "Rebalanced"]
    assert len(moved) == 2
    assert all("zone-c 0" in note or "zone-c 1" in note for note in moved)
    floor = fewest(play, "soft", back)
    assert floor >= PODS - 1, f"only {floor} pods were ready while pods were moved"
    assert play.evicted("held", back) == 0
    assert fewest(play, "held", back) == PODS
    play.space.apply(app("held", **{**SOFT, "disruptionBudget": {"maxUnavailable": 1}}))
    play.space.wait(lambda: play.zones("held") == [2, 2, 2], "held balanced, once its budget allows it", timeout=60)
    assert fewest(play, "held", back) >= PODS - 1


def fewest(play: Play, name: str, since: float) -> int:
    """The least number of pods of an app that were ready at one time."""

    def counts(pod: Object) -> bool:
        return bool(pod["metadata"]["labels"]["app.kubernetes.io/name"] == name and is_ready(pod))

    return play.pods.fewest(counts, since=since)
