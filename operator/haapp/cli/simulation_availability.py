"""How available an app is, as JSON data: as it is, and with one change."""

from typing import Any

from haapp.api import App
from haapp.cli.simulation_stage import Stage
from haapp.placement.replicas import scaled
from haapp.simulation.availability import Availability, Rates, availability
from haapp.simulation.changes import Change, changes
from haapp.simulation.layout import Layout, after_loss
from haapp.simulation.machines import Machine


def availability_of(stage: Stage, as_it_is: Change, keep: int | None, rates: Rates) -> dict[str, Any]:
    """The share of time in which at least `keep` pods are ready (the spec's keepReady if it is `None`), now and with
    one change."""
    app, replicas = as_it_is.app, as_it_is.replicas
    keep = _keep(app, replicas) if keep is None else keep
    asked = {change.name: _both(stage, change, keep, rates) for change in changes(app, stage.machines, replicas)}
    return {
        "keep": keep,
        "rates": {
            "nodeMtbfSeconds": rates.node_mtbf,
            "nodeRepairSeconds": rates.node_repair,
            "zoneMtbfSeconds": rates.zone_mtbf,
            "zoneRepairSeconds": rates.zone_repair,
        },
        **_both(stage, as_it_is, keep, rates),
        "changes": asked,
        "unreplaced": _unreplaced(stage.placed(as_it_is)),
    }


def _both(stage: Stage, change: Change, keep: int, rates: Rates) -> dict[str, Any]:
    """As the scheduler would place the pods, and at worst: as close together as what is required allows."""
    layouts = {"placed": stage.placed(change), "atWorst": stage.crowded(change)}
    return {name: _told(_of(layout, keep, rates)) for name, layout in layouts.items()}


def _of(layout: Layout, keep: int, rates: Rates) -> Availability:
    zones: dict[str, dict[str, int]] = {}
    for machine in layout.machines:
        zones.setdefault(machine.zone, {})[machine.name] = layout.app.nodes.get(machine.name, 0)
    return availability(zones.values(), keep, rates)


def _told(found: Availability) -> dict[str, float]:
    return {
        "availability": found.share,
        "nines": round(min(found.nines, 99.0), 2),
        "downSecondsPerYear": found.down_per_year,
    }


def _keep(app: App, replicas: int) -> int:
    """The greater of the spec's keepReady, 1 where it states none."""
    stated = [app.spec.nodes.keep_ready, app.spec.zones.keep_ready if app.spec.zones is not None else None]
    return max([scaled(it, replicas, up=True) for it in stated if it is not None], default=1)


def _unreplaced(layout: Layout) -> list[str]:
    """Nodes whose pods would find no place elsewhere."""
    used = [machine for machine in layout.machines if layout.app.nodes.get(machine.name)]
    return [machine.name for machine in used if _pending_without(layout, machine) > layout.app.pending]


def _pending_without(layout: Layout, gone: Machine) -> int:
    return after_loss(layout, lambda machine: machine is gone)[0].app.pending
