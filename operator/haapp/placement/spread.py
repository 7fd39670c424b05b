"""How evenly pods are spread, in kube-scheduler's own terms.

The skew at a level is the number of pods in its fullest domain less the global minimum; the global minimum is the
number in its emptiest domain, or 0 while there are fewer domains than `minDomains`
(https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.api.spec import Spec
from haapp.placement.domains import domain_of
from haapp.placement.model import Node, Pod


@dataclass(frozen=True, slots=True)
class Level:
    """One level of spread: `field` is where the user states it, `required` whether it is DoNotSchedule."""

    field: str
    key: str
    max_skew: int
    required: bool
    min_domains: int | None = None


def levels(spec: Spec) -> tuple[Level, ...]:
    """The levels in order of weight: zones, nodes, then `spread[]` as written.

    A constraint of `spread[]` that selects pods of its own is left out: it is about other pods than the app's alone.
    """
    zones, nodes = spec.zones, spec.nodes
    zone = (
        Level("zones", ZONE_KEY, 1, required=False)
        if zones is None
        else Level("zones", ZONE_KEY, zones.max_skew, _hard(zones.when_unsatisfiable), zones.min_domains)
    )
    node = Level("nodes", HOSTNAME_KEY, nodes.max_skew, _hard(nodes.when_unsatisfiable))
    further = (
        Level(
            f"spread[{index}]",
            item["topologyKey"],
            item["maxSkew"],
            _hard(item["whenUnsatisfiable"]),
            item.get("minDomains"),
        )
        for index, item in enumerate(spec.spread)
        if not item.get("labelSelector")
    )
    return (zone, node, *further)


def domains(level: Level, eligible: Iterable[Node]) -> frozenset[str]:
    """The domains of a level: those with an eligible node."""
    return frozenset(name for node in eligible if (name := domain_of(node, level.key)) is not None)


def counts(key: str, pods: Iterable[Pod], nodes: Mapping[str, Node]) -> Counter[str]:
    """How many of the pods are in each domain of a topology key; pods on unknown or unlabelled nodes are in none."""
    homes = (domain_of(nodes[pod.node], key) for pod in pods if pod.node in nodes)
    return Counter(home for home in homes if home is not None)


def skew(level: Level, placed: Mapping[str, int], among: Iterable[str]) -> int:
    """Fullest domain less the global minimum over the eligible domains `among`; 0 where there is none.

    Pods in a domain that is not eligible count for nothing, whatever their number."""
    numbers = [placed.get(name, 0) for name in among]
    return max(numbers, default=0) - global_minimum(level, numbers)


def global_minimum(level: Level, numbers: list[int]) -> int:
    """The number of pods in the emptiest eligible domain, taken as 0 while `minDomains` is not reached."""
    if not numbers or len(numbers) < (level.min_domains or 1):
        return 0
    return min(numbers)


def misplaced(level: Level, placed: Mapping[str, int], among: Iterable[str]) -> int:
    """The least number of pods to move until the skew is within `maxSkew`; 0 exactly when it is.

    Where several domains are equally full, moving one pod leaves the skew as it was and yet helps: this number says so,
    since no move lowers it by more than one."""
    numbers = [placed.get(name, 0) for name in among]
    if not numbers:
        return 0
    even = sum(numbers) // len(numbers)
    floors = range(min(numbers), even + 1) if len(numbers) >= (level.min_domains or 1) else range(1)
    return min(_moves(numbers, floor, floor + level.max_skew) for floor in floors)


def _moves(numbers: list[int], low: int, high: int) -> int:
    """How many must move so that every domain holds `low` to `high`."""
    return max(sum(max(0, n - high) for n in numbers), sum(max(0, low - n) for n in numbers))


def _hard(when_unsatisfiable: str) -> bool:
    return when_unsatisfiable == "DoNotSchedule"
