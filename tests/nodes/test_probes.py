"""What liveness, readiness and startup probes do to real containers."""

import re

from tests.nodes.figures import told
from tests.nodes.lab import WWW, Space, app, httpd, seconds_until
from tests.nodes.nginx import POD, nginx, nginx_config

from devnodes import images

HEALTH = """location = /healthz {
  if ($http_x_health_check != "liveness") { return 403; }
  return 200 "alive";
}"""


def restarts(space: Space, pod: str) -> int:
    """How often the app's container was restarted."""
    (state,) = space.get("pod", pod)["status"]["containerStatuses"]
    return int(state["restartCount"])


def test_a_web_server_that_hangs_is_restarted(space: Space) -> None:
    """It still takes connections and answers none: only the probe's time-out can tell. The probe's own header counts:
    without it the server refuses."""
    liveness = {
        "httpGet": {"path": "/healthz", "port": 8080, "httpHeaders": [{"name": "X-Health-Check", "value": "liveness"}]},
        "initialDelaySeconds": 5,
        "periodSeconds": 2,
        "timeoutSeconds": 3,
        "failureThreshold": 3,
        "successThreshold": 1,
        "terminationGracePeriodSeconds": 1,
    }
    readiness = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    probes = {"liveness": liveness, "readiness": readiness}
    space.apply(nginx_config(HEALTH), app("hanging", nginx(), replicas=2, probes=probes, pod=POD))
    space.wait_ready("hanging")
    pod, other = (found["metadata"]["name"] for found in space.pods("hanging"))
    assert restarts(space, pod) == 0
    space.shell(pod, "kill -STOP $(pidof nginx)")
    took = seconds_until(lambda: restarts(space, pod) == 1, "a restart")
    space.wait_ready("hanging")
    assert restarts(space, other) == 0
    told("hangs", f"restarted {took:.0f} s after it hung; the other pod was left alone")


def test_a_pod_leaves_the_service_until_it_is_ready_again(space: Space) -> None:
    readiness = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1, "failureThreshold": 2}
    space.apply(app("waits", httpd(), replicas=2, probes={"readiness": readiness}, pod=WWW))
    space.wait_ready("waits")
    pod, other = (found["metadata"]["name"] for found in space.pods("waits"))
    space.wait(lambda: space.endpoints("waits") == {pod: True, other: True}, "both pods in the Service")
    space.shell(pod, "mv /www/ready /www/away")
    out = seconds_until(lambda: space.endpoints("waits") == {pod: False, other: True}, "the pod out of the Service")
    space.wait(lambda: space.status("waits")["readyReplicas"] == 1, "one ready pod in the status")
    space.shell(pod, "mv /www/away /www/ready")
    back = seconds_until(lambda: space.endpoints("waits") == {pod: True, other: True}, "the pod in the Service again")
    space.wait_ready("waits")
    assert restarts(space, pod) == 0
    told(
        "waits",
        f"out of the EndpointSlice {out:.1f} s after it failed, back {back:.1f} s after it answered; no restart",
    )


def test_a_slow_start_is_waited_for_and_counted_down(space: Space) -> None:
    """Five minutes, scaled to two: liveness alone would have killed it after three seconds. While nothing but a number
    changes, the status is written every 20 s."""
    start = "sleep 60; echo yes > /www/ready; exec httpd -f -p 8080 -h /www"
    probes = {
        "startup": {"tcpSocket": {"port": 8080}, "periodSeconds": 2},
        "startWithin": "2m",
        "liveness": {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 3},
        "readiness": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1},
    }
    space.apply(app("slow", httpd(command=["sh", "-c", start]), replicas=1, probes=probes, pod=WWW))
    left: list[int] = []

    def watched() -> bool:
        found = re.search(r"starting \(at most (\d+)s left\)", space.condition("slow", "Available").get("message", ""))
        if found and int(found[1]) not in left:
            left.append(int(found[1]))
        return space.condition("slow", "Ready").get("status") == "True"

    took = seconds_until(watched, "the slow app Ready")
    (pod,) = space.pods("slow")
    assert pod["spec"]["containers"][0]["startupProbe"]["failureThreshold"] == 60
    assert len(left) >= 2
    assert left == sorted(left, reverse=True)
    assert restarts(space, pod["metadata"]["name"]) == 0
    told("slow", f"Ready after {took:.0f} s; the status said at most {', '.join(map(str, left))} s left; no restart")


def test_exec_and_grpc_probes_ask_a_real_server(space: Space) -> None:
    """etcd serves gRPC's health protocol; it counts as live by that, and as ready by a command."""
    container = {
        "image": images.ETCD,
        "args": [
            "--data-dir=/data",
            "--listen-client-urls=http://0.0.0.0:2379",
            "--advertise-client-urls=http://x:2379",
        ],
        "ports": [{"name": "grpc", "containerPort": 2379}],
        "volumeMounts": [{"name": "www", "mountPath": "/data"}],
    }
    probes = {
        "startup": {"grpc": {"port": 2379}, "periodSeconds": 1, "failureThreshold": 60},
        "liveness": {"grpc": {"port": 2379}, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 5},
        "readiness": {"exec": {"command": ["test", "!", "-e", "/data/away"]}, "periodSeconds": 1},
    }
    space.apply(app("grpc", container, replicas=1, probes=probes, pod=WWW))
    space.wait_ready("grpc")
    (pod,) = (found["metadata"]["name"] for found in space.pods("grpc"))
    space.shell(pod, "touch /data/away")
    out = seconds_until(lambda: space.endpoints("grpc") == {pod: False}, "the pod out of the Service")
    assert restarts(space, pod) == 0
    told("exec and grpc", f"Ready; the command that failed took it out of the Service after {out:.1f} s; no restart")
