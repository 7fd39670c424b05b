"""Every layout that may come about: where several nodes score best, kube-scheduler draws lots."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from haapp.simulation.layout import Layout
from haapp.simulation.machines import Machine, sort_of
from haapp.simulation.scene import Group
from haapp.simulation.scheduler import decide
from haapp.simulation.shapes import presence
from haapp.simulation.workloads import Workload

EFFORT: Final = 400_000
"""How many pods may be looked at in all while layouts are tried out; about ten seconds."""

Zones = tuple[tuple[str, int], ...]
State = tuple[Counter[str], ...]
"""For each workload how many pods are on which node."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What may come of the app's pods: numbers by zone, with how many stay Pending. `complete` says that no further
    outcome is possible."""

    found: frozenset[tuple[Zones, int]]
    complete: bool


class Sorts:
    """Machines that nothing but their names tells apart: pods on either make the same state."""

    def __init__(self, machines: Sequence[Machine], others: Iterable[Group]) -> None:
        crowded: dict[str, list[str]] = {}
        for group in others:
            crowded.setdefault(group.node, []).append(f"{group.number} {group.deleting} {presence(group.shape)}")
        sorts = {machine.name: (sort_of(machine), tuple(sorted(crowded.get(machine.name, ())))) for machine in machines}
        members: dict[object, list[str]] = {}
        for name, sort in sorts.items():
            members.setdefault(sort, []).append(name)
        self._members = tuple(members.values())

    def key(self, *numbers: Counter[str]) -> object:
        """Equal for states that differ in the names of like machines alone."""
        return tuple(tuple(sorted(tuple(it[name] for it in numbers) for name in names)) for names in self._members)

    def distinct(self, names: Iterable[str], *numbers: Counter[str]) -> list[str]:
        """One of each sort of machine that also holds the same numbers."""
        wanted = set(names)
        kept: list[str] = []
        for members in self._members:
            kinds = {tuple(it[name] for it in numbers): name for name in reversed(members) if name in wanted}
            kept += kinds.values()
        return kept


def outcomes(layout: Layout, effort: int = EFFORT) -> Outcomes:
    """All that may come about where `layout` is one possibility."""
    sorts = Sorts(layout.machines, layout.others)
    workloads = tuple(placement.workload for placement in layout.placements)
    begin: State = tuple(Counter() for _ in workloads)
    todo, seen, found = [begin], {sorts.key(*begin)}, set()
    while todo and effort > 0:
        state = todo.pop()
        effort -= len(layout.others) + sum(map(len, state)) + len(layout.machines)
        following = list(_next(layout, workloads, state, sorts))
        if not following:
            found.add(_outcome(layout, workloads, state))
        for after in following:
            key = sorts.key(*after)
            if key not in seen:
                seen.add(key)
                todo.append(after)
    return Outcomes(frozenset(found), complete=not todo)


def _next(layout: Layout, workloads: tuple[Workload, ...], state: State, sorts: Sorts) -> Iterator[State]:
    """The states after one more pod, of the first workload that has one to place and a place for it."""
    groups = [*layout.others, *_groups(workloads, state)]
    for at, workload in enumerate(workloads):
        later_began = any(later for later in state[at + 1 :])
        if state[at].total() >= workload.replicas or later_began:
            continue
        best = [machine.name for machine in decide(workload.shape, layout.machines, groups).best]
        for name in sorts.distinct(best, *state):
            yield (*state[:at], state[at] + Counter([name]), *state[at + 1 :])
        if best:
            return


def _groups(workloads: tuple[Workload, ...], state: State) -> Iterator[Group]:
    for workload, numbers in zip(workloads, state, strict=True):
        yield from (Group(workload.shape, name, number) for name, number in numbers.items())


def _outcome(layout: Layout, workloads: tuple[Workload, ...], state: State) -> tuple[Zones, int]:
    numbers = dict.fromkeys((machine.zone for machine in layout.machines), 0)
    for machine in layout.machines:
        numbers[machine.zone] += state[-1][machine.name]
    return tuple(sorted(numbers.items())), workloads[-1].replicas - state[-1].total()
