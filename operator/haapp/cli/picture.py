"""Where an app's pods and caches are, as JSON data: the map in the terminal and the one in the report show the same."""

from collections import Counter
from typing import Any, Literal

from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.cli.live import LiveApp
from haapp.placement.live import active_pods
from haapp.placement.model import Node, Pod
from haapp.placement.spread import counts, domains, levels, skew
from haapp.placement.survival import node_loss, zone_loss

State = Literal["ready", "not ready", "leaving"]
Picture = dict[str, Any]


def picture(live: LiveApp) -> Picture:
    """Zones with their nodes, nodes with their pods; those without a node apart."""
    used = {pod.node for pod in (*live.pods, *live.cache_pods)}
    eligible = {node.name for node in live.eligible}
    shown = [node for node in live.nodes if node.name in used or node.name in eligible]
    return {
        "name": live.app.name,
        "namespace": live.app.namespace,
        "summary": live.status.get("summary") or "the operator has not looked at it yet",
        "zones": [
            {"name": zone, "nodes": [_node(live, node, eligible) for node in shown if (node.zone or "") == zone]}
            for zone in sorted({node.zone or "" for node in shown})
        ],
        "waiting": [_pod(live, pod) for pod in live.active if not pod.node],
        "ready": len(live.ready),
        "wanted": live.deployment.desired if live.deployment is not None else None,
        "skew": _skews(live),
        "survives": _survives(live),
    }


def _node(live: LiveApp, node: Node, eligible: set[str]) -> Picture:
    return {
        "name": node.name,
        "ready": node.ready,
        "mayBeUsed": node.name in eligible,
        "pods": [
            _pod(live, pod) for pod in live.pods if pod.node == node.name and pod.phase not in ("Succeeded", "Failed")
        ],
        "caches": [
            {"name": pod.name, "ready": pod.ready} for pod in active_pods(live.cache_pods) if pod.node == node.name
        ],
    }


def _pod(live: LiveApp, pod: Pod) -> Picture:
    old = live.template_hash is not None and pod.template_hash not in ("", live.template_hash)
    return {"name": pod.name, "state": _state(live, pod), "old": old}


def _state(live: LiveApp, pod: Pod) -> State:
    if pod.deleting:
        return "leaving"
    return "ready" if pod in live.ready else "not ready"


def _skews(live: LiveApp) -> list[Picture]:
    told = []
    for level in levels(live.app.spec):
        among, placed = domains(level, live.eligible), counts(level.key, live.ready, live.by_name)
        found = skew(level, placed, among)
        told.append({"level": level.field, "skew": found, "maxSkew": level.max_skew, "required": level.required})
    return told


def _survives(live: LiveApp) -> Picture:
    losses = {"zone": zone_loss(live.ready, live.by_name), "node": node_loss(live.ready)}
    numbers: dict[str, Counter[str]] = {
        "zone": counts(ZONE_KEY, live.ready, live.by_name),
        "node": counts(HOSTNAME_KEY, live.ready, live.by_name),
    }
    return {
        name: {"left": loss.ready_left, "worst": loss.worst, "without": _without(numbers[name], len(live.ready))}
        for name, loss in losses.items()
    }


def _without(numbers: Counter[str], ready: int) -> dict[str, int]:
    """How many ready pods the loss of each domain leaves."""
    return {name: ready - number for name, number in sorted(numbers.items())}
