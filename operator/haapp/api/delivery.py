"""Sections of the spec on change: autoscaling, disruptions, rollouts."""

from dataclasses import dataclass
from typing import Annotated, Literal

from haapp.api.markers import Core, IntOrAnyPercent, IntOrPercent, Json, NotNegative, Positive
from haapp.api.objects import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaling:
    """A HorizontalPodAutoscaler that owns the replicas."""

    max_replicas: Positive
    """The most replicas."""
    min_replicas: Positive | None = None
    """The fewest replicas; spec.replicas unless given."""
    target_cpu_utilization_percentage: Annotated[Positive | None, Json("targetCPUUtilizationPercentage")] = None
    """The average CPU use to keep, in percent of the requests."""
    target_memory_utilization_percentage: Positive | None = None
    """The average memory use to keep, in percent of the requests."""
    metrics: Annotated[tuple[Object, ...], Core("autoscaling.v2.HorizontalPodAutoscalerSpec", "metrics")] = ()
    """Further autoscaling/v2 MetricSpecs."""
    behavior: Annotated[Object, Core("autoscaling.v2.HorizontalPodAutoscalerBehavior")] | None = None
    """autoscaling/v2 HorizontalPodAutoscalerBehavior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptionBudget:
    """A PodDisruptionBudget; none is made for a single replica, where it would only block drains."""

    min_available: IntOrPercent | None = None
    """How many pods a drain must leave. Excludes maxUnavailable."""
    max_unavailable: IntOrPercent | None = None
    """How many pods a drain may take at once; 1 where neither is given."""
    unhealthy_pod_eviction_policy: Literal["AlwaysAllow", "IfHealthyBudget"] = "AlwaysAllow"
    """AlwaysAllow lets a drain take pods that are not ready in any case."""

    def __post_init__(self) -> None:
        """Fill `max_unavailable`, which depends on `min_available`: exactly one of them is None afterwards."""
        if self.min_available is None and self.max_unavailable is None:
            object.__setattr__(self, "max_unavailable", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a new revision replaces the old one, without losing a request."""

    max_surge: IntOrAnyPercent = 1
    """How many pods above the desired number."""
    max_unavailable: IntOrPercent = 0
    """How many pods below the desired number."""
    min_ready_seconds: NotNegative = 5
    """How long a pod must be ready to count as available."""
    progress_deadline_seconds: NotNegative = 600
    """How long a rollout may stand still before it counts as failed; 0 waits for ever."""
    revision_history_limit: NotNegative = 10
    """How many old revisions are kept to go back to."""
    drain_seconds: NotNegative = 5
    """How long a pod goes on serving after it has left the Service; added to the grace period."""
    on_failure: Literal["Hold", "Rollback"] = "Hold"
    """What a failed rollout does: wait for a change (Hold) or go back to the last good revision (Rollback)."""
    restart_on_config_change: bool = True
    """Roll the pods when a ConfigMap or Secret that they use changes."""
