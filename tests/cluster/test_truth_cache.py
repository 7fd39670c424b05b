"""How near the cache is, told from live pods: it comes up near, moves away, and is noticed."""

import time
from collections.abc import Iterator

import pykube
import pytest
from tests.space import Object, Space, app
from tests.timeline import Timeline, condition_of, new_space, reaction

from devcluster.cluster import Cluster
from devcluster.process import Operator

PATIENCE = 5.0
"""Seconds from what the pods show to what the status says."""

SELECTOR = {"matchLabels": {"app": "redis"}}
STILL = {"mode": "Off"}
"""Nothing brings an app's pods after its cache but the test."""

APPS: dict[str, Object] = {
    "required": {"cache": {"redis": {"replicas": 3}, "whenUnsatisfiable": "DoNotSchedule"}},
    "wished": {"cache": {"redis": {"replicas": 3}}},
    "zonal": {"zones": {"minDomains": 3}, "cache": {"redis": {}, "colocate": "Zone"}},
    "inside": {"cache": {"redis": {}, "colocate": "Pod", "whenUnsatisfiable": "DoNotSchedule"}},
    "selected": {"cache": {"selector": SELECTOR, "whenUnsatisfiable": "DoNotSchedule"}},
}
REDIS: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "redis"},
    "spec": {
        "replicas": 1,
        "selector": SELECTOR,
        "template": {
            "metadata": {"labels": {"app": "redis"}},
            "spec": {"containers": [{"name": "redis", "image": "redis:8-alpine"}], "terminationGracePeriodSeconds": 1},
        },
    },
}


class Caches:
    """The apps of this module and their caches."""

    def __init__(self, cluster: Cluster, space: Space, apps: Timeline) -> None:
        self.cluster, self.space, self.apps = cluster, space, apps

    def move(self, selector: str) -> tuple[Object, float]:
        """Make one cache pod leave its node for good; the pod that went, and when it was told to."""
        pod = self.space.items("pods", selector)[0]
        node = pod["spec"]["nodeName"]
        self.cluster.kubectl("cordon", node)
        try:
            now = time.monotonic()
            self.space.delete("pods", pod["metadata"]["name"])
            self.space.wait(lambda: self.successor(selector, pod) not in (None, node), "the cache pod elsewhere")
        finally:
            self.cluster.kubectl("uncordon", node)
        return pod, now

    def successor(self, selector: str, gone: Object) -> str | None:
        """The node of a cache pod that is younger than one that went."""
        names = [
            pod["spec"].get("nodeName")
            for pod in self.space.items("pods", selector)
            if pod["metadata"]["creationTimestamp"] > gone["metadata"]["creationTimestamp"]
            and "deletionTimestamp" not in pod["metadata"]
        ]
        return names[0] if names else None

    def brought_near(self, name: str, cache: str) -> bool:
        """Whether all pods of the app are near their cache; those that run on another node are deleted."""
        if self.space.condition("CacheColocated", name)["status"] == "True":
            return True
        near = {pod["spec"].get("nodeName") for pod in self.space.items("pods", cache)}
        for pod in self.space.items("pods", f"app.kubernetes.io/name={name}"):
            placed, going = pod["spec"].get("nodeName"), "deletionTimestamp" in pod["metadata"]
            if placed and placed not in near and not going:
                self.space.delete("pods", pod["metadata"]["name"])
        return False

    def turned(self, name: str, since: float, status: str) -> Object:
        """The app as it was when CacheColocated first had that status, which must be soon."""

        def holds(obj: Object) -> bool:
            return obj["metadata"]["name"] == name and condition_of(obj, "CacheColocated").get("status") == status

        change = self.apps.when(f"{name}: CacheColocated={status}", holds, since=since)
        assert change.at - since < reaction(PATIENCE)
        return change.obj


