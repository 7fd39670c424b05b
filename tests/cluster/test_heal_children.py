"""Each child is healed at once, whatever was done to it; and a fight over a field ends as the app says."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pykube
import pytest
from tests.space import Object, Space, app, stays
from tests.timeline import new_space, reaction

from devcluster.audit import AuditLog
from devcluster.cluster import Cluster, wait_for
from devcluster.process import Operator
from haapp.api import names
from haapp.reconcile.fights import BURST, PAUSE

HEALED_SECONDS = 1.0
"""From the watch event to the child as it was."""

FIGHT_SECONDS = 4.0
LOGS = {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}
WEB: Object = {
    "replicas": 2,
    "autoscaling": {"minReplicas": 2, "maxReplicas": 3},
    "ingress": {"host": "web.example.com"},
    "networkPolicy": {"from": []},
    "logSidecar": LOGS,
    "cache": {"redis": {}},
}
DAMAGE: dict[tuple[str, str], Object] = {
    ("serviceaccounts", "web"): {"automountServiceAccountToken": True},
    ("configmaps", "web-log-shipper-config"): {"data": {"fluent-bit.yaml": "intruder"}},
    ("services", "web"): {"spec": {"selector": {names.LABEL_NAME: "intruder"}}},
    ("services", "web-cache"): {"spec": {"trafficDistribution": "PreferClose"}},
    ("deployments", "web-cache"): {"spec": {"replicas": 3}},
    ("networkpolicies", "web"): {"spec": {"podSelector": {"matchLabels": {names.LABEL_NAME: "intruder"}}}},
    ("poddisruptionbudgets", "web"): {"spec": {"maxUnavailable": 2}},
    ("horizontalpodautoscalers", "web"): {"spec": {"maxReplicas": 9}},
    ("ingresses", "web"): {"spec": {"rules": [{"host": "intruder.example.com"}]}},
    ("deployments", "web"): {"spec": {"minReadySeconds": 99}},
}
HEALING = [pytest.param(*child, id="/".join(child)) for child in DAMAGE]


@pytest.fixture(scope="module")
def space(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Space]:
    with new_space(cluster, api) as space:
        space.apply(app(**WEB))
        space.wait_ready()
        yield space


def content(obj: Object) -> Object:
    return {key: part for key, part in obj.items() if key not in ("metadata", "status")}


def seconds_until(right: Callable[[], Any], what: str) -> float:
    began = time.monotonic()
    wait_for(right, 30, what, every=0.02)
    return time.monotonic() - began


@pytest.mark.parametrize(("plural", "name"), HEALING)
def test_what_is_changed_is_changed_back(space: Space, plural: str, name: str) -> None:
    before = space.get(plural, name)
    space.patch(plural, name, DAMAGE[plural, name], manager="intruder")
    took = seconds_until(lambda: content(space.get(plural, name)) == content(before), f"{plural}/{name} as before")
    print(f"{plural}/{name} changed back after {took:.2f} s")
    assert took < reaction(HEALED_SECONDS)
    assert space.get(plural, name)["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.parametrize(("plural", "name"), HEALING)
def test_what_is_deleted_is_made_again(space: Space, plural: str, name: str) -> None:
    before = space.get(plural, name)
    space.delete(plural, name)

    def again() -> bool:
        found = space.find(plural, name)
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    took = seconds_until(again, f"another {plural}/{name}")
    print(f"{plural}/{name} made again after {took:.2f} s")
    assert took < reaction(HEALED_SECONDS)


class Fighter(threading.Thread):
    """A client that sets the Deployment's minReadySeconds to a number of its own whenever it is another one."""

    def __init__(self, cluster: Cluster, space: Space, number: int, over: threading.Event) -> None:
        super().__init__(name=f"fighter {number}")
        self._client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        self._space = Space(self._client, space.name)
        self._number, self._over = number, over
        self.writes = 0

    def run(self) -> None:
        while not self._over.wait(0.02):
            if self._space.get("deployments")["spec"].get("minReadySeconds") != self._number:
                change = {"spec": {"minReadySeconds": self._number}}
                self._space.patch("deployments", "web", change, manager=self.name)
                self.writes += 1
        self._client.session.close()


def test_a_fight_over_a_field_ends_as_the_app_says(cluster: Cluster, space: Space, audit: AuditLog) -> None:
    space.wait_ready()
    mark, began, over = audit.mark(), time.monotonic(), threading.Event()
    fighters = [Fighter(cluster, space, number, over) for number in (101, 102, 103)]
    for fighter in fighters:
        fighter.start()
    try:
        space.wait(lambda: all(f.writes > 1 for f in fighters) and time.monotonic() - began > FIGHT_SECONDS, "a fight")
    finally:
        over.set()
        for fighter in fighters:
            fighter.join()
    fought = time.monotonic() - began

    def ours() -> bool:
        return not space.get("deployments")["spec"].get("minReadySeconds")

    took = seconds_until(ours, "the number that the app asks for")
    wrote = writes(space, audit, mark)
    print(f"{sum(f.writes for f in fighters)} writes of theirs, {wrote} of ours, over after {took:.2f} s")
    assert took < reaction(HEALED_SECONDS)
    assert wrote <= BURST + 1 + (fought + took) / PAUSE, "a fight makes the operator write in a hot loop"
    stays(ours, 1, "it is not over")  # the log has our last write only when it has been answered
    mark = audit.mark()
    stays(ours, 2, "somebody still writes")
    assert writes(space, audit, mark) == 0
    corrected = [event for event in space.items("events") if "minReadySeconds" in event["note"]]
    assert len(corrected) == 1
    space.wait_ready()


def writes(space: Space, audit: AuditLog, mark: int) -> int:
    """How often the operator wrote the Deployment."""
    return sum(
        request.is_write
        and "haapp" in request.user_agent
        and (request.resource, request.name) == ("deployments", "web")
        for request in audit.since(mark)
        if request.namespace == space.name
    )
