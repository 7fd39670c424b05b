"""A HighAvailabilityApp's spec as types: the one place from which the CRD, the offline check and the decoder come.

Every section of the spec can be imported from here. Values of Kubernetes' own types stay plain JSON data. The text
under an attribute is its description in the CRD.
"""

from dataclasses import dataclass, field
from typing import Annotated

from haapp.api import names
from haapp.api.delivery import Autoscaling, DisruptionBudget, Rollout
from haapp.api.exposure import Ingress, Monitoring, NetworkPolicy, Route, Service
from haapp.api.logs import Elasticsearch, Http, LogConfig, LogSidecar, Loki, Output, Source, Stdout
from haapp.api.markers import Container, Core, KeyedBy, Limits, NotNegative
from haapp.api.objects import Object
from haapp.api.pod import PodExtras, Security
from haapp.api.scheduling import Cache, Nodes, Rebalance, Redis, Zones
from haapp.api.workload import AdapterMetrics, Config, InitStep, Listen, Probes, Sidecar

__all__ = [
    "AdapterMetrics",
    "Autoscaling",
    "Cache",
    "Config",
    "DisruptionBudget",
    "Elasticsearch",
    "Http",
    "Ingress",
    "InitStep",
    "Listen",
    "LogConfig",
    "LogSidecar",
    "Loki",
    "Monitoring",
    "NetworkPolicy",
    "Nodes",
    "Output",
    "PodExtras",
    "Probes",
    "Rebalance",
    "Redis",
    "Rollout",
    "Route",
    "Security",
    "Service",
    "Sidecar",
    "Source",
    "Spec",
    "Stdout",
    "Zones",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What must stay true of the app."""

    app: Annotated[Object, Container(default_name=names.APP_CONTAINER)]
    """The main container, a core/v1 Container."""
    replicas: NotNegative = 3
    """How many pods; while autoscaling is set the autoscaler decides."""
    probes: Probes = field(default_factory=Probes)
    """Probes of the main container."""
    init_steps: Annotated[tuple[InitStep, ...], KeyedBy(("name",)), Limits(max_items=32)] = ()
    """Containers that run one after another, each to completion, before the app."""
    zones: Zones | None = None
    """Spread over zones. Without it the app is still spread, maxSkew 1, ScheduleAnyway."""
    nodes: Nodes = field(default_factory=Nodes)
    """Spread over nodes."""
    spread: Annotated[
        tuple[Object, ...], Core("core.v1.PodSpec", "topologySpreadConstraints"), Limits(max_items=16)
    ] = ()
    """core/v1 TopologySpreadConstraints for further levels; an absent labelSelector is the app's own."""
    cache: Cache | None = None
    """A cache that the app's pods run near to."""
    log_sidecar: LogSidecar | None = None
    """A log shipper beside the app."""
    sidecars: Annotated[tuple[Sidecar, ...], KeyedBy(("name",)), Limits(max_items=16)] = ()
    """Further containers beside the app."""
    autoscaling: Autoscaling | None = None
    """A HorizontalPodAutoscaler that owns the replicas."""
    disruption_budget: DisruptionBudget = field(default_factory=DisruptionBudget)
    """A PodDisruptionBudget."""
    rollout: Rollout = field(default_factory=Rollout)
    """How a new revision replaces the old one."""
    service: Service = field(default_factory=Service)
    """The Service over the app's named ports."""
    ingress: Ingress | None = None
    """An Ingress to the Service."""
    route: Route | None = None
    """An HTTPRoute to the Service."""
    monitoring: Monitoring | None = None
    """Where the app serves metrics."""
    network_policy: NetworkPolicy | None = None
    """A NetworkPolicy for the app's pods."""
    security: Security = field(default_factory=Security)
    """Least privilege."""
    pod: PodExtras = field(default_factory=PodExtras)
    """Further parts of the pod."""
    rebalance: Rebalance = field(default_factory=Rebalance)
    """Moving pods back into balance after a loss."""
    paused: bool = False
    """Write nothing but the status."""
