"""Why a node cannot take a pod, in kube-scheduler's own words, in the order in which its plugins are asked."""

from collections.abc import Callable, Iterator
from typing import Final

from haapp.placement.selectors import tolerated
from haapp.simulation.machines import PODS, UNSCHEDULABLE, Machine
from haapp.simulation.scene import Scene

TAINTED: Final = "node(s) had untolerated taint(s)"
CORDONED: Final = "node(s) were unschedulable"
NOT_SELECTED: Final = "node(s) didn't match Pod's node affinity/selector"
PORTS_TAKEN: Final = "node(s) didn't have free ports for the requested pod ports"
TOO_MANY: Final = "Too many pods"
SKEWED: Final = "node(s) didn't match pod topology spread constraints"
UNLABELLED: Final = f"{SKEWED} (missing required label)"
NOT_NEAR: Final = "node(s) didn't match pod affinity rules"
NOT_APART: Final = "node(s) didn't match pod anti-affinity rules"
REPELLED: Final = "node(s) didn't satisfy existing pods anti-affinity rules"

Reasons = tuple[str, ...]
Filter = Callable[[Machine], Reasons]


def filters(scene: Scene) -> tuple[Filter, ...]:
    """Each says nothing of a machine that it lets pass."""
    return (_node(scene), _room(scene), _spread(scene), _affinity(scene))


def _node(scene: Scene) -> Filter:
    shape = scene.shape

    def check(machine: Machine) -> Reasons:
        if machine.unschedulable and not tolerated(UNSCHEDULABLE, shape.tolerations):
            return (CORDONED,)
        if machine.repels(shape):
            return (TAINTED,)
        if not machine.admits(shape):
            return (NOT_SELECTED,)
        return (PORTS_TAKEN,) if shape.host_ports and _conflict(scene, machine) else ()

    return check


def _conflict(scene: Scene, machine: Machine) -> bool:
    anywhere = "0.0.0.0"  # noqa: S104  (a host port's address, not ours)
    return any(
        (protocol, port) == (other_protocol, other_port) and (ip == other or anywhere in (ip, other))
        for ip, protocol, port in scene.shape.host_ports
        for other, other_protocol, other_port in scene.ports[machine.name]
    )


def _room(scene: Scene) -> Filter:
    wanted = {name: amount for name, amount in scene.shape.requests.items() if amount > 0}

    def check(machine: Machine) -> Reasons:
        if machine.allocatable is None:
            return ()
        there, used = machine.allocatable, scene.used[machine.name]
        full = (TOO_MANY,) if used[PODS] + 1 > there.get(PODS, 0) else ()
        short = (f"Insufficient {name}" for name, n in wanted.items() if n > there.get(name, 0) - used[name])
        return (*full, *short)

    return check


def _spread(scene: Scene) -> Filter:
    hard = [constraint for constraint in scene.shape.constraints if constraint.required]
    keys = [constraint.key for constraint in hard]
    counts = [(constraint, scene.spread_counts(constraint, keys)) for constraint in hard]
    floors = [min(numbers.values()) if len(numbers) >= it.min_domains else 0 for it, numbers in counts]

    def check(machine: Machine) -> Reasons:
        for (constraint, numbers), floor in zip(counts, floors, strict=True):
            home = machine.labels.get(constraint.key)
            if home is None:
                return (UNLABELLED,)
            if numbers[home] + constraint.matches(scene.shape) - floor > constraint.max_skew:
                return (SKEWED,)
        return ()

    return check


def _affinity(scene: Scene) -> Filter:
    shape = scene.shape
    near, apart, forbidden = scene.matched_by_all(shape.affinity), scene.domains(shape.anti_affinity), scene.forbidden()
    first = not near and bool(shape.affinity) and all(term.matches(shape) for term in shape.affinity)

    def check(machine: Machine) -> Reasons:
        homes = [(term.key, machine.labels.get(term.key)) for term in shape.affinity]
        if not all(home in near or (first and home[1] is not None) for home in homes):
            return (NOT_NEAR,)
        if any((term.key, machine.labels.get(term.key)) in apart for term in shape.anti_affinity):
            return (NOT_APART,)
        return (REPELLED,) if any(machine.labels.get(key) == value for key, value in forbidden) else ()

    return check


def reasons(machine: Machine, checks: tuple[Filter, ...]) -> Reasons:
    """What the first filter says that does not let the machine pass; nothing if all do."""
    said: Iterator[Reasons] = (check(machine) for check in checks)
    return next((found for found in said if found), ())
