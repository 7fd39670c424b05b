"""A model of kube-scheduler, as far as an app's own constraints go: where would its next pod land?

Filters and scores follow the plugins PodTopologySpread and InterPodAffinity with their default weight of 2. What other
workloads leave free on a node is not known here, so `landings` returns every node that scores best, and a caller who
must not be wrong takes the worst of them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from math import floor, log
from typing import Final

from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.api.spec import Spec
from haapp.placement.domains import domain_of
from haapp.placement.model import Node, Pod
from haapp.placement.spread import Level, domains, global_minimum, levels

Placed = Mapping[str, int]
"""Own pods by the name of their node."""

ANTI_AFFINITY_PULL: Final = 2
"""A preferred anti-affinity counts twice: as the new pod's wish and as that of the pod already there."""

Numbers = Mapping[Level, Counter[str]]
"""Own pods by domain, at each level."""


def cache_required(spec: Spec) -> bool:
    """Whether a pod may only run where a pod of its cache is."""
    return spec.cache is not None and spec.cache.colocate != "Pod" and spec.cache.when_unsatisfiable == "DoNotSchedule"


class Scheduler:
    """Answers for one app among the nodes that it may use; `caches` are the pods of its cache."""

    def __init__(self, spec: Spec, eligible: Iterable[Node], caches: Iterable[Pod], nodes: Mapping[str, Node]) -> None:
        self._spec = spec
        self._eligible = tuple(eligible)
        self._levels = levels(spec)
        self._domains = {level: domains(level, self._eligible) for level in self._levels}
        self._cache_key = HOSTNAME_KEY if spec.cache is not None and spec.cache.colocate == "Node" else ZONE_KEY
        homes = (domain_of(nodes[pod.node], self._cache_key) for pod in caches if pod.node in nodes)
        self._caches = Counter(home for home in homes if home is not None)
        self._cache_required = cache_required(spec)

    def landings(self, placed: Placed, taken: Collection[str] = ()) -> tuple[Node, ...]:
        """The nodes that are equally good for one more pod; none: it would stay Pending.

        `taken` are nodes where a pod that does not count for the spread (it is being deleted) still stands in the way
        of a required anti-affinity."""
        numbers = {level: self._numbers(level.key, placed) for level in self._levels}
        feasible = self._feasible(numbers, placed, taken)
        if not feasible:
            return ()
        spread = _normalize([self._spread_cost(node, numbers) for node in feasible], _less_is_better)
        affinity = _normalize([self._affinity(node, placed) for node in feasible], _more_is_better)
        totals = [one + other for one, other in zip(spread, affinity, strict=True)]
        return tuple(node for node, total in zip(feasible, totals, strict=True) if total == max(totals))

    def _feasible(self, numbers: Numbers, placed: Placed, taken: Collection[str]) -> list[Node]:
        roomy = [(level.key, self._roomy(level, numbers[level])) for level in self._levels if level.required]
        alone = self._spec.nodes.anti_affinity == "Required"
        return [
            node
            for node in self._eligible
            if all(domain_of(node, key) in names for key, names in roomy)
            and not (alone and (placed.get(node.name) or node.name in taken))
            and (not self._cache_required or domain_of(node, self._cache_key) in self._caches)
        ]

    def _roomy(self, level: Level, numbers: Counter[str]) -> frozenset[str]:
        """The domains of a required level that may take one more pod."""
        names = self._domains[level]
        lowest = global_minimum(level, [numbers[name] for name in names])
        return frozenset(name for name in names if numbers[name] + 1 - lowest <= level.max_skew)

    def _spread_cost(self, node: Node, numbers: Numbers) -> int:
        """Rounded, as kube-scheduler does: what differs by a fraction may be equally good."""
        cost = sum(
            numbers[level][domain_of(node, level.key) or ""] * log(len(self._domains[level]) + 2) + level.max_skew - 1
            for level in self._levels
            if not level.required
        )
        return floor(cost + 0.5)

    def _affinity(self, node: Node, placed: Placed) -> int:
        pull = 0 if self._cache_required else self._caches[domain_of(node, self._cache_key) or ""]
        push = placed.get(node.name, 0) if self._spec.nodes.anti_affinity == "Preferred" else 0
        return pull - ANTI_AFFINITY_PULL * push

    def _numbers(self, key: str, placed: Placed) -> Counter[str]:
        numbers: Counter[str] = Counter()
        for node in self._eligible:
            home = domain_of(node, key)
            if home is not None:
                numbers[home] += placed.get(node.name, 0)
        return numbers


def _normalize(raw: list[int], scale: Callable[[float, float, float], float]) -> list[int]:
    low, high = min(raw), max(raw)
    return [int(scale(value, low, high)) for value in raw]


def _less_is_better(value: float, low: float, high: float) -> float:
    return 100 * (high + low - value) / high if high else 100


def _more_is_better(value: float, low: float, high: float) -> float:
    return 100 * (value - low) / (high - low) if high > low else 0
