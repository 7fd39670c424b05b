"""The kinds of object that the operator makes, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of child: `optional` says that its API may be absent from a cluster."""

    kind: str
    group: str
    version: str
    plural: str
    optional: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str) -> str:
        """The object's path on the API server."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/namespaces/{namespace}/{self.plural}/{name}"


KINDS: tuple[Kind, ...] = (
    Kind("ServiceAccount", "", "v1", "serviceaccounts"),
    Kind("ConfigMap", "", "v1", "configmaps"),
    Kind("Service", "", "v1", "services"),
    Kind("Deployment", "apps", "v1", "deployments"),
    Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies"),
    Kind("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets"),
    Kind("HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers"),
    Kind("Ingress", "networking.k8s.io", "v1", "ingresses"),
    Kind("HTTPRoute", "gateway.networking.k8s.io", "v1", "httproutes", optional=True),
    Kind("PodMonitor", "monitoring.coreos.com", "v1", "podmonitors", optional=True),
)
"""Every kind of child, in an order in which they can be created."""

_BY_NAME = {kind.kind: kind for kind in KINDS}


def kind_of(obj: dict[str, Any]) -> Kind:
    """The kind of a rendered object; KeyError if the operator never makes such."""
    return _BY_NAME[obj["kind"]]
