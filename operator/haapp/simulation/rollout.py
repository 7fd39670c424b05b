"""Whether a rollout would finish: played as the Deployment controller and the scheduler would, in every way that their
free choices allow.

The controller first adds new pods up to `maxSurge`, then takes old ones away as far as `maxUnavailable` and the new
pods that are ready allow. Of the old pods it takes one from the node that holds most of the app's; which of several
such nodes is not determined, nor which of the best nodes a new pod gets. Pods that are placed become ready.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from haapp.simulation.layout import Layout
from haapp.simulation.outcomes import Sorts
from haapp.simulation.scene import Group
from haapp.simulation.scheduler import Decision, decide
from haapp.simulation.workloads import Workload

EFFORT: Final = 400_000
Verdict = Literal["finishes", "may get stuck", "cannot finish", "not known"]


@dataclass(frozen=True, slots=True)
class Rollout:
    """`old`, `new` and `pending` are the numbers of pods where it stands still, `message` what the scheduler says
    there; all empty where it never does. `ways` is how many different states were met."""

    verdict: Verdict
    ways: int
    old: dict[str, int]
    new: dict[str, int]
    pending: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class _State:
    old: Counter[str]
    new: Counter[str]
    waiting: int = 0
    """New pods that have no node."""


def play(layout: Layout, effort: int = EFFORT) -> Rollout:
    """A rollout that replaces the app's pods as they are placed. `message` of a rollout that gets stuck is that of the
    first place where it does."""
    game = _Game(layout)
    begin = _State(Counter(layout.app.nodes), Counter())
    todo, seen, stuck, ends = [begin], {game.key(begin)}, None, 0
    while todo and effort > 0:
        state = todo.pop()
        effort -= len(layout.others) + len(state.old) + len(state.new) + len(layout.machines)
        following = list(game.following(state))
        if not following:
            ends += game.finished(state)
            stuck = stuck or (None if game.finished(state) else state)
        for after in following:
            if game.key(after) not in seen:
                seen.add(game.key(after))
                todo.append(after)
    return game.told(stuck, ends, len(seen), complete=not todo)


class _Game:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._workload: Workload = layout.app.workload
        self._fixed = (*layout.others, *(g for it in layout.placements[:-1] for g in it.groups()))
        self._sorts = Sorts(layout.machines, self._fixed)

    def key(self, state: _State) -> object:
        return state.waiting, self._sorts.key(state.old, state.new)

    def finished(self, state: _State) -> bool:
        return not state.old and state.new.total() == self._workload.replicas

    def following(self, state: _State) -> Iterator[_State]:
        """One step: a new pod is added or finds a place, else an old one goes."""
        added = list(self._placed(state))
        yield from added or self._removed(state)

    def _placed(self, state: _State) -> Iterator[_State]:
        """The surge: as many new pods as there may be, each at its place."""
        present = state.new.total() + state.waiting
        ceiling = self._workload.replicas + self._workload.surge - state.old.total()
        more = present < min(self._workload.replicas, ceiling)
        if not state.waiting and not more:
            return
        best = [machine.name for machine in self._decide(state).best]
        for name in self._sorts.distinct(best, state.old, state.new):
            yield _State(state.old, state.new + Counter([name]), max(0, state.waiting - 1))
        if not best and more:
            yield _State(state.old, state.new, state.waiting + 1)

    def _removed(self, state: _State) -> Iterator[_State]:
        """Old pods that have no node any more are no longer there to be taken."""
        ready = state.old.total() + state.new.total()
        if not state.old or ready <= self._workload.replicas - self._workload.unavailable:
            return
        crowd = {name: number + state.new[name] for name, number in state.old.items()}
        fullest = [name for name, number in crowd.items() if number == max(crowd.values())]
        for name in self._sorts.distinct(fullest, state.old, state.new):
            yield _State(state.old - Counter([name]), state.new, state.waiting)

    def _decide(self, state: _State) -> Decision:
        old = [Group(self._workload.shape, name, number) for name, number in state.old.items()]
        new = [Group(self._workload.successor, name, number) for name, number in state.new.items()]
        return decide(self._workload.successor, self._layout.machines, [*self._fixed, *old, *new])

    def told(self, stuck: _State | None, ends: int, ways: int, *, complete: bool) -> Rollout:
        """The verdict, with the place where it stands still."""
        if stuck is None:
            return Rollout("finishes" if complete else "not known", ways, {}, {})
        verdict: Verdict = "may get stuck" if ends else "cannot finish"
        message = self._decide(stuck).message
        return Rollout(verdict, ways, dict(stuck.old), dict(stuck.new), stuck.waiting, message)
