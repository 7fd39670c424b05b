"""Contradictions between what is asked for and what the cluster has, each with the number to change.

Judged from the nodes that there are, whether or not they are well just now: a zone that is down for an hour is the
business of the status, not a mistake in the spec.
"""

from collections.abc import Iterable, Iterator

from haapp.api.app import App
from haapp.api.replicas import fewest
from haapp.placement import finding
from haapp.placement.cluster import Cluster
from haapp.placement.crowding import crowding
from haapp.placement.domains import usable_nodes
from haapp.placement.finding import Finding
from haapp.placement.live import active_pods
from haapp.placement.model import Node, Pod
from haapp.placement.replicas import scaled
from haapp.placement.scheduler import cache_required
from haapp.placement.survival import best_left, enough_replicas

__all__ = ["Finding", "find"]


def find(
    app: App, nodes: Iterable[Node], pods: Iterable[Pod] = (), cache_pods: Iterable[Pod] = ()
) -> tuple[Finding, ...]:
    """What cannot be as asked, the most serious first; nothing that is merely not so at the moment.

    `nodes` are all nodes of the cluster; without any (there is no cluster to ask) only what needs none is found.
    `pods` tell how many an autoscaled app has by now, `cache_pods` are those of the cache that it runs near to.
    """
    nodes = tuple(nodes)
    usable = usable_nodes(app.spec, nodes)
    if nodes and not usable:
        return (_no_node(app), *_budget(app))
    cluster = Cluster(app, usable, tuple(cache_pods), len(active_pods(pods)))
    if not usable:
        return tuple(_budget(app))
    return (*_zones(cluster), *_cache(cluster), *crowding(cluster), *_budget(app), *_keep_ready(cluster))


def _no_node(app: App) -> Finding:
    narrowed = [
        name
        for name, stated in (
            ("zones.names", app.spec.zones is not None and app.spec.zones.names),
            ("pod.nodeSelector", app.spec.pod.node_selector),
            ("pod.affinity", app.spec.pod.affinity),
        )
        if stated
    ]
    message = (
        f"no node of the cluster may run the pods: correct {' or '.join(narrowed) or 'pod.tolerations'}, "
        "label the nodes with their zone, or add nodes that fit"
    )
    field = narrowed[0] if narrowed else "pod.tolerations"
    brief = f"{field}: none of the cluster's nodes may run the pods; correct it, or label or add nodes"
    return Finding(finding.NO_ELIGIBLE_NODE, f"spec.{field}", message, brief)


def _zones(cluster: Cluster) -> Iterator[Finding]:
    zones = cluster.app.spec.zones
    if zones is None or zones.min_domains is None or zones.min_domains <= len(cluster.zones):
        return
    there = len(cluster.zones)
    room = there * zones.max_skew
    held = f"; no more than {room} of {cluster.most} pods can be placed" if room < cluster.most else ""
    message = (
        f"zones.minDomains is {zones.min_domains}, and the pods may use nodes of {there} only "
        f"({', '.join(cluster.zones)}){held}: lower zones.minDomains to {there}, or add nodes in "
        f"{zones.min_domains - there} more"
    )
    if zones.names and len(zones.names) < zones.min_domains:
        message += f" and name them in zones.names, which lists {len(zones.names)}"
    brief = f"zones.minDomains {zones.min_domains}: usable nodes are in {there} zones only; lower it to {there}"
    yield Finding(finding.TOO_FEW_ZONES, "spec.zones.minDomains", message, brief)


def _cache(cluster: Cluster) -> Iterator[Finding]:
    """A required cache that is nowhere. One of our own is never missing: it comes up by itself."""
    cache = cluster.app.spec.cache
    if cache is None or cache.selector is None or not cache_required(cluster.app.spec):
        return
    soften = "set cache.whenUnsatisfiable: ScheduleAnyway"
    if not active_pods(cluster.cache_pods):
        message = (
            "cache.selector finds no pod, so every pod of the app stays Pending: start the cache, correct "
            f"cache.selector, or {soften}"
        )
        brief = f"cache.selector finds no pod, so the app would stay Pending; correct it, or {soften}"
        yield Finding(finding.CACHE_NOT_FOUND, "spec.cache.selector", message, brief)
    elif not cluster.near_cache.total():
        message = (
            "the pods that cache.selector finds are on nodes that the app may not use: move the cache, widen "
            f"pod.nodeSelector, pod.affinity or zones.names, or {soften}"
        )
        brief = f"cache.selector finds pods only on nodes the app may not use; move them, or {soften}"
        yield Finding(finding.CACHE_OUT_OF_REACH, "spec.cache.selector", message, brief)


def _budget(app: App) -> Iterator[Finding]:
    """A disruption budget that allows no disruption even when every pod is well."""
    budget, replicas = app.spec.disruption_budget, fewest(app.spec)
    if replicas < 2:
        return
    if budget.min_available is not None and scaled(budget.min_available, replicas, up=True) >= replicas:
        field, value, lower = "minAvailable", budget.min_available, "lower it to"
        number = replicas - 1
    elif budget.max_unavailable is not None and scaled(budget.max_unavailable, replicas, up=True) == 0:
        field, value, lower = "maxUnavailable", budget.max_unavailable, "raise it to"
        number = 1
    else:
        return
    whose = "replicas" if app.spec.autoscaling is None else "autoscaling.minReplicas"
    message = (
        f"disruptionBudget.{field} {value} with {whose} {replicas} lets no pod be evicted, so that no node can ever be "
        f"drained: {lower} {number}"
    )
    brief = f"disruptionBudget.{field} {value} with {whose} {replicas} blocks every drain; {lower} {number}"
    yield Finding(finding.BUDGET_BLOCKS_DRAINS, f"spec.disruptionBudget.{field}", message, brief)


def _keep_ready(cluster: Cluster) -> Iterator[Finding]:
    spec = cluster.app.spec
    if spec.zones is not None and spec.zones.keep_ready is not None:
        yield from _unkept(cluster, "zones", spec.zones.keep_ready, len(cluster.zones))
    if spec.nodes.keep_ready is not None:
        yield from _unkept(cluster, "nodes", spec.nodes.keep_ready, len(cluster.usable))


def _unkept(cluster: Cluster, level: str, keep: int | str, domains: int) -> Iterator[Finding]:
    replicas = fewest(cluster.app.spec)
    wanted, left = scaled(keep, replicas, up=True), best_left(replicas, domains)
    if not replicas or wanted <= left:
        return
    whose = "replicas" if cluster.app.spec.autoscaling is None else "autoscaling.minReplicas"
    more = enough_replicas(keep, replicas, domains)
    raised = f"raise {whose} to {more}" if more is not None else f"add nodes{' in more zones' * (level == 'zones')}"
    message = (
        f"{level}.keepReady asks for {wanted} pods after the loss of one of {domains} {level}, and {whose} {replicas} "
        f"leaves {left} at best: {raised}, or lower {level}.keepReady to {left}"
    )
    brief = f"{level}.keepReady {keep}: {whose} {replicas} in {domains} {level} can keep {left}; {raised}, or lower it"
    yield Finding(finding.KEEP_READY_IMPOSSIBLE, f"spec.{level}.keepReady", message, brief)
