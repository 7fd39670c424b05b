"""One pod to be scheduled among what is there: everything that filters and scores ask, counted once."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from haapp.simulation.machines import PODS, Machine
from haapp.simulation.requests import Amounts
from haapp.simulation.shapes import Constraint, Shape, Term


@dataclass(frozen=True, slots=True)
class Group:
    """So many equal pods on one node. Those being deleted still take room, and count for no spread."""

    shape: Shape
    node: str
    number: int = 1
    deleting: bool = False


class Scene:
    """`machines` are all nodes, `groups` all pods that have one."""

    def __init__(self, shape: Shape, machines: Sequence[Machine], groups: Iterable[Group]) -> None:
        self.shape = shape
        self.machines = machines
        by_name = {machine.name: machine for machine in machines}
        self.groups = tuple((group, by_name[group.node]) for group in groups if group.number and group.node in by_name)
        self.used = self._sum(lambda shape: {**shape.requests, PODS: 1})
        self.weighed = self._sum(lambda shape: shape.weighed)
        self.ports = {
            machine.name: {port for group, at in self.groups if at is machine for port in group.shape.host_ports}
            for machine in (machines if shape.host_ports else ())
        }

    def _sum(self, amounts: Callable[[Shape], Amounts]) -> dict[str, Counter[str]]:
        sums: dict[str, Counter[str]] = {machine.name: Counter() for machine in self.machines}
        for group, _ in self.groups:
            mine = sums[group.node]
            for name, amount in amounts(group.shape).items():
                mine[name] += amount * group.number
        return sums

    def spread_counts(self, constraint: Constraint, keys: Iterable[str]) -> Counter[str]:
        """How many pods count in each domain, with 0 for those that have none; only machines that have all `keys` and
        that the constraint's policies take into account make a domain."""
        keys = tuple(keys)
        counted = {
            machine.name: machine.labels[constraint.key]
            for machine in self.machines
            if all(key in machine.labels for key in keys) and self._included(constraint, machine)
        }
        numbers: Counter[str] = Counter(dict.fromkeys(counted.values(), 0))
        for group, machine in self.groups:
            if machine.name in counted and self.is_counted(constraint, group):
                numbers[counted[machine.name]] += group.number
        return numbers

    def is_counted(self, constraint: Constraint, group: Group) -> bool:
        """Whether those pods count for the new pod's spread."""
        return not group.deleting and group.shape.namespace == self.shape.namespace and constraint.counts(group.shape)

    def domains(self, terms: Iterable[Term]) -> set[tuple[str, str]]:
        """The (key, domain) pairs in which there is a pod that one of the new pod's terms matches."""
        terms = tuple(terms)
        return {
            (term.key, machine.labels[term.key])
            for group, machine in self.groups
            for term in terms
            if term.key in machine.labels and term.matches(group.shape)
        }

    def matched_by_all(self, terms: tuple[Term, ...]) -> set[tuple[str, str]]:
        """The (key, domain) pairs in which there is a pod that all of the new pod's terms match."""
        return {
            (term.key, machine.labels[term.key])
            for group, machine in self.groups
            if all(term.matches(group.shape) for term in terms)
            for term in terms
            if term.key in machine.labels
        }

    def forbidden(self) -> set[tuple[str, str]]:
        """The (key, domain) pairs that pods already there do not share with the new pod."""
        return {
            (term.key, machine.labels[term.key])
            for group, machine in self.groups
            for term in group.shape.anti_affinity
            if term.key in machine.labels and term.matches(self.shape)
        }

    def _included(self, constraint: Constraint, machine: Machine) -> bool:
        if constraint.honor_affinity and not machine.admits(self.shape):
            return False
        return not (constraint.honor_taints and machine.repels(self.shape))
