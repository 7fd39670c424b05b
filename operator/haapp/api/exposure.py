"""Sections of the spec on who reaches the app: Service, Ingress, HTTPRoute, metrics, network policy."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from haapp.api.markers import AbsolutePath, Core, Json, Labels, Limits, ObjectName, PortNumberOrName
from haapp.api.objects import Object

Hostname = Annotated[str, Limits(min_length=1, max_length=253)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The Service over the app's named ports."""

    enabled: bool | None = None
    """Whether there is one; true when the app has ports, unless given."""
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] | None = None
    """core/v1 ServiceType."""
    annotations: Labels = field(default_factory=dict)
    """Annotations of the Service."""
    traffic_distribution: Literal["PreferClose", "PreferSameZone", "PreferSameNode"] | None = None
    """Which endpoints are preferred."""
    session_affinity: Literal["None", "ClientIP"] | None = None
    """Whether a client stays with one pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """A networking.k8s.io/v1 Ingress to the Service's first port."""

    host: Hostname | None = None
    """The host name; all of them unless given."""
    path: AbsolutePath = "/"
    """The path prefix."""
    class_name: ObjectName | None = None
    """The IngressClass."""
    tls_secret_name: ObjectName | None = None
    """The Secret with the certificate."""
    annotations: Labels = field(default_factory=dict)
    """Annotations of the Ingress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A gateway.networking.k8s.io/v1 HTTPRoute to the Service's first port."""

    parent_refs: Annotated[
        tuple[Annotated[Object, Core("gateway.v1.ParentReference")], ...], Limits(min_items=1, max_items=32)
    ]
    """Gateways that carry the route."""
    hostnames: Annotated[tuple[Hostname, ...], Limits(max_items=16)] = ()
    """The host names; all of the Gateway's unless given."""
    path: AbsolutePath = "/"
    """The path prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """Where the app serves metrics."""

    port: PortNumberOrName | None = None
    """The port's number or name."""
    path: AbsolutePath = "/metrics"
    """The HTTP path."""
    pod_monitor: bool = False
    """Make a monitoring.coreos.com/v1 PodMonitor too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy:
    """A NetworkPolicy for the app's pods. An absent list restricts nothing, an empty one allows nothing."""

    from_: Annotated[
        tuple[Object, ...] | None, Json("from"), Core("networking.v1.NetworkPolicyIngressRule", "from")
    ] = None
    """networking.k8s.io/v1 NetworkPolicyPeers that may reach the app."""
    egress: Annotated[tuple[Object, ...] | None, Core("networking.v1.NetworkPolicySpec", "egress")] = None
    """networking.k8s.io/v1 NetworkPolicyEgressRules for what the app may reach."""
