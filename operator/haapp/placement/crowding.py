"""Pods that can never all be placed, and rollouts that can never end, because of constraints that are required.

A rollout with `maxUnavailable` 0 must place a surge pod before an old one goes. The operator's own constraints look at
one revision only (`matchLabelKeys: pod-template-hash`), so old pods are in nobody's way and the surge needs no more
room than the app itself. What does deadlock is a rule that counts old and new pods together: a required anti-affinity
of the user's own, and a host port. There the surge pod needs a domain to itself.
"""

from collections.abc import Iterator

from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.placement import finding
from haapp.placement.capacity import cache_replicas, capacity, rules
from haapp.placement.cluster import Cluster
from haapp.placement.domains import domain_of
from haapp.placement.exclusive import Exclusion, exclusions
from haapp.placement.finding import Finding
from haapp.placement.replicas import scaled


def crowding(cluster: Cluster) -> Iterator[Finding]:
    """What the required constraints do not leave room for."""
    alone = exclusions(cluster.app)
    found = [contradiction for item in alone for contradiction in _exclusive(cluster, item)]
    yield from found
    if all(contradiction.reason == finding.ROLLOUT_DEADLOCK for contradiction in found):
        yield from _unplaceable(cluster, alone=any(item.key == HOSTNAME_KEY for item in alone))


def _exclusive(cluster: Cluster, exclusion: Exclusion) -> Iterator[Finding]:
    homes = {home for node in cluster.usable if (home := domain_of(node, exclusion.key)) is not None}
    what = {HOSTNAME_KEY: "nodes", ZONE_KEY: "zones"}.get(exclusion.key, f"domains of {exclusion.key}")
    short, room = exclusion.field.removeprefix("spec."), len(homes)
    if cluster.most > room:
        reason = finding.TOO_FEW_ZONES if exclusion.key == ZONE_KEY else finding.TOO_FEW_NODES
        message = (
            f"{short} lets each of the {room} {what} that the pods may use hold one pod, and {_whose(cluster)} is "
            f"{cluster.most}: lower it to {room}, add {what}, or {_soften(exclusion)}"
        )
        lower = f"lower {_whose(cluster)} {cluster.most} to {room}"
        brief = f"{_short(exclusion)} lets {room} {what} hold one pod each; {lower}"
        yield Finding(reason, exclusion.field, message, brief)
    elif not exclusion.per_revision and not _gives_way(cluster):
        yield from _deadlock(cluster, exclusion, room, what)


def _deadlock(cluster: Cluster, exclusion: Exclusion, room: int, what: str) -> Iterator[Finding]:
    short = exclusion.field.removeprefix("spec.")
    end = f"set rollout.maxUnavailable to 1, add {what}, or {_soften(exclusion)}"
    brief = f"{_short(exclusion)} leaves a rollout no room beside the old pods; set rollout.maxUnavailable to 1"
    if cluster.now + 1 > room:
        message = (
            f"a rollout cannot begin: {short} keeps old and new pods apart, all {room} {what} are taken by "
            f"{cluster.now} pods, and rollout.maxUnavailable 0 lets none of them go first: {end}"
        )
        yield Finding(finding.ROLLOUT_DEADLOCK, exclusion.field, message, brief)
        return
    full = _full_zone(cluster, exclusion)
    if full is not None:
        message = (
            f"a rollout can stand still: {short} keeps old and new pods apart, zones.maxSkew wants one of the last new "
            f"pods in zone {full}, every node there may still hold an old one, and rollout.maxUnavailable 0 lets none "
            f"go first: {end} in {full}"
        )
        yield Finding(finding.ROLLOUT_DEADLOCK, exclusion.field, message, brief)


def _full_zone(cluster: Cluster, exclusion: Exclusion) -> str | None:
    """A zone of which the old pods may hold every node until the spread lets a new pod go nowhere else.

    It may come to that if an even spread of the old pods can fill the zone, and there are enough others to go before
    each of the other zones has as many new pods as `maxSkew` allows beside a zone without any. Which old pod goes first
    is the ReplicaSet controller's choice, so what may happen will."""
    zones, sizes = cluster.app.spec.zones, cluster.sizes
    if zones is None or zones.when_unsatisfiable != "DoNotSchedule" or exclusion.key != HOSTNAME_KEY or len(sizes) < 2:
        return None
    for zone, size in sorted(sizes.items()):
        others = [number for name, number in sizes.items() if name != zone]
        elsewhere = sum(min(zones.max_skew, number) for number in others)
        if cluster.now - size >= elsewhere and _can_fill(size, others, cluster.now, zones.max_skew):
            return zone
    return None


