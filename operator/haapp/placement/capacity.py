"""How many pods the required constraints let the cluster hold, by counting: no pod is placed one by one."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from haapp.api.spec import Spec
from haapp.placement.model import Node, Pod
from haapp.placement.spread import levels

UNBOUNDED = 10**9

MOST_PER_NODE = 1000
"""More pods than any node holds: Kubernetes is made for 110."""


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
    may not still counts as a domain for the spread. Where every node would hold more than MOST_PER_NODE pods, `wanted`
    is given back: no node holds so many, whatever the constraints say."""
    if _evenest(wanted, rules, sizes) > MOST_PER_NODE:
        return wanted
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
    """The least and greatest number of pods of each zone, for every number that the emptiest node may hold and the
    greatest that the emptiest zone may hold then: a lower one there lets the others have fewer, and makes no room."""
    for node_floor in range(_evenest(wanted, rules, sizes), -1, -1):
        low_node = node_floor if rules.node_skew is not None else 0
        high_node = min(rules.per_node, UNBOUNDED if rules.node_skew is None else node_floor + rules.node_skew)
        least = [low_node * size for size in sizes.values()]
        room = [high_node * reachable.get(zone, 0) for zone in sizes]
        floor = _greatest_floor(wanted, least, room) if rules.floor and rules.zone_skew is not None and sizes else 0
        low_zone = floor if rules.zone_skew is not None else 0
        high_zone = UNBOUNDED if rules.zone_skew is None else floor + rules.zone_skew
        yield [max(low_zone, low) for low in least], [min(high_zone, high) for high in room]


def _evenest(wanted: int, rules: Rules, sizes: Mapping[str, int]) -> int:
    """The most pods that the emptiest node may hold; 0 where it does not count."""
    nodes = sum(sizes.values())
    return min(rules.per_node, wanted // nodes) if rules.node_skew is not None and nodes else 0


def _greatest_floor(wanted: int, least: list[int], room: list[int]) -> int:
    """The most pods that every zone can have at the least, where all of them together have `wanted` at the most."""
    candidates = range(min(*room, wanted // len(least)) + 1)
    fitting = bisect_right(candidates, wanted, key=lambda floor: sum(max(floor, low) for low in least))
    return candidates[max(0, fitting - 1)]


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
