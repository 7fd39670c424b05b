"""How many pods the required constraints let the cluster hold, by counting: no pod is placed one by one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from haapp.api.spec import Spec
from haapp.placement.model import Node, Pod
from haapp.placement.spread import levels

UNBOUNDED = 10**9


@dataclass(frozen=True, slots=True)
class Rules:
    """The required constraints as numbers. `zone_skew` and `node_skew` are `maxSkew` where it is DoNotSchedule, else
    `None`; `per_node` is 1 where pods may not share a node; `floor` whether the emptiest zone counts (it does not
    while `minDomains` is not reached)."""

    zone_skew: int | None
    node_skew: int | None
    per_node: int
    floor: bool


def rules(spec: Spec, zones: int, *, alone: bool) -> Rules:
    """The rules of a spec in a cluster with so many zones; `alone`: something keeps pods off each other's node."""
    zone, node, *_ = levels(spec)
    return Rules(
        zone_skew=zone.max_skew if zone.required else None,
        node_skew=node.max_skew if node.required else None,
        per_node=1 if alone else UNBOUNDED,
        floor=zones >= (zone.min_domains or 1),
    )


def zone_sizes(nodes: Iterable[Node]) -> Counter[str]:
    """The number of nodes in each zone; those without a zone are together in one without a name."""
    return Counter(node.zone or "" for node in nodes)


def capacity(wanted: int, rules: Rules, sizes: Mapping[str, int], reachable: Mapping[str, int]) -> int:
    """The greatest number of pods, at most `wanted`, for which an arrangement exists that keeps to the rules.

    `sizes` are the nodes of each zone, `reachable` those of them where a pod may run (near the cache): a zone where it
    may not still counts as a domain for the spread."""
    best = 0
    for lows, highs in _ranges(wanted, rules, sizes, reachable):
        if all(low <= high for low, high in zip(lows, highs, strict=True)) and sum(lows) <= wanted:
            best = max(best, min(wanted, sum(highs)))
            if best == wanted:
                break
    return best


def _ranges(
    wanted: int, rules: Rules, sizes: Mapping[str, int], reachable: Mapping[str, int]
) -> Iterator[tuple[list[int], list[int]]]:
    """The least and greatest number of pods of each zone, for every number that the emptiest zone and the emptiest
    node may hold; the evenest come first, since they nearly always do."""
    zones, nodes = len(sizes), sum(sizes.values())
    zone_floors = range(wanted // zones if rules.floor and rules.zone_skew is not None and zones else 0, -1, -1)
    node_floors = range(wanted // nodes if rules.node_skew is not None and nodes else 0, -1, -1)
    for floor in zone_floors:
        for node_floor in node_floors:
            low_node = node_floor if rules.node_skew is not None else 0
            high_node = min(rules.per_node, UNBOUNDED if rules.node_skew is None else node_floor + rules.node_skew)
            high_zone = UNBOUNDED if rules.zone_skew is None else floor + rules.zone_skew
            low_zone = floor if rules.zone_skew is not None else 0
            yield (
                [max(low_zone, low_node * size) for size in sizes.values()],
                [min(high_zone, high_node * reachable.get(zone, 0)) for zone in sizes],
            )


def near_cache(spec: Spec, usable: Iterable[Node], cache_pods: Iterable[Pod]) -> Counter[str]:
    """By zone, the nodes where the app may run if it must be near its cache: near the pods of a cache that runs
    already, or near those of a managed one once they are as spread out as they can be."""
    usable = tuple(usable)
    sizes, cache = zone_sizes(usable), spec.cache
    if cache is None:
        return sizes
    if cache.redis is not None:
        caches = _share_out(cache_replicas(spec), sizes)
    else:
        homes = {pod.node for pod in cache_pods}
        caches = zone_sizes(node for node in usable if node.name in homes)
    if cache.colocate == "Zone":
        return Counter({zone: size for zone, size in sizes.items() if caches[zone] and zone})
    return caches


def cache_replicas(spec: Spec) -> int:
    """How many pods the managed cache has: as stated, else one for each zone asked for."""
    if spec.cache is None or spec.cache.redis is None:
        return 0
    if spec.cache.redis.replicas is not None:
        return spec.cache.redis.replicas
    return max(1, spec.zones.min_domains or len(spec.zones.names)) if spec.zones is not None else 1


def _share_out(replicas: int, sizes: Mapping[str, int]) -> Counter[str]:
    """The nodes in use in each zone when so many pods go, one by one, to the zone that has fewest."""
    shares: Counter[str] = Counter()
    for _ in range(min(replicas, sum(sizes.values()))):
        zone = min((zone for zone in sizes if shares[zone] < sizes[zone]), key=lambda zone: (shares[zone], zone))
        shares[zone] += 1
    return shares
