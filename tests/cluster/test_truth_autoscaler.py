"""An autoscaler that measures what pods use scales them up and down; the operator only follows, and says so."""

import os
from collections.abc import Iterator
from pathlib import Path

import pykube
import pytest
from tests import rights
from tests.programs import program
from tests.space import Object, Space, app, stays
from tests.timeline import new_space

from devcluster import cluster as clusters
from devcluster import nodes
from devcluster.audit import audit_log
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names

PREFIX = "metered-"
pytestmark = pytest.mark.timeout(900)  # the first time it builds the metrics-server

CRDS = sorted((Path(__file__).parents[2] / "crds").glob("*.yaml"))
SCALED_SECONDS = 90.0
"""The metrics-server looks every ten seconds, and believes what it has seen twice."""

IDLE = {"kwok.x-k8s.io/usage-cpu": "10m"}
BUSY = {"kwok.x-k8s.io/usage-cpu": "400m"}
WEB: Object = {
    "app": {"image": "example/web:1", "resources": {"requests": {"cpu": "100m"}}},
    "autoscaling": {
        "minReplicas": 2,
        "maxReplicas": 5,
        "targetCPUUtilizationPercentage": 80,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    },
    "pod": {"annotations": BUSY},
}


@pytest.fixture(scope="module")
def metered() -> Iterator[Cluster]:
    """A cluster of its own, with a metrics API."""
    if os.environ.get("CONTEXT"):
        pytest.skip("makes a cluster of its own, with usage that can be told")
    program("metrics-server")
    clusters.delete_leftovers(PREFIX)
    name = f"{PREFIX}{os.getpid()}"
    try:
        made = clusters.create(name, metrics=True)
        nodes.add_nodes(made, *nodes.machines(per_zone=1))
        made.install_crds(*CRDS)
        yield made
    finally:
        clusters.delete(name)


@pytest.fixture
def space(metered: Cluster, tmp_path: Path) -> Iterator[Space]:
    rights.install(metered)
    operator = Operator(metered, tmp_path, environment={"KUBECONFIG": str(rights.kubeconfig(metered, tmp_path))})
    operator.start()
    client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(metered.kubeconfig)))
    try:
        with new_space(metered, client) as space:
            yield space
    finally:
        client.session.close()
        operator.stop()


def test_it_scales_up_and_down_with_what_pods_use(metered: Cluster, space: Space) -> None:
    audit = audit_log(metered)
    space.apply(app(**WEB))
    space.wait(lambda: space.status().get("columns", {}).get("replicas") == "2/2", "two ready pods")
    mark = audit.mark()
    space.wait(lambda: space.status()["columns"]["replicas"] == "5/5", "five ready pods", SCALED_SECONDS)
    assert space.get("horizontalpodautoscalers")["status"]["desiredReplicas"] == 5
    use(space, IDLE)
    space.wait(lambda: space.status()["columns"]["replicas"] == "2/2", "two ready pods", SCALED_SECONDS)
    space.wait_ready()
    stays(lambda: space.get("deployments")["spec"]["replicas"] == 2, 3, "somebody scales it up again")

    ours = [
        r for r in audit.since(mark) if r.is_write and r.user_agent.startswith("haapp") and r.namespace == space.name
    ]
    assert {request.resource for request in ours} <= {f"{names.PLURAL}/status", "events"}
    assert ("Normal", "DriftCorrected") not in {(e["type"], e["reason"]) for e in space.items("events")}


def use(space: Space, usage: Object) -> None:
    """From now on every pod that there is uses so much."""
    for pod in space.items("pods"):
        space.patch("pods", pod["metadata"]["name"], {"metadata": {"annotations": usage}})
