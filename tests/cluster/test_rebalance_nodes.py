"""New nodes: a pod moves where that heals the spread, one and no more, and never to and fro between two constraints."""

import time
from collections import Counter
from collections.abc import Iterator

import pykube
import pytest
from tests.space import Object, Space, app, stays
from tests.timeline import Timeline, is_ready, new_space

from devcluster import nodes
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names

PODS = 4
IN_POOL: Object = {"replicas": PODS, "pod": {"nodeSelector": {"pool": "test"}}}
APPS: dict[str, Object] = {
    "moved": {**IN_POOL, "rebalance": {"cooldown": "1s"}},
    "left": {**IN_POOL, "rebalance": {"mode": "Off"}},
}


class Pool:
    """Two apps on nodes of their own: two in zone-a, one in zone-b, and more that come."""

    def __init__(self, cluster: Cluster, space: Space, pods: Timeline) -> None:
        self.cluster, self.space, self.pods = cluster, space, pods

    def homes(self, name: str) -> list[int]:
        """How many ready pods of an app each node in use has, most first."""
        pods = self.space.items("pods", f"{names.LABEL_NAME}={name}")
        return sorted(Counter(pod["spec"]["nodeName"] for pod in pods if is_ready(pod)).values(), reverse=True)

    def ended(self, name: str) -> set[str]:
        """The pods of an app that have begun to end since all were up."""
        return {
            change.name
            for change in list(self.pods.changes)
            if change.name.startswith(name) and "deletionTimestamp" in change.obj["metadata"]
        }

    def add(self, name: str, zone: str) -> None:
        nodes.add_nodes(self.cluster, nodes.Machine(name, zone, labels={"pool": "test"}))


@pytest.fixture(scope="module")
def pool(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Pool]:
    if cluster.folder is None:
        pytest.skip("needs the embedded cluster: it adds machines")
    made = {"pool-1": "zone-a", "pool-2": "zone-a", "pool-3": "zone-b", "pool-4": "zone-a", "pool-5": "zone-b"}
    try:
        with new_space(cluster, api) as space:
            nodes.add_nodes(cluster, *(nodes.Machine(n, made[n], labels={"pool": "test"}) for n in list(made)[:3]))
            space.apply(*(app(name, **spec) for name, spec in APPS.items()))
            space.wait_ready(*APPS)
            with Timeline(cluster, space, "pods") as pods:
                yield Pool(cluster, space, pods)
    finally:
        cluster.kubectl("delete", "node", "--ignore-not-found", *made)


def test_a_move_that_would_hurt_the_zones_is_not_made(pool: Pool) -> None:
    assert pool.homes("moved") == [2, 1, 1]
    pool.add("pool-4", "zone-a")
    spread = pool.space.wait_condition("Spread", "False", "Skewed", name="moved")["message"]
    assert "skew 2 over nodes (pool-1:1 pool-2:1 pool-3:2 pool-4:0)" in spread
    assert pool.space.condition("Ready", "moved")["status"] == "True"
    stays(lambda: not pool.ended("moved"), 4, "a pod leaves the zone that needs it")


def test_one_move_heals_the_nodes(pool: Pool) -> None:
    began = time.monotonic()
    pool.add("pool-5", "zone-b")
    pool.space.wait(lambda: pool.homes("moved") == [1, 1, 1, 1], "one pod on each of four nodes")
    assert len(pool.ended("moved")) == 1
    pool.space.wait_condition("Spread", "True", "Balanced", name="moved")
    (note,) = [note for reason, note in pool.space.events("moved") if reason == "Rebalanced"]
    assert "off pool-3" in note
    assert "kubernetes.io/hostname: pool-3 has 2 pods and pool-" in note
    stays(lambda: len(pool.ended("moved")) == 1, 3, "another pod is moved for nothing")
    assert pool.pods.fewest(lambda pod: pod["metadata"]["name"].startswith("moved") and is_ready(pod), since=began) >= 3


def test_nothing_moves_where_that_is_switched_off(pool: Pool) -> None:
    assert not pool.ended("left")
    spread = pool.space.wait_condition("Spread", "False", "Skewed", name="left")["message"]
    assert "set rebalance.mode: WhenSafe, or raise nodes.maxSkew to 2" in spread
