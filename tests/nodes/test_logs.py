"""nginx writes its logs into a shared folder, and they arrive at a collector.

No package registry has Fluent Bit, fluentd or Vector. A stand-in (tools/devnodes/stand_in_shipper.py) follows the very
configuration that is rendered for Fluent Bit, in its place in the pod: same mounts, user, arguments and environment.
"""

import json
from pathlib import Path

import pytest
from tests.nodes.figures import told
from tests.nodes.lab import Object, Space, app, config_map, small

from devcluster.shell import ClusterError
from devnodes import images

COLLECTOR = (Path(__file__).parent / "collector.py").read_text()
ERRORS = r"^(?<time>[^ ]* [^ ]*) \[(?<level>[^\]]*)\] (?<message>.*)$"
NGINX = """
pid /tmp/nginx.pid;
worker_processes 1;
events {}
http {
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server {
    listen 8080;
    access_log /var/log/nginx/access.log combined;
    error_log /var/log/nginx/error.log warn;
    location = /healthz { access_log off; return 200 "alive"; }
    location = /hello { return 200 "hello"; }
    location / { root /nowhere; }
  }
}
"""


def logged(replicas: int) -> Object:
    container = {
        "image": images.NGINX,
        "command": ["nginx", "-e", "stderr", "-g", "daemon off;"],
        "args": ["-c", "/etc/web/nginx.conf"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
    }
    shipper = {
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
    readiness = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
    volumes = [{"name": "config", "configMap": {"name": "nginx"}}]
    return app(
        "logged",
        container,
        replicas=replicas,
        probes={"readiness": readiness},
        logSidecar=shipper,
        pod={"volumes": volumes},
    )


def test_nginx_log_lines_arrive_parsed_at_the_collector(space: Space) -> None:
    collector = {
        "image": images.PYTHON,
        "args": ["/collector/collector.py"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "script", "mountPath": "/collector"}],
    }
    script = {"volumes": [{"name": "script", "configMap": {"name": "collector"}}]}
    space.apply(config_map("collector", collector__py=COLLECTOR), config_map("nginx", nginx__conf=NGINX))
    space.apply(app("collector", collector, replicas=1, pod=script), logged(replicas=1))
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
    told(
        "log shipper",
        f"access and error lines arrived parsed, marked with pod and namespace: {error['level']} "
        f"{error['message'][:60]}; the shipper cannot write to the logs",
    )
