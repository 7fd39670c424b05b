"""Requests through the Service during a rollout, a drain and the loss of a node: how many fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.nodes.figures import told
from tests.nodes.lab import Object, Space, app, small

from devcluster.nodes import ready_nodes
from devcluster.shell import wait_for
from devnodes import images
from devnodes.node import Node

RATE = 50
CLIENT = (Path(__file__).parent / "client.py").read_text()
WEB = """
pid /tmp/nginx.pid;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server { listen 8080; location / { return 200 "served"; } }
}
"""


def web(colour: str = "blue", **spec: object) -> Object:
    """Three nginx, one per zone where possible, with the drain that is the default."""
    container = {
        "image": images.NGINX,
        "command": ["nginx", "-e", "stderr", "-g", "daemon off;"],
        "args": ["-c", "/etc/web/nginx.conf"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "COLOUR", "value": colour}],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
    }
    readiness = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    rollout = {"minReadySeconds": 1, "drainSeconds": 5, "maxSurge": 1, "maxUnavailable": 0}
    volumes = [{"name": "config", "configMap": {"name": "web"}}]
    return app(
        "web",
        container,
        replicas=3,
        probes={"readiness": readiness},
        rollout=rollout,
        rebalance={"mode": "Off"},
        pod={"volumes": volumes},
        **spec,
    )


@pytest.fixture
def served(space: Space) -> Space:
    data = {"nginx.conf": WEB, "client.py": CLIENT}
    space.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": data})
    space.apply(web())
    space.wait_ready("web")
    return space


@contextmanager
def requests(space: Space, seconds: int, node: str = "zone-a") -> Iterator[Object]:
    """A client on that node, at RATE requests a second through the Service's ClusterIP; the result is there after the
    block, which must not last longer than the client."""
    url = f"http://{space.address('web')}:8080/"
    container: Object = {
        "name": "client",
        "image": images.PYTHON,
        "args": ["/client/client.py", url, str(RATE), str(seconds)],
        "volumeMounts": [{"name": "client", "mountPath": "/client"}],
    }
    spec: Object = {
        "nodeName": node,
        "restartPolicy": "Never",
        "containers": [small(container)],
        "volumes": [{"name": "client", "configMap": {"name": "web"}}],
    }
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": spec})
    space.wait(lambda: "started" in space.kubectl("logs", "client"), "a started client")
    result: Object = {}
    yield result
    assert space.get("pod", "client")["status"]["phase"] == "Running", "the client ended before what it is to watch"
    succeeded = "--for=jsonpath={.status.phase}=Succeeded"
    space.kubectl("wait", "pod/client", succeeded, f"--timeout={seconds + 60}s", timeout=seconds + 70)
    result |= json.loads(space.kubectl("logs", "client").splitlines()[-1])


def test_a_rolling_update_loses_no_request(served: Space) -> None:
    before = {pod["metadata"]["name"] for pod in served.pods("web")}
    with requests(served, 60) as result:
        served.apply(web("green"))
        served.wait_ready("web", timeout=55)
        assert not before & {pod["metadata"]["name"] for pod in served.pods("web")}
    told("rolling update", f"{result['failed']} of {result['sent']} requests failed while all three pods were replaced")
    assert result["failed"] == 0, result


def test_a_node_drain_loses_no_request(served: Space, faults: dict[str, Node]) -> None:
    with requests(served, 45) as result:
        drain = ["drain", "zone-b", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=40s"]
        served.lab.kubectl(*drain, "--pod-selector=app.kubernetes.io/name=web", timeout=45)
        assert all(pod["spec"]["nodeName"] != "zone-b" for pod in served.pods("web"))
        served.wait(lambda: served.status("web")["readyReplicas"] == 3, "three ready pods again", 40)
    told("node drain", f"{result['failed']} of {result['sent']} requests failed")
    assert result["failed"] == 0, result


def test_a_lost_node_fails_requests_for_seconds_and_comes_back(served: Space, faults: dict[str, Node]) -> None:
    """No drain can help here: requests to the dead pod fail until the control plane takes it out."""
    cluster = served.lab.cluster
    with requests(served, 50) as result:
        faults["zone-c"].lose()
        wait_for(lambda: "zone-c" not in ready_nodes(cluster), 45, "zone-c not Ready")
        served.wait(lambda: served.status("web")["readyReplicas"] == 2, "two ready pods in the status", 40)
    assert 0 < result["failed"] < result["sent"] / 2
    first, last = result["window"]
    assert last < 45, "requests still failed at the end"
    faults["zone-c"].start()
    wait_for(lambda: "zone-c" in ready_nodes(cluster), 90, "zone-c Ready again")
    served.wait_ready("web")
    told(
        "node loss",
        f"{result['failed']} of {result['sent']} requests failed, within {last - first:.0f} s; {result['reasons']}",
    )
