"""The apps of a measurement: what they are, and the objects that each becomes."""

from __future__ import annotations

import copy
from typing import Any

from haapp.api import names, parse_app
from haapp.children import kind_of
from haapp.render import render

Object = dict[str, Any]

FOREIGN_LABEL = "bench"
"""Whose the bare writer's objects are, so that the operator never hears of them."""


SIDECAR: Object = {
    "name": "proxy",
    "image": "example/proxy:1",
    "config": {"mountPath": "/etc/proxy", "files": {"proxy.conf": "listen 8081\nupstream 127.0.0.1:8080\n"}},
}


def app(namespace: str, name: str, *, service: bool = True, replicas: int = 0) -> Object:
    """An app of five children: ServiceAccount, Service (unless `service` is false), NetworkPolicy, Deployment, and a
    ConfigMap without pods or a PodDisruptionBudget with them."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "replicas": replicas,
            "app": {"image": "example/web:1", "ports": [{"name": "http", "containerPort": 8080}]},
            "service": {"enabled": service},
            "networkPolicy": {"from": [{"podSelector": {}}]},
            "rollout": {"minReadySeconds": 0, "drainSeconds": 0},
            **({} if replicas else {"sidecars": [SIDECAR]}),
        },
    }


def apps(namespace: str, number: int, *, service: bool = True, replicas: int = 0, first: int = 0) -> list[Object]:
    """So many apps, app-00000 and on."""
    return [app(namespace, f"app-{n:05}", service=service, replicas=replicas) for n in range(first, first + number)]


def path(obj: Object, collection: bool = False) -> str:
    """Where the API server keeps an app or a child."""
    meta = obj["metadata"]
    if obj["kind"] == names.KIND:
        root = f"/apis/{names.API_VERSION}/namespaces/{meta['namespace']}/{names.PLURAL}"
        return root if collection else f"{root}/{meta['name']}"
    whole = kind_of(obj).path(meta["namespace"], meta["name"])
    return whole.rpartition("/")[0] if collection else whole


def children(source: Object) -> list[Object]:
    """The children of an app as the operator renders them, by another's label."""
    stored = copy.deepcopy(source)
    stored["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    made = []
    for obj in render(parse_app(stored)).objects:
        meta = {k: v for k, v in obj["metadata"].items() if k != "ownerReferences"}
        meta["labels"] = {**meta["labels"], names.LABEL_MANAGED_BY: FOREIGN_LABEL}
        made.append({**obj, "metadata": meta})
    return made
