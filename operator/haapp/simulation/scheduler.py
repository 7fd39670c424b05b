"""One scheduling decision: the nodes that score best, or why there is none."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haapp.simulation.filters import filters, reasons
from haapp.simulation.machines import Machine
from haapp.simulation.scene import Group, Scene
from haapp.simulation.scores import totals
from haapp.simulation.shapes import Shape


@dataclass(frozen=True, slots=True)
class Decision:
    """`best` are the nodes among which kube-scheduler draws lots; without any, `message` is what it would write into
    the pod's condition. `feasible` are all that could take the pod."""

    best: tuple[Machine, ...]
    feasible: tuple[Machine, ...]
    message: str = ""


def decide(shape: Shape, machines: Sequence[Machine], groups: Iterable[Group]) -> Decision:
    """Where one more pod of that shape would go."""
    scene = Scene(shape, machines, groups)
    checks = filters(scene)
    said = [(machine, reasons(machine, checks)) for machine in machines]
    feasible = tuple(machine for machine, why in said if not why)
    if len(feasible) <= 1:
        return Decision(
            feasible, feasible, "" if feasible else _message(len(machines), Counter(r for _, why in said for r in why))
        )
    scores = totals(scene, feasible)
    best = max(scores)
    return Decision(tuple(it for it, score in zip(feasible, scores, strict=True) if score == best), feasible)


def _message(nodes: int, why: Counter[str]) -> str:
    if not nodes:
        return "no nodes available to schedule pods"
    return (
        f"0/{nodes} nodes are available: {', '.join(sorted(f'{number} {reason}' for reason, number in why.items()))}."
    )
