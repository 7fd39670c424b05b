"""What the operator's manifests grant it, as verbs on resources."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from tests.faults.rules import Call

from devcluster.cluster import Cluster

INSTALLED = Path(__file__).parents[2] / "manifests" / "cluster-wide"
NAMESPACE = "haapp-system"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:haapp-operator"
OF_RIGHTS = frozenset({"Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})

Right = tuple[str, str]
"""(verb, resource)."""


def manifests(cluster: Cluster) -> list[dict[str, Any]]:
    """The objects that give the operator its rights, of the installation for the whole cluster."""
    command = [str(cluster.kubectl_path), "kustomize", str(INSTALLED)]
    built = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [obj for obj in yaml.safe_load_all(built) if obj["kind"] in OF_RIGHTS]


def install(cluster: Cluster) -> None:
    """Give the operator's ServiceAccount its rights."""
    for obj in manifests(cluster):
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(obj))


def granted(objects: Iterable[dict[str, Any]]) -> set[Right]:
    """Every right in the operator's own roles."""
    roles = [
        o for o in objects if o["kind"] in ("Role", "ClusterRole") and o["metadata"]["name"].startswith("haapp-oper")
    ]
    rules = [rule for role in roles for rule in role["rules"]]
    return {(verb, resource) for rule in rules for verb in rule["verbs"] for resource in rule["resources"]}


def used(calls: Iterable[Call]) -> set[Right]:
    """The rights that these calls needed. An apply that made its object needed two."""
    rights = set()
    for call in calls:
        rights.add((call.verb, call.resource))
        if call.verb == "patch" and call.status == 201:
            rights.add(("create", call.resource))
    return rights


def denied(calls: Iterable[Call]) -> list[Call]:
    """The calls that the server refused for want of a right."""
    return [call for call in calls if call.status in (401, 403)]
