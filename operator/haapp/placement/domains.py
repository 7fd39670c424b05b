"""Which nodes, and so which zones, the pods of an app may use."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.api.spec import Spec
from haapp.placement.model import Node
from haapp.placement.selectors import node_terms_match, tolerated

NODE_CONDITION_TAINTS: Final = "node.kubernetes.io/"
"""Taints under this prefix tell a node's present state (not ready, cordoned, out of disk), not its purpose."""


def eligible_nodes(spec: Spec, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes that count as domains now: ready, schedulable, with no taint that the app does not tolerate, matching
    its node selector, node affinity and `zones.names`, and labelled for every required level of spread."""
    wanted, tolerations = _Wanted(spec), spec.pod.tolerations
    return tuple(
        node
        for node in nodes
        if node.ready
        and not node.unschedulable
        and all(tolerated(taint, tolerations) for taint in node.taints)
        and wanted.fits(node)
    )


def usable_nodes(spec: Spec, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes that would be eligible if every node were well: what the cluster has, whatever its state just now."""
    wanted, tolerations = _Wanted(spec), spec.pod.tolerations
    return tuple(
        node
        for node in nodes
        if all(tolerated(taint, tolerations) for taint in node.taints if not taint[0].startswith(NODE_CONDITION_TAINTS))
        and wanted.fits(node)
    )


def zones_of(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The names of the zones of these nodes, in order; nodes without a zone label have none."""
    return tuple(sorted({node.zone for node in nodes if node.zone}))


def domain_of(node: Node, key: str) -> str | None:
    """The domain that a node belongs to at the level of a topology key; `None` if it has no such label."""
    if key == ZONE_KEY:
        return node.zone
    if key == HOSTNAME_KEY:
        return node.name
    return next((value for name, value in node.labels if name == key), None)


def required_keys(spec: Spec) -> frozenset[str]:
    """The topology keys of the DoNotSchedule constraints: kube-scheduler passes over a node that lacks any of them."""
    keys = {item["topologyKey"] for item in spec.spread if _hard(item.get("whenUnsatisfiable", "DoNotSchedule"))}
    if spec.zones is not None and _hard(spec.zones.when_unsatisfiable):
        keys.add(ZONE_KEY)
    return frozenset(keys)


class _Wanted:
    """What an app asks of a node's labels, worked out once for all nodes."""

    def __init__(self, spec: Spec) -> None:
        self._keys = required_keys(spec)
        self._zones = frozenset(spec.zones.names if spec.zones is not None else ())
        self._selector = spec.pod.node_selector
        self._terms = _required_terms(spec.pod.affinity)

    def fits(self, node: Node) -> bool:
        """Whether the node's labels are what is asked for."""
        if any(domain_of(node, key) is None for key in self._keys) or (self._zones and node.zone not in self._zones):
            return False
        if not self._selector and self._terms is None:
            return True
        labels = dict(node.labels)
        return all(labels.get(key) == value for key, value in self._selector.items()) and (
            self._terms is None or node_terms_match(self._terms, node.name, labels)
        )


def _required_terms(affinity: Mapping[str, Any] | None) -> list[Mapping[str, Any]] | None:
    node_affinity = (affinity or {}).get("nodeAffinity") or {}
    required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else list(required.get("nodeSelectorTerms") or ())


def _hard(when_unsatisfiable: str) -> bool:
    return when_unsatisfiable == "DoNotSchedule"
