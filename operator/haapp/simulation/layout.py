"""Pods placed one after another, as the scheduler takes them from its queue."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from haapp.placement.model import Node, Pod
from haapp.placement.selectors import tolerated
from haapp.placement.survival import Loss, node_loss, zone_loss
from haapp.simulation.machines import UNREACHABLE, Machine, lost
from haapp.simulation.scene import Group
from haapp.simulation.scheduler import Decision, decide
from haapp.simulation.workloads import Workload

Choose = Callable[[Decision, Counter[str]], Machine]
"""Which node of a decision is taken, given how many pods of the workload are on which node."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a workload's pods are. `message` is the scheduler's on those that stay Pending."""

    workload: Workload
    nodes: Mapping[str, int]
    pending: int = 0
    message: str = ""

    @property
    def placed(self) -> int:
        """How many pods have a node."""
        return sum(self.nodes.values())

    def groups(self) -> tuple[Group, ...]:
        """The pods as the scheduler counts them."""
        return tuple(Group(self.workload.shape, node, number) for node, number in self.nodes.items())


@dataclass(frozen=True, slots=True)
class Layout:
    """All machines, the pods of others, and where the app's own workloads are: the app is the last of `placements`."""

    machines: tuple[Machine, ...]
    others: tuple[Group, ...]
    placements: tuple[Placement, ...]

    @property
    def app(self) -> Placement:
        """The app's own pods."""
        return self.placements[-1]

    def groups(self) -> tuple[Group, ...]:
        """All pods that have a node."""
        return (*self.others, *(group for placement in self.placements for group in placement.groups()))

    def by_zone(self, placement: Placement) -> dict[str, int]:
        """How many pods are in each zone that there is, those with none as well."""
        numbers = dict.fromkeys(sorted({machine.zone for machine in self.machines}), 0)
        for machine in self.machines:
            numbers[machine.zone] += placement.nodes.get(machine.name, 0)
        return numbers

    def losses(self) -> dict[str, Loss]:
        """How many of the app's pods the loss of the worst zone, and of the worst node, leaves."""
        nodes = {machine.name: Node(machine.name, machine.zone or None) for machine in self.machines}
        pods = [Pod(node, node=node) for node, number in self.app.nodes.items() for _ in range(number)]
        return {"zone": zone_loss(pods, nodes), "node": node_loss(pods)}


def first(decision: Decision, _: Counter[str]) -> Machine:
    """The first of the best nodes: as likely as any other of them, and the same each time."""
    return decision.best[0]


def closest(decision: Decision, own: Counter[str]) -> Machine:
    """Of all nodes that could take the pod the one that makes a loss worst: what a crowded cluster may come to."""
    zones: Counter[str] = Counter()
    for machine in decision.feasible:
        zones[machine.zone] += own[machine.name]
    return max(decision.feasible, key=lambda machine: (zones[machine.zone], own[machine.name]))


def place(
    machines: Sequence[Machine], others: Iterable[Group], workloads: Iterable[Workload], choose: Choose = first
) -> Layout:
    """Each workload's pods, one workload after the other."""
    layout = Layout(tuple(sorted(machines, key=lambda it: (it.zone, it.name))), tuple(others), ())
    for workload in workloads:
        placement = fill(layout.machines, layout.groups(), Placement(workload, {}, workload.replicas), choose)
        layout = replace(layout, placements=(*layout.placements, placement))
    return layout


def fill(
    machines: Sequence[Machine], groups: Iterable[Group], placement: Placement, choose: Choose = first
) -> Placement:
    """The placement with its pending pods placed, as far as they can be. `groups` are all pods, its own included."""
    there, own = list(groups), Counter(placement.nodes)
    for left in range(placement.pending, 0, -1):
        decision = decide(placement.workload.shape, machines, there)
        if not decision.best:
            return Placement(placement.workload, dict(own), left, decision.message)
        node = choose(decision, own).name
        own[node] += 1
        there.append(Group(placement.workload.shape, node))
    return Placement(placement.workload, dict(own))


NO_EXECUTE: Final = UNREACHABLE[1]


def after_loss(layout: Layout, gone: Callable[[Machine], bool]) -> tuple[Layout, int]:
    """The layout once the pods of lost machines were replaced elsewhere as far as there is room, and how many of the
    app's pods were left at once. The lost nodes stay known to the cluster, and pods that tolerate everything stay on
    them for ever."""
    machines = tuple(lost(machine) if gone(machine) else machine for machine in layout.machines)
    names = {machine.name for machine in layout.machines if gone(machine)}
    left = sum(number for node, number in layout.app.nodes.items() if node not in names)
    after = Layout(machines, layout.others, ())
    ghosts: list[Group] = []
    for placement in layout.placements:
        stuck = _stays(placement.workload)
        kept = {node: n for node, n in placement.nodes.items() if stuck or node not in names}
        ghosts += [replace(it, deleting=True) for it in placement.groups() if it.node not in kept]
        waiting = placement.workload.replicas - sum(kept.values())
        staying = Placement(placement.workload, kept, waiting)
        groups = (*after.groups(), *ghosts, *staying.groups())
        after = replace(after, placements=(*after.placements, fill(machines, groups, staying)))
    return after, left


def _stays(workload: Workload) -> bool:
    """Whether pods of lost nodes are never deleted: they tolerate the node controller's taint without a time limit."""
    for_ever = [it for it in workload.shape.tolerations if it.get("tolerationSeconds") is None]
    return tolerated(NO_EXECUTE, for_ever)
