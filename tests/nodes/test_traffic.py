"""Requests through the Service during a rollout, a drain and the loss of a node: how many fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.nodes.figures import told
from tests.nodes.lab import Object, Space, app, seconds_until, small

from devcluster.nodes import ready_nodes
from devnodes import images
from devnodes.node import Node

RATE = 50
AT_MOST = 500
"""Seconds after which a forgotten client ends."""
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
def requests(space: Space, node: str = "zone-a") -> Iterator[Object]:
    """A client on that node, at RATE requests a second through the Service's ClusterIP for as long as the block lasts
    and a few seconds around it; what it counted is there afterwards."""
    url = f"http://{space.address('web')}:8080/"
    container: Object = {
        "name": "client",
        "image": images.PYTHON,
        "args": ["/client/client.py", url, str(RATE), str(AT_MOST)],
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
    space.shell("client", "sleep 3; touch /tmp/stop", container="client")
    space.kubectl("wait", "pod/client", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s", timeout=70)
    result |= json.loads(space.kubectl("logs", "client").splitlines()[-1])


def replaced(space: Space, before: set[str]) -> bool:
    """Whether three ready pods are there and none of those from before."""
    found = space.get("pods", "--selector=app.kubernetes.io/name=web")["items"]
    names = {str(pod["metadata"]["name"]) for pod in found}
    return not before & names and len(names) == space.status("web").get("readyReplicas") == 3


def test_a_rolling_update_loses_no_request(served: Space) -> None:
    before = {str(pod["metadata"]["name"]) for pod in served.pods("web")}
    with requests(served) as result:
        served.apply(web("green"))
        took = seconds_until(lambda: replaced(served, before), "three new pods and no old one")
    told("rolling update", f"{result['failed']} of {result['sent']} requests failed; 3 pods replaced in {took:.0f} s")
    assert result["failed"] == 0, result


def test_a_node_drain_loses_no_request(served: Space, faults: dict[str, Node]) -> None:
    drain = ["drain", "zone-b", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=120s"]
    with requests(served) as result:
        served.lab.kubectl(*drain, "--pod-selector=app.kubernetes.io/name=web", timeout=130)
        assert all(pod["spec"]["nodeName"] != "zone-b" for pod in served.pods("web"))
        served.wait(lambda: served.status("web")["readyReplicas"] == 3, "three ready pods again")
    told("node drain", f"{result['failed']} of {result['sent']} requests failed")
    assert result["failed"] == 0, result


def test_a_lost_node_fails_requests_for_seconds_and_comes_back(served: Space, faults: dict[str, Node]) -> None:
    """No drain can help here: requests to the dead pod fail until the control plane takes it out."""
    cluster = served.lab.cluster
    with requests(served) as result:
        faults["zone-c"].lose()
        lost = seconds_until(lambda: "zone-c" not in ready_nodes(cluster), "zone-c not Ready")
        served.wait(lambda: served.status("web")["readyReplicas"] == 2, "two ready pods in the status")
        served.shell("client", "sleep 10", container="client")
    assert 0 < result["failed"] < result["sent"] / 2, result
    first, last = result["window"]
    assert last < result["sent"] / RATE - 5, "requests still failed at the end"
    faults["zone-c"].start()
    back = seconds_until(lambda: "zone-c" in ready_nodes(cluster), "zone-c Ready again")
    served.wait_ready("web")
    told(
        "node loss",
        f"NotReady after {lost:.0f} s; {result['failed']} of {result['sent']} requests failed, "
        f"in the {last - first:.0f} s until the dead pod was taken out; "
        f"{result['reasons']}; Ready {back:.0f} s after it was switched on",
    )