@pytest.fixture(scope="module")
def caches(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Caches]:
    if cluster.folder is None:
        pytest.skip("needs the embedded cluster: it cordons nodes, and writes pods' status")
    with new_space(cluster, api) as space, Timeline(cluster, space, "highavailabilityapps") as apps:
        # The caches come first: where nearness is only wished for, a pod that is placed before its cache may be far.
        space.apply(REDIS, *(app(name, **spec, rebalance=STILL, replicas=0) for name, spec in APPS.items()))
        for name in ("redis", "required-cache", "wished-cache", "zonal-cache"):
            space.wait(lambda name=name: is_up(space.get("deployments", name)), f"the cache {name}")
        space.apply(*(app(name, **spec, rebalance=STILL, replicas=3) for name, spec in APPS.items()))
        space.wait_ready(*APPS)
        yield Caches(cluster, space, apps)


def is_up(deployment: Object) -> bool:
    return bool(deployment["status"].get("readyReplicas") == deployment["spec"]["replicas"])


def cache_of(name: str) -> str:
    return f"app.kubernetes.io/name={name},app.kubernetes.io/component=cache"


def test_all_come_up_near(caches: Caches) -> None:
    for name in APPS:
        status = caches.space.status(name)
        assert status["cache"] == {"colocated": 3, "total": 3}, name
        assert "cache 3/3 near" in status["summary"]
        assert caches.space.condition("CacheColocated", name)["status"] == "True"
    for name in ("required", "wished", "zonal"):
        service = caches.space.get("services", f"{name}-cache")["spec"]
        nearest = "PreferSameZone" if name == "zonal" else "PreferSameNode"
        assert service["trafficDistribution"] == nearest
    assert not caches.space.has("services", "inside-cache")


def test_a_required_cache_that_moves_away_holds_ready_back(caches: Caches) -> None:
    _, now = caches.move(cache_of("required"))
    obj = caches.turned("required", now, "False")
    far = condition_of(obj, "CacheColocated")
    assert far["reason"] == "FarFromCache"
    assert "of 3 ready pods with a ready cache on its node; far from it: required-" in far["message"]
    assert "raise cache.redis.replicas, or set cache.colocate: Zone" in far["message"]
    assert condition_of(obj, "Ready")["reason"] == "FarFromCache"
    assert condition_of(obj, "Ready")["status"] == "False"
    assert "cache: " in obj["status"]["summary"]


def test_a_wished_for_cache_that_moves_away_is_told_and_no_more(caches: Caches) -> None:
    _, now = caches.move(cache_of("wished"))
    obj = caches.turned("wished", now, "False")
    assert condition_of(obj, "CacheColocated")["reason"] == "FarFromCache"
    assert condition_of(obj, "Ready")["status"] == "True"
    assert f"cache {obj['status']['cache']['colocated']}/3 near" in obj["status"]["summary"]
    assert obj["status"]["cache"]["colocated"] < 3
    assert all(
        condition_of(change.obj, "Ready")["status"] == "True"
        for change in list(caches.apps.changes)
        if change.at >= now and change.name == "wished"
    )


def test_a_cache_of_somebody_elses_is_followed(caches: Caches) -> None:
    _, now = caches.move("app=redis")
    obj = caches.turned("selected", now, "False")
    assert condition_of(obj, "Ready")["status"] == "False"
    caches.space.wait(
        lambda: (
            "0 of 3 ready pods with a ready cache" in caches.space.condition("CacheColocated", "selected")["message"]
        )
    )
    caches.space.wait(lambda: caches.brought_near("selected", "app=redis"), "pods near the cache", 120)
    caches.space.wait_ready("selected")


def test_a_cache_in_the_pod_that_fails_is_noticed(caches: Caches) -> None:
    pod = caches.space.items("pods", "app.kubernetes.io/name=inside")[0]
    states = [{**state, "ready": False} for state in pod["status"]["initContainerStatuses"]]
    now = time.monotonic()
    change = {"status": {"initContainerStatuses": states}}
    caches.space.patch("pods", pod["metadata"]["name"], change, subresource="status")
    obj = caches.turned("inside", now, "False")
    assert obj["status"]["cache"] == {"colocated": 2, "total": 3}
    assert f"far from it: {pod['metadata']['name']}; see the log of their container redis" in str(obj["status"])
    assert condition_of(obj, "Ready")["status"] == "False"
