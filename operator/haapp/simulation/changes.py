"""What one change of the spec, or one more zone, would bring."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from haapp.api.app import App
from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.api.replicas import fewest
from haapp.simulation.machines import Machine, zones_of

ENOUGH_ZONES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """`name` says what is changed, in the spec's own terms."""

    name: str
    app: App
    machines: tuple[Machine, ...]
    replicas: int


def changes(app: App, machines: Sequence[Machine], replicas: int | None = None) -> Iterator[Change]:
    """Those that are not so already: required anti-affinity, a third zone, one replica more."""
    there, wanted = tuple(machines), fewest(app.spec) if replicas is None else replicas
    if app.spec.nodes.anti_affinity != "Required":
        nodes = replace(app.spec.nodes, anti_affinity="Required")
        yield Change("nodes.antiAffinity: Required", _with(app, nodes=nodes), there, wanted)
    if len(zones_of(there)) < ENOUGH_ZONES:
        yield _one_zone_more(app, there, wanted)
    yield Change(f"replicas: {wanted + 1}", app, there, wanted + 1)


def _one_zone_more(app: App, machines: tuple[Machine, ...], replicas: int) -> Change:
    """A zone with as many machines, of the same kind, as the largest has."""
    name = "zone-new"
    largest = max(zones_of(machines), key=Counter(machine.zone for machine in machines).__getitem__)
    new = tuple(
        replace(
            machine,
            name=f"{name}-{number}",
            zone=name,
            labels={**machine.labels, ZONE_KEY: name, HOSTNAME_KEY: f"{name}-{number}"},
        )
        for number, machine in enumerate((it for it in machines if it.zone == largest), 1)
    )
    zones = app.spec.zones
    if zones is not None and zones.names:
        app = _with(app, zones=replace(zones, names=(*zones.names, name)))
    count = len(zones_of(machines)) + 1
    return Change(f"a {'second' if count == 2 else 'third'} zone", app, (*machines, *new), replicas)


def _with(app: App, **parts: object) -> App:
    return replace(app, spec=replace(app.spec, **parts))  # type: ignore[arg-type]
