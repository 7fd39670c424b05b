"""nginx writes its logs into a shared folder, and they arrive at a collector.

No package registry has Fluent Bit, fluentd or Vector. A stand-in (tools/devnodes/stand_in_shipper.py) follows the very
configuration that is rendered for Fluent Bit, in its place in the pod: same mounts, user, arguments and environment.
"""

import json
from pathlib import Path

import pytest
from tests.nodes.figures import told
from tests.nodes.lab import Object, Space, app, config_map, small
from tests.nodes.nginx import POD, nginx, nginx_config

from devcluster.shell import ClusterError
from devnodes import images

COLLECTOR = (Path(__file__).parent / "collector.py").read_text()
ERRORS = r"^(?<time>[^ ]* [^ ]*) \[(?<level>[^\]]*)\] (?<message>.*)$"
LOGGING = """
access_log /var/log/nginx/access.log combined;
error_log /var/log/nginx/error.log warn;
location = /healthz { access_log off; return 200 "alive"; }
location = /hello { return 200 "hello"; }
location / { root /nowhere; }
"""
SHIPPER: Object = {
    "shipper": "fluent-bit",
    "image": images.SHIPPER,
    "directory": "/var/log/nginx",
    "resources": small({})["resources"],
    "env": [{"name": "COLLECTOR", "value": "collector"}],
    "sources": [
        {"path": "access.log", "format": "nginx", "tag": "nginx.access"},
        {"path": "error.log", "format": "regex", "expression": ERRORS, "tag": "nginx.error"},
    ],
    "output": {"http": {"url": "http://${COLLECTOR}:8080/logs"}},
}


def logged() -> Object:
    """An nginx with its log shipper."""
    probes = {"readiness": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}}
    return app("logged", nginx(), replicas=1, probes=probes, logSidecar=SHIPPER, pod=POD)


def test_nginx_log_lines_arrive_parsed_at_the_collector(space: Space) -> None:
    collector = {
        "image": images.PYTHON,
        "args": ["/collector/collector.py"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "script", "mountPath": "/collector"}],
    }
    script = {"volumes": [{"name": "script", "configMap": {"name": "collector"}}]}
    space.apply(config_map("collector", collector__py=COLLECTOR), nginx_config(LOGGING))
    space.apply(app("collector", collector, replicas=1, pod=script), logged())
    space.wait_ready("collector")
    space.wait_ready("logged")
    (pod,) = (found["metadata"]["name"] for found in space.pods("logged"))
    (sink,) = (found["metadata"]["name"] for found in space.pods("collector"))
    space.shell(pod, "wget -q -O - http://127.0.0.1:8080/hello; wget -q -O - http://127.0.0.1:8080/missing || true")

    def arrived() -> dict[str, Object] | None:
        records = [json.loads(line) for line in space.kubectl("logs", sink).splitlines()]
        found = {f"{record['tag']} {record.get('path', '')}".strip(): record for record in records}
        return found if {"nginx.access /hello", "nginx.access /missing", "nginx.error"} <= found.keys() else None

    records = space.wait(arrived, "three records at the collector")
    hello, error = records["nginx.access /hello"], records["nginx.error"]
    assert (hello["method"], hello["code"], hello["pod"], hello["namespace"]) == ("GET", "200", pod, space.name)
    assert records["nginx.access /missing"]["code"] == "404"
    assert error["level"] == "error"
    assert "/nowhere/missing" in error["message"]
    with pytest.raises(ClusterError, match="Read-only file system"):
        space.execute(pod, "touch", "/var/log/nginx/x", container="log-shipper")
    complaint = error["message"].partition("open()")[2].partition(" (")[0]
    told(
        "log shipper",
        f"both lines arrived parsed, with pod and namespace (`{error['level']}`, `open(){complaint}`); the shipper "
        "cannot write to the logs",
    )
