"""`status.placement`, and the zones as one line shows them."""

from collections import Counter
from dataclasses import dataclass

from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.api.objects import Object
from haapp.placement.domains import zones_of
from haapp.placement.live import active_pods
from haapp.placement.spread import counts
from haapp.status.scene import Scene


@dataclass(frozen=True, slots=True)
class Places:
    """Ready and all active pods, of every revision, by zone, and how many nodes hold one. The skews are of the current
    revision's pods over the eligible zones and nodes: what the spread is judged by."""

    zones: tuple[str, ...]
    ready: Counter[str]
    total: Counter[str]
    nodes: int
    zone_skew: int
    node_skew: int


def places(scene: Scene) -> Places:
    """Where the live pods are. The zones are those that the app may use now, and any other that still holds a pod."""
    active = active_pods(scene.observed.pods)
    total = counts(ZONE_KEY, active, scene.nodes)
    zone, node, *_ = scene.tallies
    return Places(
        zones=tuple(sorted({*zones_of(scene.eligible), *total})),
        ready=counts(ZONE_KEY, scene.ready, scene.nodes),
        total=total,
        nodes=len(
            counts(HOSTNAME_KEY, active, scene.nodes) if scene.nodes else {pod.node for pod in active if pod.node}
        ),
        zone_skew=zone.skew,
        node_skew=node.skew,
    )


def placement_status(places: Places) -> Object:
    """`status.placement`."""
    return {
        "zones": [{"name": name, "ready": places.ready[name], "total": places.total[name]} for name in places.zones],
        "nodes": places.nodes,
        "zoneSkew": places.zone_skew,
        "nodeSkew": places.node_skew,
    }
