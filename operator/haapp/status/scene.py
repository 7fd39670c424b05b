"""What every condition is judged from, derived once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from haapp.api.app import App
from haapp.api.replicas import fewest
from haapp.placement.domains import eligible_nodes
from haapp.placement.live import active_pods, by_name, current_hash, of_revision, owned, ready_pods
from haapp.placement.model import Node, Pod
from haapp.placement.spread import Level, counts, domains, levels, skew
from haapp.status.observed import Observed

NODES_UNSEEN: Final = "no node can be seen, and so no zone: let the operator list and watch nodes"


@dataclass(frozen=True, slots=True)
class Tally:
    """One level of spread as it is: the eligible domains, how many of the settled pods each holds, and the skew."""

    level: Level
    domains: frozenset[str]
    numbers: Counter[str]
    skew: int


@dataclass(frozen=True, slots=True)
class Scene:
    """`current` are the active pods of the current revision, `ready` the ready ones of every revision, `settled` those
    that the spread is judged by; `desired` is how many are asked for, by the Deployment where there is one; `tallies`
    are those of the zones, the nodes, and further levels."""

    app: App
    observed: Observed
    nodes: Mapping[str, Node]
    eligible: tuple[Node, ...]
    desired: int
    current: tuple[Pod, ...]
    ready: tuple[Pod, ...]
    settled: tuple[Pod, ...]
    tallies: tuple[Tally, ...]

    @property
    def clock(self) -> int:
        """The time that is judged by, in seconds since the epoch."""
        return int(self.observed.now.timestamp())

    @property
    def stale(self) -> bool:
        """Whether the Deployment's status speaks of an older Deployment than the one that was written, or its newest
        ReplicaSet has not been seen yet, so that the current revision is not known."""
        deployment = self.observed.deployment
        if deployment is None:
            return False
        seen = [item.revision for item in owned(deployment, self.observed.replica_sets)]
        return deployment.observed_generation < deployment.generation or bool(seen and max(seen) < deployment.revision)


def scene_of(app: App, observed: Observed) -> Scene:
    """The facts about an app, as observed."""
    nodes = by_name(observed.nodes)
    template = current_hash(observed.deployment, observed.replica_sets)
    desired = observed.deployment.desired if observed.deployment is not None else None
    current = of_revision(active_pods(observed.pods), template)
    ready = serving(observed.pods, nodes)
    eligible = eligible_nodes(app.spec, observed.nodes)
    settled = _settled(current, ready, nodes)
    return Scene(
        app=app,
        observed=observed,
        nodes=nodes,
        eligible=eligible,
        desired=fewest(app.spec) if desired is None else desired,
        current=current,
        ready=ready,
        settled=settled,
        tallies=tuple(_tally(level, settled, eligible, nodes) for level in levels(app.spec)),
    )


def serving(pods: Iterable[Pod], nodes: Mapping[str, Node]) -> tuple[Pod, ...]:
    """The ready pods; by their own word where no node is known, since the operator may not read nodes."""
    return ready_pods(pods, nodes) if nodes else tuple(pod for pod in active_pods(pods) if pod.ready)


def _settled(current: tuple[Pod, ...], ready: tuple[Pod, ...], nodes: Mapping[str, Node]) -> tuple[Pod, ...]:
    """The ready pods of the current revision. While an older one still serves, a pod of the current one counts as soon
    as it has its place: else every rollout would look skewed for as long as its pods take to start."""
    names = {pod.name for pod in current}
    if all(pod.name in names for pod in ready):
        return ready
    return tuple(pod for pod in current if pod.node in nodes and nodes[pod.node].ready)


def _tally(level: Level, pods: tuple[Pod, ...], eligible: tuple[Node, ...], nodes: Mapping[str, Node]) -> Tally:
    names, numbers = domains(level, eligible), counts(level.key, pods, nodes)
    return Tally(level, names, numbers, skew(level, numbers, names))
