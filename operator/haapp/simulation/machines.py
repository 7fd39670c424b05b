"""A node as kube-scheduler sees it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.placement.model import node_of
from haapp.placement.selectors import node_terms_match, tolerated
from haapp.simulation.requests import amounts
from haapp.simulation.shapes import Shape

PODS: Final = "pods"
UNSCHEDULABLE: Final = ("node.kubernetes.io/unschedulable", "", "NoSchedule")
NOT_READY: Final = ("node.kubernetes.io/not-ready", "", "NoSchedule")
UNREACHABLE: Final = (
    ("node.kubernetes.io/unreachable", "", "NoSchedule"),
    ("node.kubernetes.io/unreachable", "", "NoExecute"),
)
"""What the node controller puts on a node whose kubelet is silent."""

Taint = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """`allocatable` is `None` where the node does not report it (a file written by hand): then everything fits."""

    name: str
    zone: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    unschedulable: bool
    allocatable: Mapping[str, int] | None

    def admits(self, shape: Shape) -> bool:
        """Whether node selector and required node affinity match."""
        chosen = all(self.labels.get(key) == value for key, value in shape.node_selector.items())
        return chosen and (shape.node_terms is None or node_terms_match(shape.node_terms, self.name, self.labels))

    def repels(self, shape: Shape) -> bool:
        """Whether a taint keeps the pod away."""
        return not all(tolerated(taint, shape.tolerations) for taint in self.taints)


def machine_of(obj: Mapping[str, Any]) -> Machine:
    """From a core/v1 Node. The taints that the node controller would add are added; a node that says nothing of its
    state is taken for a ready one."""
    node = node_of(dict(obj))
    status = obj.get("status") or {}
    ready = node.ready or not status.get("conditions")
    implied = (*((UNSCHEDULABLE,) if node.unschedulable else ()), *(() if ready else (NOT_READY,)))
    labels = {HOSTNAME_KEY: node.name, **dict(node.labels)}
    return Machine(
        name=node.name,
        zone=labels.get(ZONE_KEY, ""),
        labels=labels,
        taints=(*node.taints, *(taint for taint in implied if taint[0] not in {key for key, *_ in node.taints})),
        unschedulable=node.unschedulable,
        allocatable=amounts(status["allocatable"]) if status.get("allocatable") else None,
    )


def lost(machine: Machine) -> Machine:
    """The machine after it has gone silent."""
    return replace(machine, taints=(*machine.taints, *UNREACHABLE))


def sort_of(machine: Machine) -> object:
    """Equal for machines that differ in their names alone."""
    labels = tuple(sorted((key, value) for key, value in machine.labels.items() if key != HOSTNAME_KEY))
    allocatable = None if machine.allocatable is None else tuple(sorted(machine.allocatable.items()))
    return labels, tuple(sorted(machine.taints)), machine.unschedulable, allocatable


def zones_of(machines: Iterable[Machine]) -> tuple[str, ...]:
    """The zones that there are, in order; machines without one are together in one without a name."""
    return tuple(sorted({machine.zone for machine in machines}))
