"""A managed cache near the app: where it runs, which one a pod reaches, and what nearness is worth."""

import re

from tests.nodes.figures import told
from tests.nodes.lab import WWW, Object, Space, app, httpd, small

from devnodes import images

ASKED = 2000


def server_of(space: Space, pod: str, host: str) -> str:
    """The run id of the Redis that answers at `host`."""
    found = re.search(r"run_id:(\w+)", space.shell(pod, f"redis-cli -h {host} -p 6379 info server"))
    assert found
    return found[1]


def reached(space: Space, pod: str) -> set[str]:
    """The run ids that answer at the Service in a few calls."""
    return {server_of(space, pod, "$REDIS_HOST") for _ in range(5)}


def latency(space: Space, pod: str, host: str) -> float:
    """Microseconds for a GET, the median of ASKED from one client."""
    output = space.shell(pod, f"redis-benchmark -h {host} -p 6379 -c 1 -n {ASKED} -t get --csv")
    row = output.splitlines()[-1].replace('"', "").split(",")
    return float(row[4]) * 1000


def test_every_pod_talks_to_the_redis_on_its_own_node(space: Space) -> None:
    """Three zones, a web pod and a Redis in each; the Service picks the near one, which its run id proves."""
    redis: Object = {
        "image": images.REDIS,
        "maxMemory": "16Mi",
        "resources": small({})["resources"],
    }
    cache = {"colocate": "Node", "whenUnsatisfiable": "DoNotSchedule", "redis": redis}
    zones = {"minDomains": 3, "whenUnsatisfiable": "DoNotSchedule"}
    space.apply(app("web", httpd(), replicas=3, zones=zones, cache=cache, pod=WWW))
    status = space.wait_ready("web")
    assert status["cache"] == {"colocated": 3, "total": 3}
    assert [(zone["name"], zone["ready"]) for zone in status["placement"]["zones"]] == [
        ("zone-a", 1),
        ("zone-b", 1),
        ("zone-c", 1),
    ]
    caches = {pod["spec"]["nodeName"]: pod["status"]["podIP"] for pod in space.pods("web", "cache")}
    assert len(caches) == 3
    lines = []
    for pod in space.pods("web"):
        name, node = str(pod["metadata"]["name"]), str(pod["spec"]["nodeName"])
        assert space.shell(name, "echo $REDIS_HOST:$REDIS_PORT").strip() == "web-cache:6379"
        own = server_of(space, name, caches[node])
        space.wait(lambda name=name, own=own: reached(space, name) == {own}, f"{name} at the Redis on its own node")
        far = next(address for other, address in caches.items() if other != node)
        near, away = latency(space, name, "$REDIS_HOST"), latency(space, name, far)
        lines.append(f"near {near:.0f} µs, far {away:.0f} µs")
    told("cache", f"each pod reaches the Redis on its own node, by its run id; median GET: {'; '.join(lines)}")
