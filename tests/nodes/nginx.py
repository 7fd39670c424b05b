"""nginx of Debian's as an app's container: unprivileged, with its configuration from a ConfigMap."""

from typing import Any

from tests.nodes.lab import Object, config_map

from devnodes import images

MAIN = """
pid /tmp/nginx.pid;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server { listen 8080; %s }
}
"""
POD: Object = {"volumes": [{"name": "config", "configMap": {"name": "nginx"}}]}
"""What `nginx` needs of the pod."""


def nginx_config(server: str) -> Object:
    """The ConfigMap with these directives of the server."""
    return config_map("nginx", nginx__conf=MAIN % server)


def nginx(**fields: Any) -> Object:
    """The container, on port 8080."""
    return {
        "image": images.NGINX,
        "args": ["-c", "/etc/web/nginx.conf"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
        **fields,
    }
