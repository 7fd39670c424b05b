"""What the operator's manifests grant it, an operator that has these rights and no other, and what it asked for."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from devcluster.cluster import Cluster
from devcluster.shell import wait_for

INSTALLED = Path(__file__).parents[1] / "manifests" / "cluster-wide"
NAMESPACE = "haapp-system"
NAME = "haapp-operator"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"
OF_RIGHTS = frozenset({"Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
CREATED = 201

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A verb on a resource; with a name, on that object alone."""

    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        of_group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{of_group}{f' {self.name}' if self.name else ''}"

    def covers(self, other: "Right") -> bool:
        """Whether who has this one may do the other."""
        return self == other or self == Right(other.verb, other.group, other.resource)


class Request(Protocol):
    """What is known of a request."""

    @property
    def verb(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def code(self) -> int: ...


def manifests(cluster: Cluster) -> list[Object]:
    """The objects that give the operator its rights, of the installation for the whole cluster."""
    built = yaml.safe_load_all(cluster.kubectl("kustomize", str(INSTALLED)))
    return [obj for obj in built if obj["kind"] in OF_RIGHTS]


def install(cluster: Cluster) -> None:
    """Give the operator's ServiceAccount its rights."""
    cluster.apply(*manifests(cluster))
    await_right(cluster, "list", "nodes")


def install_lease(cluster: Cluster, namespace: str) -> None:
    """Let the operator hold its lease in another namespace than its own."""
    of_lease = [obj for obj in manifests(cluster) if obj["kind"] in {"Role", "RoleBinding"}]
    cluster.apply(*({**obj, "metadata": {**obj["metadata"], "namespace": namespace}} for obj in of_lease))
    await_right(cluster, "create", "leases", f"--namespace={namespace}")


def await_right(cluster: Cluster, *right: str) -> None:
    """Wait until the API server knows of it."""
    wait_for(lambda: cluster.kubectl("auth", "can-i", *right, f"--as={ACCOUNT}"), 30, "the operator's rights")


def kubeconfig(cluster: Cluster, folder: Path, name: str = NAME, namespace: str = NAMESPACE) -> Path:
    """A kubeconfig in `folder` that knows nothing but a ServiceAccount's token."""
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
    token = cluster.kubectl("create", "token", name, f"--namespace={namespace}", "--duration=6h").strip()
    config["users"][0]["user"] = {"token": token}
    path = folder / f"{name}.kubeconfig"
    path.write_text(json.dumps(config))
    return path


def granted(objects: Iterable[Object]) -> set[Right]:
    """Every right in the operator's own roles."""
    roles = [
        obj for obj in objects if obj["kind"] in ("Role", "ClusterRole") and obj["metadata"]["name"].startswith(NAME)
    ]
    return {
        Right(verb, group, resource, name)
        for role in roles
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def used(requests: Iterable[Request]) -> set[Right]:
    """The rights that these requests needed. An apply that made its object needed two."""
    rights = set()
    for request in requests:
        rights.add(Right(request.verb, request.group, request.resource, request.name))
        if request.verb == "patch" and request.code == CREATED:
            rights.add(Right("create", request.group, request.resource))
    return rights


def never_used(granted: Iterable[Right], used: Iterable[Right]) -> list[Right]:
    """Those that no request needed."""
    needed = set(used)
    return sorted(right for right in granted if not any(right.covers(other) for other in needed))


def denied(requests: Iterable[Request]) -> list[Request]:
    """The requests that the server refused for want of a right."""
    return [request for request in requests if request.code in (401, 403)]
