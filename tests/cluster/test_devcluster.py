"""The embedded cluster itself: what its fake machines do with pods and what happens when they fail."""

from collections.abc import Callable
from typing import Any

import pytest

from devcluster import nodes
from devcluster.audit import AuditLog
from devcluster.cluster import Cluster, wait_for

TEST = "test.highavailability.dev"


def deployment(replicas: int = 1, annotations: dict[str, str] | None = None, **pod: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "web"}, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "app", "image": "web"}], **pod},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


class Namespace:
    """The test's namespace, by what the tests below ask of it."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name

    def apply(self, obj: dict[str, Any]) -> None:
        obj["metadata"]["namespace"] = self.name
        self.cluster.apply(obj)

    def pods(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cluster.get("pods", "-n", self.name)["items"]
        return found

    def pod(self) -> dict[str, Any]:
        (pod,) = wait_for(self.pods, what="a pod")
        return pod

    def ready(self, count: int = 1) -> bool:
        return sum(is_ready(pod) for pod in self.pods()) == count

    def annotate(self, value: str) -> None:
        self.cluster.kubectl("annotate", "pods", "--all", value, "-n", self.name, "--overwrite")


def is_ready(pod: dict[str, Any]) -> bool:
    return {"type": "Ready", "status": "True"}.items() <= conditions(pod).get("Ready", {}).items()


def conditions(pod: dict[str, Any]) -> dict[str, Any]:
    return {item["type"]: item for item in pod["status"].get("conditions", [])}


@pytest.fixture
def space(cluster: Cluster, namespace: str) -> Namespace:
    if cluster.folder is None:
        pytest.skip("needs the embedded cluster")
    return Namespace(cluster, namespace)


def test_init_steps_run_in_order_and_sidecars_stay(space: Namespace) -> None:
    containers = [
        {"name": "migrate", "image": "sql"},
        {"name": "shipper", "image": "fluent", "restartPolicy": "Always"},
        {"name": "seed", "image": "sql"},
    ]
    space.apply(deployment(initContainers=containers, annotations={f"{TEST}/init-seconds": "1"}))
    seen: list[list[str]] = []

    def watch() -> dict[str, Any] | None:
        pod = space.pod()
        states = [next(iter(status["state"])) for status in pod["status"].get("initContainerStatuses", [])]
        if states and states not in seen:
            seen.append(states)
        return pod if is_ready(pod) else None

    status = wait_for(watch, what="a ready pod", every=0.05)["status"]
    order = [
        ["waiting", "waiting", "waiting"],
        ["running", "waiting", "waiting"],
        ["terminated", "waiting", "waiting"],
        ["terminated", "running", "waiting"],
        ["terminated", "running", "running"],
        ["terminated", "running", "terminated"],
    ]
    assert seen == [states for states in order if states in seen]
    assert {"running", "terminated"} <= {states[0] for states in seen}
    assert seen[-1] == order[-1]
    assert [item["ready"] for item in status["initContainerStatuses"]] == [True, True, True]
    assert status["podIP"].startswith("10.244.")


def test_a_failing_init_step_is_retried_and_keeps_its_message(space: Namespace) -> None:
    annotations = {
        f"{TEST}/fail-init": "migrate",
        f"{TEST}/fail-init-code": "3",
        f"{TEST}/fail-init-message": 'no route to "db"',
        f"{TEST}/fail-init-times": "2",
        f"{TEST}/backoff-seconds": "1.5",
    }
    containers = [{"name": "migrate", "image": "sql"}, {"name": "seed", "image": "sql"}]
    space.apply(deployment(initContainers=containers, annotations=annotations))

    def failed_twice() -> Any:
        migrate, seed = space.pod()["status"].get("initContainerStatuses", [{}, {}])
        return migrate.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff" and (migrate, seed)

    migrate, seed = wait_for(failed_twice, what="a second failure", every=0.05)
    assert migrate["restartCount"] == 1
    assert migrate["lastState"]["terminated"].items() >= {"exitCode": 3, "message": 'no route to "db"'}.items()
    assert "waiting" in seed["state"]
    wait_for(space.ready, what="success at the third attempt")
    assert space.pod()["status"]["initContainerStatuses"][0]["restartCount"] == 2


def test_a_slow_start_is_running_but_not_started(space: Namespace) -> None:
    space.apply(deployment(annotations={f"{TEST}/start-seconds": "2"}))
    wait_for(lambda: space.pod()["status"]["phase"] == "Running", what="a running pod", every=0.05)
    status = space.pod()["status"]["containerStatuses"][0]
    assert (status["started"], status["ready"]) == (False, False)
    wait_for(space.ready, what="the end of the start")


def test_readiness_may_come_and_go(space: Namespace) -> None:
    space.apply(deployment(annotations={f"{TEST}/not-ready": "true"}))
    wait_for(lambda: space.pod()["status"]["phase"] == "Running", what="a running pod")
    assert conditions(space.pod())["Ready"]["status"] == "False"
    space.annotate(f"{TEST}/not-ready-")
    wait_for(space.ready, what="readiness")
    space.annotate(f"{TEST}/not-ready=true")
    wait_for(lambda: not space.ready(), what="readiness lost")
    assert space.pod()["status"]["containerStatuses"][0]["ready"] is False


def test_an_image_that_cannot_be_pulled(space: Namespace) -> None:
    space.apply(deployment(annotations={f"{TEST}/pull-error": "app"}))

    def waiting() -> Any:
        return space.pod()["status"].get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {})

    wait_for(lambda: waiting().get("reason") == "ImagePullBackOff", what="ImagePullBackOff")
    assert waiting()["message"] == 'Back-off pulling image "web"'
    space.annotate(f"{TEST}/pull-error-")
    wait_for(space.ready, what="the image pulled after all")


def test_a_crash_loop_and_its_end(space: Namespace) -> None:
    annotations = {f"{TEST}/crash": "app", f"{TEST}/crash-code": "137", f"{TEST}/backoff-seconds": "0.3"}
    space.apply(deployment(annotations=annotations))
    wait_for(
        lambda: space.pod()["status"].get("containerStatuses", [{}])[0].get("restartCount", 0) >= 2, what="restarts"
    )
    assert space.pod()["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137
    assert not space.ready()
    space.annotate(f"{TEST}/crash-")
    wait_for(space.ready, what="a pod that stays up")


def test_a_pod_takes_its_time_to_stop(space: Namespace) -> None:
    space.apply(deployment(annotations={f"{TEST}/stop-seconds": "3"}))
    wait_for(space.ready, what="a ready pod")
    name = space.pod()["metadata"]["name"]
    space.cluster.kubectl("delete", "pod", name, "-n", space.name, "--wait=false")
    stopping = {pod["metadata"]["name"]: pod for pod in space.pods()}[name]
    assert is_ready(stopping)
    assert stopping["metadata"]["deletionTimestamp"]
    wait_for(lambda: name not in [pod["metadata"]["name"] for pod in space.pods()], 15, "its end")
    wait_for(space.ready, what="its successor")


def test_a_lost_node_takes_its_pods_along_and_brings_them_back(space: Namespace) -> None:
    space.apply(deployment(replicas=1))
    wait_for(space.ready, what="a ready pod")
    pod = space.pod()
    node = pod["spec"]["nodeName"]
    nodes.set_node_ready(space.cluster, node, ready=False)
    try:
        assert conditions(space.pod())["Ready"]["status"] == "False"
        assert node not in nodes.ready_nodes(space.cluster)
    finally:
        nodes.set_node_ready(space.cluster, node, ready=True)
    wait_for(space.ready, what="the pod ready again")
    assert space.pod()["metadata"]["uid"] == pod["metadata"]["uid"]


def test_pods_leave_a_lost_node_when_their_toleration_ends(space: Namespace) -> None:
    toleration = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    space.apply(deployment(tolerations=[{**toleration, "tolerationSeconds": 1}]))
    wait_for(space.ready, what="a ready pod")
    node = space.pod()["spec"]["nodeName"]
    nodes.set_node_ready(space.cluster, node, ready=False)
    try:
        wait_for(space.ready, what="a successor elsewhere")
        stuck = [pod for pod in space.pods() if pod["spec"]["nodeName"] == node]
        assert stuck[0]["metadata"]["deletionTimestamp"], "nobody is there to stop the pod on the lost node"
    finally:
        nodes.set_node_ready(space.cluster, node, ready=True)
    wait_for(lambda: len(space.pods()) == 1, what="the end of the stuck pod")


def test_nodes_come_and_go_for_good(space: Namespace) -> None:
    extra = nodes.Machine("zone-d-1", "zone-d", labels={"only": "here"})
    nodes.add_nodes(space.cluster, extra)
    try:
        space.apply(deployment(nodeSelector={"only": "here"}))
        wait_for(space.ready, what="a pod in the new zone")
    finally:
        nodes.delete_node(space.cluster, extra.name)
    wait_for(lambda: [pod["spec"].get("nodeName") for pod in space.pods()] == [None], what="a pod without a place")


def test_a_stage_of_ones_own(space: Namespace) -> None:
    space.cluster.apply_stage(
        """
        apiVersion: kwok.x-k8s.io/v1alpha1
        kind: Stage
        metadata: {name: test-own}
        spec:
          resourceRef: {apiGroup: v1, kind: Pod}
          selector:
            matchLabels: {app: web}
            matchExpressions:
            - {key: '.status.conditions[] | select(.type == "Ready") | .status', operator: In, values: ["True"]}
            - {key: '.status.conditions[] | select(.type == "Own") | .status', operator: NotIn, values: ["True"]}
          next:
            statusTemplate: |
              conditions:
              - {type: Own, status: "True"}
        """
    )
    try:
        space.apply(deployment())
        wait_for(lambda: "Own" in conditions(space.pod()), what="the stage's condition")
    finally:
        space.cluster.kubectl("delete", "stage", "test-own")


def test_requests_are_counted_by_what_and_by_whom(
    cluster: Cluster, namespace: str, kubectl: Callable[..., str], audit: AuditLog
) -> None:
    mark = audit.mark()
    kubectl("create", "configmap", "one")
    kubectl("delete", "configmap", "one")
    mine = [request for request in audit.since(mark) if request.resource == "configmaps" and request.name == "one"]
    assert [request.verb for request in mine if request.is_write] == ["create", "delete"]
    assert {request.namespace for request in mine} == {namespace}
    assert all(request.user_agent.startswith("kubectl/v1.37.2") for request in mine)