def _can_fill(size: int, others: list[int], pods: int, max_skew: int) -> bool:
    """Whether so many pods, one a node, can be spread with every node of one zone taken."""
    floors = range(max(0, size - max_skew), min([size, *others]) + 1)
    return any(
        floor * len(others) <= pods - size <= sum(min(number, floor + max_skew) for number in others)
        for floor in floors
    )


def _gives_way(cluster: Cluster) -> bool:
    """Whether a rollout may take an old pod away first. The Deployment controller takes one, too, where surge and
    unavailability both come out as 0."""
    rollout = cluster.app.spec.rollout
    surge = scaled(rollout.max_surge, cluster.now, up=True)
    return scaled(rollout.max_unavailable, cluster.now, up=False) > 0 or surge == 0


def _unplaceable(cluster: Cluster, *, alone: bool) -> Iterator[Finding]:
    """Required constraints that can only be met together by fewer pods than are asked for."""
    zones, nodes = cluster.app.spec.zones, cluster.app.spec.nodes
    constraints = rules(cluster.app.spec, len(cluster.zones), alone=alone)
    held = capacity(cluster.most, constraints, cluster.sizes, cluster.near_cache)
    if held == cluster.most or not constraints.floor:
        return
    if capacity(cluster.most, constraints, cluster.sizes, cluster.sizes) > held:
        if cluster.near_cache.total():
            yield _cache_too_narrow(cluster, held)
        return
    stated = [
        text
        for text, there in (
            (f"zones.maxSkew {zones and zones.max_skew}", constraints.zone_skew is not None),
            (f"nodes.maxSkew {nodes.max_skew}", constraints.node_skew is not None),
            ("one pod a node", alone),
        )
        if there
    ]
    field = "zones" if constraints.zone_skew is not None else "nodes"
    sizes = " ".join(f"{zone}:{size}" for zone, size in sorted(cluster.sizes.items()))
    message = (
        f"{' and '.join(stated)} can be met together by {held} of {cluster.most} pods only, with the nodes that there "
        f"are (by zone, {sizes}): raise {field}.maxSkew, set {field}.whenUnsatisfiable: ScheduleAnyway, lower "
        f"{_whose(cluster)} to {held}, or add nodes where they are few"
    )
    lower = f"lower {_whose(cluster)} to {held}"
    brief = f"{field}.maxSkew: {held} of {cluster.most} pods can be placed by all rules; raise it or {lower}"
    yield Finding(finding.SPREAD_UNSATISFIABLE, f"spec.{field}.maxSkew", message, brief)


def _cache_too_narrow(cluster: Cluster, held: int) -> Finding:
    """Pods may only be near the cache, and the cache is in too few places for all of them."""
    where = " ".join(f"{zone}:{cluster.near_cache[zone]}" for zone in sorted(cluster.sizes))
    own = cache_replicas(cluster.app.spec)
    more = f"raise cache.redis.replicas from {own} to {max(len(cluster.sizes), own + 1)}" if own else "run it in more"
    message = (
        f"only {held} of {cluster.most} pods can be placed: cache.whenUnsatisfiable: DoNotSchedule keeps them to nodes "
        f"near the cache (by zone, {where}), and the spread wants them elsewhere too: {more}, set "
        "cache.whenUnsatisfiable: ScheduleAnyway, or zones.whenUnsatisfiable: ScheduleAnyway"
    )
    if own:
        brief = f"cache.redis.replicas {own}: only {held} of {cluster.most} pods can be near; {more}"
        return Finding(finding.CACHE_TOO_NARROW, "spec.cache.redis.replicas", message, brief)
    brief = f"cache.selector: only {held} of {cluster.most} pods can be near its pods; {more} zones or nodes"
    return Finding(finding.CACHE_OUT_OF_REACH, "spec.cache.selector", message, brief)


def _short(exclusion: Exclusion) -> str:
    """Where it comes from, without the long name of the rule in between."""
    return exclusion.field.removeprefix("spec.").replace(".requiredDuringSchedulingIgnoredDuringExecution", "")


def _whose(cluster: Cluster) -> str:
    return "replicas" if cluster.app.spec.autoscaling is None else "autoscaling.maxReplicas"


def _soften(exclusion: Exclusion) -> str:
    if exclusion.field == "spec.nodes.antiAffinity":
        return "set nodes.antiAffinity: Preferred"
    if "hostPort" in exclusion.field:
        return "do without the host port"
    return "make that anti-affinity a preferred one, or give it matchLabelKeys: [pod-template-hash]"
