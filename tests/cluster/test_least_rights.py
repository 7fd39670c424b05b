"""The operator of one namespace under the rights of manifests/namespaced, and no more: it reads no node, no CRD."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests import rights
from tests.space import Space, app, stays

from devcluster.audit import AuditLog
from devcluster.cluster import Cluster
from devcluster.process import Operator

MANIFESTS = Path(__file__).parents[2] / "manifests" / "namespaced"


def shipped(cluster: Cluster) -> str:
    """What `kubectl apply -k` would apply, but for the operator's own pods."""
    objects = yaml.safe_load_all(cluster.kubectl("kustomize", str(MANIFESTS)))
    return yaml.safe_dump_all([obj for obj in objects if obj["kind"] in rights.OF_RIGHTS])


@pytest.fixture
def limited(
    cluster: Cluster, space: Space, operator: Operator, start_operator: Callable[..., Operator], tmp_path: Path
) -> Iterator[Operator]:
    """An operator of this namespace under its ServiceAccount; no other is at work."""
    cluster.kubectl("apply", "-n", space.name, "-f", "-", stdin=shipped(cluster))
    can_list = ["auth", "can-i", "list", "pods", f"--as={user(space)}", "-n", space.name]
    space.wait(lambda: "yes" in cluster.kubectl(*can_list), "the rights")
    operator.stop()
    kubeconfig = rights.kubeconfig(cluster, tmp_path, namespace=space.name)
    yield start_operator(f"--namespace={space.name}", KUBECONFIG=str(kubeconfig), POD_NAMESPACE=space.name)
    operator.start()


@pytest.fixture
def elsewhere(cluster: Cluster, space: Space) -> Iterator[Space]:
    """Another namespace."""
    other = Space(space.api, f"{space.name}-other")
    cluster.kubectl("create", "namespace", other.name)
    yield other
    cluster.kubectl("delete", "namespace", other.name, "--wait=false")


def user(space: Space) -> str:
    return f"system:serviceaccount:{space.name}:haapp-operator"


def test_one_namespace(space: Space, elsewhere: Space, limited: Operator, audit: AuditLog) -> None:
    elsewhere.apply(app(replicas=1))
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
    space.apply(
        settings,
        app("soft", replicas=2, pod={"volumes": [{"name": "c", "configMap": {"name": "settings"}}]}),
        app("strict", replicas=2, zones={}, cache={"redis": {}}),
        app("short", replicas=1, autoscaling={"minReplicas": 1, "maxReplicas": 2}),
    )
    space.wait_ready("soft", "short")
    space.wait(lambda: space.status("strict").get("readyReplicas") == 2, "two pods that are ready")
    # Zones are not known: what is required of them and cannot be judged is not claimed.
    assert space.condition("Ready", "strict")["reason"] == "ZonesUnknown"
    for name in ("soft", "strict"):
        for condition in ("Spread", "SurvivesZoneLoss"):
            assert space.condition(condition, name)["status"] == "Unknown", (name, condition)
    space.delete("services", "soft")
    space.wait(lambda: space.has("services", "soft"), "the Service again")
    space.apply(app("short", replicas=1))
    space.wait(lambda: not space.has("horizontalpodautoscalers", "short"), "the autoscaler's end")
    stays(lambda: not elsewhere.status(), 2, "another namespace is not served")
    assert limited.is_running()
    mine = [r for r in audit.since(0) if r.user == user(space)]
    assert mine
    assert not [r for r in mine if r.code == 403]
    assert {r.namespace for r in mine if r.resource and r.verb != "create"} == {space.name}
