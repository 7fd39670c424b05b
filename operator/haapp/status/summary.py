"""`status.summary` and `status.columns`: the status for people, in one line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from haapp.api.objects import Object
from haapp.placement.colocation import Nearness
from haapp.status import reasons
from haapp.status.failures import Trouble
from haapp.status.placement import Places
from haapp.status.scene import Scene
from haapp.status.text import one_line, tally
from haapp.status.verdict import Verdict

CAUSES: Final = 3
"""How many causes the summary names; the conditions have them all."""
LENGTH: Final = 512


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the summary is made from; `waiting` tells of pods that have not failed and still wait for something,
    `verdicts` are by condition type."""

    scene: Scene
    places: Places
    near: Nearness | None
    trouble: Trouble | None
    waiting: str
    verdicts: Mapping[str, Verdict]


def summary(picture: Picture) -> str:
    """`3/3 ready, zones a:1 b:1 c:1, cache 3/3 near`, then what is wrong, the most important cause first."""
    scene, places, near = picture.scene, picture.places, picture.near
    if scene.desired == 0 and not scene.ready:
        facts = "scaled to zero"
    else:
        zones = f", zones {tally(places.ready, places.zones)}" if places.zones else ""
        cache = f", cache {near.colocated}/{near.total} near" if near is not None else ""
        facts = f"{len(scene.ready)}/{scene.desired} ready{zones}{cache}"
    causes = list(dict.fromkeys(_causes(picture)))[:CAUSES]
    return one_line("; ".join([facts, *causes]), LENGTH)


def columns(picture: Picture) -> Object:
    """`status.columns`: what kubectl shows of fields that it cannot put together itself."""
    scene, places, near = picture.scene, picture.places, picture.near
    survived = [
        name
        for name, kind in (("zone", reasons.SURVIVES_ZONE_LOSS), ("node", reasons.SURVIVES_NODE_LOSS))
        if picture.verdicts[kind].status == "True"
    ]
    return {
        "replicas": f"{len(scene.ready)}/{scene.desired}",
        "zones": tally(places.ready, places.zones),
        "survives": ",".join(survived) or "none",
        **({"cache": f"{near.colocated}/{near.total}"} if near is not None else {}),
    }


def _causes(picture: Picture) -> Iterator[str]:
    """First what only a person can put right, then what holds Ready back, what is on its way, what is only wished."""
    hard, soft = _told(picture, required=True), _told(picture, required=False)
    yield from _named(hard, reasons.RECONCILED)
    if picture.verdicts[reasons.PROGRESSING].reason == reasons.ROLLED_BACK:
        yield picture.verdicts[reasons.PROGRESSING].cause
    if picture.verdicts[reasons.INIT_STEPS_COMPLETED].status == "False":
        yield from _named(hard, reasons.INIT_STEPS_COMPLETED)
    if picture.trouble is not None:
        yield picture.trouble.cause
    yield from _named(hard, reasons.SPREAD, reasons.CACHE_COLOCATED)
    yield from _named(hard, reasons.SURVIVES_ZONE_LOSS, reasons.SURVIVES_NODE_LOSS)
    yield from _named(soft, reasons.PROGRESSING)
    yield from _named(hard, reasons.INIT_STEPS_COMPLETED)
    if picture.waiting:
        yield picture.waiting
    yield from _named(soft, reasons.SPREAD, reasons.CACHE_COLOCATED)
    yield from (f"{finding.reason}: {finding.message}" for finding in picture.scene.observed.findings[:1])
    yield from _named(soft, reasons.RECONCILING)


def _told(picture: Picture, *, required: bool) -> dict[str, str]:
    return {kind: verdict.cause for kind, verdict in picture.verdicts.items() if verdict.required is required}


def _named(causes: Mapping[str, str], *kinds: str) -> Iterator[str]:
    return (causes[kind] for kind in kinds if causes.get(kind))
