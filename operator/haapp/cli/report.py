"""`report`: one page about an app that stands by itself: the map, conditions, what would be lost, events."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from haapp.api.replicas import fewest
from haapp.cli import output
from haapp.cli.cluster import Cluster, add_arguments, add_namespace, connect
from haapp.cli.documents import Document
from haapp.cli.errors import FINE, BadInput
from haapp.cli.explain import explained
from haapp.cli.live import LiveApp, events_of, look, when
from haapp.cli.picture import picture
from haapp.cli.report_page import page
from haapp.cli.simulation_stage import Stage, stage_of
from haapp.cli.surroundings import Surroundings, from_cluster
from haapp.placement.replicas import scaled
from haapp.render import RenderError
from haapp.simulation.changes import Change
from haapp.simulation.layout import Layout, after_loss
from haapp.simulation.machines import zones_of

EXAMPLES = """\
  kubectl haapp report shop -o html > shop.html
  kubectl haapp report shop -n production -o json
"""
EVENTS = 100
LOSSES = 60
"""So many nodes at most get a what-if of their own: a page with thousands of buttons helps nobody."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    add_arguments(parser)
    add_namespace(parser)
    parser.add_argument("-o", "--output", choices=("html", "json", "yaml"), default="html")


def run(arguments: argparse.Namespace) -> int:
    told = data(connect(arguments), arguments.name, datetime.now(UTC))
    if arguments.output == "html":
        sys.stdout.write(page(told))
    else:
        output.write(told, arguments.output)
    return FINE


def data(cluster: Cluster, name: str, now: datetime) -> dict[str, Any]:
    """Everything that the page shows. Raises BadInput."""
    live = look(cluster, name)
    found = picture(live)
    losses, note = _losses(cluster, live, found)
    return {
        "cluster": cluster.name,
        "written": now.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "map": found,
        "explained": explained(cluster, live),
        "conditions": [dict(condition) for condition in live.conditions],
        "keepReady": _keep(live),
        "losses": losses,
        "note": note,
        "events": [_event(event) for event in reversed(events_of(cluster, live.object["kind"], name)[-EVENTS:])],
    }


def _losses(cluster: Cluster, live: LiveApp, found: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """What each zone's and node's loss leaves, and what becomes of it once the lost pods were replaced."""
    try:
        around = from_cluster(cluster)
        note = ""
    except BadInput as error:
        around = Surroundings()
        note = f"what becomes of lost pods is not foretold: {error}"
    stage = stage_of(Document(cluster.name, live.object), (), around)
    layout = _layout(stage, live) if around.live else None
    told = [_loss(live, layout, "zone", zone["name"], found) for zone in found["zones"] if zone["name"]]
    nodes = [node["name"] for zone in found["zones"] for node in zone["nodes"] if node["pods"] or node["caches"]]
    return told + [_loss(live, layout, "node", name, found) for name in nodes[:LOSSES]], note


def _layout(stage: Stage, live: LiveApp) -> Layout | None:
    desired = live.deployment.desired if live.deployment is not None else None
    replicas = fewest(live.app.spec) if desired is None else desired
    try:
        return stage.running(stage.placed(Change("as it is", stage.app, stage.machines, replicas)))
    except RenderError:
        return None


def _loss(live: LiveApp, layout: Layout | None, level: str, name: str, found: dict[str, Any]) -> dict[str, Any]:
    left = found["survives"][level]["without"].get(name, len(live.ready))
    told: dict[str, Any] = {"level": level, "name": name, "left": left}
    if layout is not None and (name in zones_of(layout.machines) or level == "node"):
        gone = {it.name for it in layout.machines if (it.zone if level == "zone" else it.name) == name}
        after, _ = after_loss(layout, lambda machine: machine.name in gone)
        ready = sum(number for node, number in after.app.nodes.items() if node not in gone)
        told["afterwards"] = {"ready": ready, "pending": after.app.pending, "message": after.app.message}
    return told


def _keep(live: LiveApp) -> dict[str, int]:
    wanted = (live.deployment.desired if live.deployment is not None else None) or fewest(live.app.spec)
    zones, nodes = live.app.spec.zones, live.app.spec.nodes
    stated = {"zone": zones.keep_ready if zones is not None else None, "node": nodes.keep_ready}
    return {level: 1 if keep is None else scaled(keep, wanted, up=True) for level, keep in stated.items()}


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "time": when(event)[:19].replace("T", " "),
        "type": event.get("type") or "",
        "reason": event.get("reason") or "",
        "message": event.get("message") or "",
        "count": (event.get("series") or {}).get("count") or event.get("count") or 1,
    }
