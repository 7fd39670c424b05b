"""A HighAvailabilityApp's status as types, from which its schema in the CRD comes."""

from dataclasses import dataclass
from typing import Annotated

from haapp.api.markers import Core, KeyedBy
from haapp.api.objects import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneStatus:
    """Pods in one zone."""

    name: str
    """The zone."""
    ready: int
    """Ready pods."""
    total: int
    """All pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the live pods are."""

    zones: Annotated[tuple[ZoneStatus, ...], KeyedBy(("name",))] | None = None
    """Pods by zone."""
    nodes: int | None = None
    """How many nodes are in use."""
    zone_skew: int | None = None
    """The largest difference between two zones."""
    node_skew: int | None = None
    """The largest difference between two nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the loss of one zone or node would leave."""

    worst_ready_left: int | None = None
    """Ready pods left after the worst loss."""
    worst: str | None = None
    """The zone or node whose loss is the worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survives:
    """What a loss would leave, by the live pods."""

    zone_loss: Loss | None = None
    """The loss of a zone."""
    node_loss: Loss | None = None
    """The loss of a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatus:
    """Nearness to the cache."""

    colocated: int | None = None
    """Ready pods that are as near a ready cache as asked."""
    total: int | None = None
    """All ready pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitStepStatus:
    """One init step over the current revision's pods."""

    name: str
    """The step."""
    succeeded: int | None = None
    """Pods in which it has succeeded."""
    running: int | None = None
    """Pods in which it runs."""
    failed: int | None = None
    """Pods in which it has failed."""
    message: str | None = None
    """The last failure, with exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Texts for kubectl's columns, which can show a field but not put two together."""

    replicas: str | None = None
    """Ready and desired pods, e.g. 3/3."""
    zones: str | None = None
    """Ready pods by zone, e.g. a:1 b:1 c:1."""
    survives: str | None = None
    """Which loss is survived, e.g. zone,node."""
    cache: str | None = None
    """Pods near the cache and all, e.g. 3/3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is true of the app."""

    observed_generation: int | None = None
    """The generation that this status is about."""
    replicas: int | None = None
    """Pods there are."""
    ready_replicas: int | None = None
    """Ready pods."""
    updated_replicas: int | None = None
    """Pods of the current revision."""
    selector: str | None = None
    """The pods' label selector as text, for autoscalers."""
    conditions: Annotated[tuple[Annotated[Object, Core("meta.v1.Condition")], ...], KeyedBy(("type",))] | None = None
    """meta/v1 Conditions."""
    placement: Placement | None = None
    """Where the live pods are."""
    survives: Survives | None = None
    """What a loss would leave."""
    cache: CacheStatus | None = None
    """Nearness to the cache."""
    init_steps: Annotated[tuple[InitStepStatus, ...], KeyedBy(("name",))] | None = None
    """The init steps over the current revision's pods."""
    summary: str | None = None
    """One line for people."""
    columns: Columns | None = None
    """Texts for kubectl's columns."""
