"""What a simulation found out of one app, as JSON data: the text for people is made from the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from haapp.api import App
from haapp.api.replicas import fewest
from haapp.cli.documents import Document
from haapp.cli.errors import BadInput
from haapp.cli.simulation_availability import availability_of
from haapp.cli.simulation_stage import Stage, stage_of
from haapp.cli.surroundings import Surroundings
from haapp.placement.replicas import scaled
from haapp.render import RenderError
from haapp.simulation.availability import Rates
from haapp.simulation.changes import Change
from haapp.simulation.layout import Layout, Placement, after_loss
from haapp.simulation.machines import Machine, zones_of
from haapp.simulation.outcomes import outcomes
from haapp.simulation.rollout import play

LARGE_CLUSTER = 100
"""From so many nodes on kube-scheduler looks at a part of them only."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked besides where the pods go; `rates` asks for the availability."""

    replicas: int | None = None
    zones: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    rollout: bool = False
    keep: int | None = None
    rates: Rates | None = None


def report(document: Document, found: Iterable[Document], around: Surroundings, question: Question) -> dict[str, Any]:
    """Everything about one app; `findings` are sentences on what does not work out. Raises BadInput."""
    stage = stage_of(document, found, around)
    _check_names(stage.machines, question)
    replicas = fewest(stage.app.spec) if question.replicas is None else question.replicas
    as_it_is = Change("as it is", stage.app, stage.machines, replicas)
    try:
        layout = stage.placed(as_it_is)
    except RenderError as error:
        raise BadInput(f"{document}: {error}") from None
    told: dict[str, Any] = {
        "name": stage.app.name,
        "namespace": stage.app.namespace,
        **_placement(layout, layout.app),
        "beside": {it.workload.name: _placement(layout, it) for it in layout.placements[:-1]},
        "possible": _possible(layout),
        "survives": {name: {"left": loss.ready_left, "worst": loss.worst} for name, loss in layout.losses().items()},
    }
    if question.zones or question.nodes:
        told["loss"] = _loss(layout, question)
    if question.rollout:
        told["rollout"] = _rollout(stage, layout)
    if question.rates is not None:
        told["availability"] = availability_of(stage, as_it_is, question.keep, question.rates)
    told["notes"] = _notes(stage)
    told["findings"] = list(_findings(stage.app, told))
    return told


def _check_names(machines: tuple[Machine, ...], question: Question) -> None:
    for what, wanted, there in (
        ("zone", question.zones, set(zones_of(machines))),
        ("node", question.nodes, {machine.name for machine in machines}),
    ):
        if unknown := sorted(wanted - there):
            raise BadInput(f"there is no {what} {unknown[0]!r}; there are {', '.join(sorted(there)[:20]) or 'none'}")


def _placement(layout: Layout, placement: Placement) -> dict[str, Any]:
    zone = {machine.name: machine.zone for machine in layout.machines}
    return {
        "replicas": placement.workload.replicas,
        "placed": placement.placed,
        "pending": placement.pending,
        "message": placement.message,
        "zones": layout.by_zone(placement),
        "nodes": [
            {"name": it.name, "zone": zone[it.name], "pods": placement.nodes.get(it.name, 0)} for it in layout.machines
        ],
    }


def _possible(layout: Layout) -> dict[str, Any]:
    """Where the scheduler draws lots, all that may come of it."""
    found = outcomes(layout)
    listed = [{"zones": dict(zones), "pending": pending} for zones, pending in sorted(found.found)]
    return {"complete": found.complete, "layouts": listed}


def _loss(layout: Layout, question: Question) -> dict[str, Any]:
    after, left = after_loss(layout, lambda it: it.zone in question.zones or it.name in question.nodes)
    gone = {it.name for it in layout.machines if it.zone in question.zones or it.name in question.nodes}
    ready = sum(number for node, number in after.app.nodes.items() if node not in gone)
    return {
        "zones": sorted(question.zones),
        "nodes": sorted(question.nodes),
        "left": left,
        "afterwards": {**_placement(after, after.app), "ready": ready},
    }


def _rollout(stage: Stage, layout: Layout) -> dict[str, Any]:
    """From the pods that run, if there are any, else from those that were placed."""
    played = play(stage.running(layout))
    stuck = {"old": played.old, "new": played.new, "pending": played.pending, "message": played.message}
    told = {"verdict": played.verdict, "fromLivePods": bool(stage.own), "statesTried": played.ways}
    return {**told, **({"stuck": stuck} if played.message else {})}


def _notes(stage: Stage) -> list[str]:
    notes = []
    if len(stage.machines) >= LARGE_CLUSTER:
        notes.append(
            f"among {len(stage.machines)} nodes kube-scheduler looks at a part only: it may choose another of them"
        )
    unknown = [machine.name for machine in stage.machines if machine.allocatable is None]
    if unknown:
        notes.append(f"{unknown[0]} does not say what is allocatable on it, so everything fits there")
    return notes


def _findings(app: App, told: dict[str, Any]) -> Iterator[str]:
    name = told["name"]
    if told["pending"]:
        yield f"{name}: {told['pending']} of {told['replicas']} pods stay Pending"
    yield from (f"{other}: {it['pending']} pods stay Pending" for other, it in told["beside"].items() if it["pending"])
    yield from _unkept(app, told)
    if told.get("loss", {}).get("afterwards", {}).get("pending"):
        yield f"{name}: after the loss {told['loss']['afterwards']['pending']} pods stay Pending"
    if told.get("rollout", {}).get("verdict", "finishes") != "finishes":
        yield f"{name}: a rollout {told['rollout']['verdict']}"


def _unkept(app: App, told: dict[str, Any]) -> Iterator[str]:
    zones, nodes = app.spec.zones, app.spec.nodes
    for level, keep in (("zone", zones.keep_ready if zones is not None else None), ("node", nodes.keep_ready)):
        left, worst = told["survives"][level]["left"], told["survives"][level]["worst"]
        if keep is not None and left < scaled(keep, told["replicas"], up=True):
            yield f"{told['name']}: the loss of {level} {worst} leaves {left}, {level}s.keepReady is {keep}"
