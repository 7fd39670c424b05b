"""Sections of the spec on where pods run: zones, nodes, the cache, moving back after a loss."""

from dataclasses import dataclass
from typing import Annotated, Literal

from haapp.api.markers import Image, IntOrPercent, LabelSelector, Limits, Port, Positive, Quantity, Resources, Seconds

WhenUnsatisfiable = Literal["DoNotSchedule", "ScheduleAnyway"]
ZoneName = Annotated[str, Limits(min_length=1, max_length=63)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Spread over topology.kubernetes.io/zone."""

    min_domains: Positive | None = None
    """The least number of zones; needs whenUnsatisfiable: DoNotSchedule."""
    max_skew: int = 1
    """The largest difference in pods between any two zones, at least 1; 1 is as equal as can be."""
    when_unsatisfiable: WhenUnsatisfiable = "DoNotSchedule"
    """DoNotSchedule holds a pod back rather than break the spread; ScheduleAnyway only prefers it."""
    names: Annotated[tuple[ZoneName, ...], Limits(max_items=100)] = ()
    """The only zones to use."""
    keep_ready: IntOrPercent | None = None
    """How many pods, or which percentage of the desired ones (rounded up), must be left when the worst zone is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Spread over kubernetes.io/hostname."""

    max_skew: int = 1
    """The largest difference in pods between any two nodes, at least 1."""
    when_unsatisfiable: WhenUnsatisfiable = "ScheduleAnyway"
    """DoNotSchedule holds a pod back rather than break the spread; ScheduleAnyway only prefers it."""
    anti_affinity: Literal["Required", "Preferred", "None"] = "Preferred"
    """Whether two pods may share a node: never (Required), if need be (Preferred), freely (None)."""
    keep_ready: IntOrPercent | None = None
    """How many pods, or which percentage of the desired ones (rounded up), must be left when the worst node is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """A Redis that the operator runs as the app's cache."""

    image: Image = "redis:8-alpine"
    """The container image."""
    max_memory: Quantity = "128Mi"
    """Redis' maxmemory."""
    eviction_policy: Literal[
        "noeviction",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-lrm",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-lrm",
        "volatile-random",
        "volatile-ttl",
    ] = "allkeys-lru"
    """Redis' maxmemory-policy."""
    port: Port = 6379
    """The port of Redis and of its Service."""
    resources: Resources | None = None
    """core/v1 ResourceRequirements of the Redis container."""
    replicas: Positive | None = None
    """How many; one for each zone asked for, at least 1, unless given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A cache that the app's pods run near to: one that runs already (`selector`) or a Redis of the operator's."""

    colocate: Literal["Node", "Zone", "Pod"] = "Node"
    """How near: on the same node, in the same zone, in the same pod."""
    when_unsatisfiable: WhenUnsatisfiable = "ScheduleAnyway"
    """DoNotSchedule holds a pod back rather than run it far from the cache; ScheduleAnyway only prefers it."""
    selector: LabelSelector | None = None
    """Pods of a cache that runs in this namespace."""
    redis: Redis | None = None
    """A Redis to run for the app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalance:
    """Moving pods back into balance after a zone or node has come back."""

    mode: Literal["Off", "WhenSafe"] = "WhenSafe"
    """WhenSafe moves one pod at a time by eviction, never while a rollout runs. Write "Off" in quotes: YAML reads a
    bare Off as false."""
    cooldown: Seconds = 300
    """The least time between two moves."""
