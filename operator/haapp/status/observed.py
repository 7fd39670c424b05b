"""What is handed in to be assessed."""

from dataclasses import dataclass
from datetime import datetime

from haapp.placement.finding import Finding
from haapp.placement.model import Deployment, Node, Pod, ReplicaSet
from haapp.status import reasons


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last write went: one of Reconciled's reasons, and a message for people."""

    reason: str
    message: str

    @property
    def ok(self) -> bool:
        """Whether everything was written as intended."""
        return self.reason == reasons.RECONCILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is seen of one app: `pods` are its own of every revision, `cache_pods` those of the cache it runs near to,
    `nodes` all nodes of the cluster. `now` is aware, UTC."""

    outcome: Outcome
    deployment: Deployment | None
    replica_sets: tuple[ReplicaSet, ...]
    pods: tuple[Pod, ...]
    cache_pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    now: datetime
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
