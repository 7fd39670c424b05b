"""Node affinity, affinity to the cache, anti-affinity among the app's own pods, merged with what the user wrote."""

from collections.abc import Mapping
from typing import Final

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Nodes, Zones
from haapp.render.metadata import selector as selector_of

WEIGHT: Final = 100
"""The weight of a preference, the most that there is."""
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
NEAR: Final = {"Node": names.HOSTNAME_KEY, "Zone": names.ZONE_KEY}


def app_affinity(app: App, selector: Mapping[str, str]) -> Object:
    """The app's affinity; empty where there is nothing to say. Every term of the user's stays."""
    spec = app.spec
    theirs: Object = spec.pod.affinity or {}
    parts = {
        "nodeAffinity": only_in_zones(theirs.get("nodeAffinity"), spec.zones),
        "podAffinity": _added(theirs.get("podAffinity"), *_to_cache(app)),
        "podAntiAffinity": _added(theirs.get("podAntiAffinity"), *_apart(spec.nodes, selector)),
    }
    return {kind: part for kind, part in parts.items() if part}


def only_in_zones(theirs: Object | None, zones: Zones | None) -> Object:
    """Node affinity that also keeps to `zones.names`.

    Terms are alternatives, so the zones go into each of them. A term that is empty matches no node and stays so.
    """
    if zones is None or not zones.names:
        return theirs or {}
    in_zones: Object = {"key": names.ZONE_KEY, "operator": "In", "values": list(zones.names)}
    required: Object = (theirs or {}).get(REQUIRED, {})
    terms = [_narrowed(term, in_zones) for term in required.get("nodeSelectorTerms", ())]
    return {**(theirs or {}), REQUIRED: {"nodeSelectorTerms": terms or [{"matchExpressions": [in_zones]}]}}


def _narrowed(term: Object, expression: Object) -> Object:
    if not any(term.values()):
        return term
    return {**term, "matchExpressions": [*term.get("matchExpressions", ()), expression]}


def _to_cache(app: App) -> tuple[str, Object] | tuple[()]:
    cache = app.spec.cache
    if cache is None or cache.colocate == "Pod":
        return ()
    labels = {"matchLabels": selector_of(app, names.COMPONENT_CACHE)}
    term: Object = {"labelSelector": cache.selector or labels, "topologyKey": NEAR[cache.colocate]}
    return (REQUIRED if cache.when_unsatisfiable == "DoNotSchedule" else PREFERRED), term


def _apart(nodes: Nodes, selector: Mapping[str, str]) -> tuple[str, Object] | tuple[()]:
    if nodes.anti_affinity == "None":
        return ()
    term: Object = {
        "labelSelector": {"matchLabels": dict(selector)},
        # Only pods of the same revision keep apart: else a rollout's surge pod would find no node without an old one.
        "matchLabelKeys": ["pod-template-hash"],
        "topologyKey": names.HOSTNAME_KEY,
    }
    return (REQUIRED if nodes.anti_affinity == "Required" else PREFERRED), term


def _added(theirs: Object | None, strength: str = "", term: Object | None = None) -> Object:
    """Pod (anti-)affinity with one more term of that strength."""
    there = theirs or {}
    if term is None:
        return there
    entry = term if strength == REQUIRED else {"weight": WEIGHT, "podAffinityTerm": term}
    return {**there, strength: [*there.get(strength, ()), entry]}
