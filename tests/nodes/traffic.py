"""Three nginx behind a Service, and a client that asks them all the time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.nodes.lab import Object, Space, app, config_map, small
from tests.nodes.nginx import POD, nginx, nginx_config

from devnodes import images
from devnodes.node import ZONE_KEY

RATE = 50
AT_MOST = 900
"""Seconds after which a forgotten client ends."""
CLIENT = (Path(__file__).parent / "client.py").read_text()


def serve(space: Space) -> None:
    """Have three nginx serve, one on each node."""
    space.apply(nginx_config('location / { return 200 "served"; }'), config_map("client", client__py=CLIENT))
    space.apply(web())
    space.wait_ready("web")


def web(colour: str = "blue") -> Object:
    """Three nginx, with the drain that is the default. Another colour is another revision."""
    readiness = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1, "timeoutSeconds": 3}
    return app(
        "web",
        nginx(env=[{"name": "COLOUR", "value": colour}]),
        replicas=3,
        probes={"readiness": readiness},
        rollout={"minReadySeconds": 1, "maxSurge": 1, "maxUnavailable": 0},
        rebalance={"mode": "Off"},
        pod=POD,
    )


def pod_on(space: Space, node: str) -> Object:
    """The app's pod on that node."""
    (pod,) = (pod for pod in space.pods("web") if pod["spec"]["nodeName"] == node)
    return pod


@contextmanager
def requests(space: Space, patience: float) -> Iterator[Object]:
    """A client in zone-a, at RATE requests a second through the Service's ClusterIP for as long as the block
    lasts and a few seconds around it; what it counted is there afterwards. A request that has no answer after
    `patience` seconds has failed."""
    url = f"http://{space.address('web')}:8080/"
    container: Object = {
        "name": "client",
        "image": images.PYTHON,
        "args": ["/client/client.py", url, str(RATE), str(AT_MOST), str(patience)],
        "volumeMounts": [{"name": "client", "mountPath": "/client"}],
    }
    spec: Object = {
        "nodeSelector": {ZONE_KEY: "zone-a"},
        "restartPolicy": "Never",
        "containers": [small(container)],
        "volumes": [{"name": "client", "configMap": {"name": "client"}}],
    }
    space.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": spec})
    space.wait(lambda: "started" in space.kubectl("logs", "client"), "a started client")
    result: Object = {}
    yield result
    assert space.get("pod", "client")["status"]["phase"] == "Running", "the client ended before what it is to watch"
    space.shell("client", "sleep 3; touch /tmp/stop", container="client")
    space.kubectl("wait", "pod/client", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s", timeout=130)
    result |= json.loads(space.kubectl("logs", "client").splitlines()[-1])


def failed(result: Object) -> str:
    """What the client counted, in words."""
    counts = f"{result['failed']:,} of {result['sent']:,} requests failed"
    if not result["seconds"]:
        return counts
    return f"{counts}, all within {result['seconds'][-1][0] - result['seconds'][0][0] + 1} s"
