"""Topology spread constraints: how pods are shared out over zones, nodes and further levels."""

from collections.abc import Mapping

from haapp.api import names
from haapp.api.objects import Object
from haapp.api.spec import Nodes, Spec, Zones
from haapp.render.merge import given

BEST_EFFORT_ZONES = Zones(when_unsatisfiable="ScheduleAnyway")
"""How an app is spread over zones that says nothing of them."""


# A zone whose nodes are all tainted is no place to wait for.
NODE_POLICIES = {"nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Honor"}


def spread_constraints(spec: Spec, selector: Mapping[str, str]) -> list[Object]:
    """The app's constraints: zones, nodes, then the user's own levels."""
    further = [_further(constraint, selector) for constraint in spec.spread]
    return [zone_constraint(spec.zones, selector), node_constraint(spec.nodes, selector), *further]


def zone_constraint(zones: Zones | None, selector: Mapping[str, str]) -> Object:
    """Spread over zones, as asked for or else as well as can be."""
    wanted = zones or BEST_EFFORT_ZONES
    return _constraint(names.ZONE_KEY, wanted, selector, wanted.min_domains)


def node_constraint(nodes: Nodes, selector: Mapping[str, str]) -> Object:
    """Spread over nodes."""
    return _constraint(names.HOSTNAME_KEY, nodes, selector)


def _further(constraint: Object, selector: Mapping[str, str]) -> Object:
    """A level of the user's own, with what holds for ours wherever it says nothing. A constraint that selects its pods
    itself is taken as it is: its selector may mean pods of several revisions on purpose."""
    if constraint.get("labelSelector") is not None:
        return {**NODE_POLICIES, **constraint}
    return {**_own_pods(selector), **NODE_POLICIES, **constraint}


def _own_pods(selector: Mapping[str, str]) -> Object:
    # Each revision is spread by itself, so that a rollout ends spread.
    return {"labelSelector": {"matchLabels": dict(selector)}, "matchLabelKeys": ["pod-template-hash"]}


def _constraint(key: str, wanted: Zones | Nodes, selector: Mapping[str, str], min_domains: int | None = None) -> Object:
    return {
        "maxSkew": wanted.max_skew,
        "topologyKey": key,
        "whenUnsatisfiable": wanted.when_unsatisfiable,
        **given(minDomains=min_domains),
        **_own_pods(selector),
        **NODE_POLICIES,
    }
