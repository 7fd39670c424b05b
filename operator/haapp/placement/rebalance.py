"""Whether to move a pod so that the spread heals, which one, and why (or why not).

Pure: the caller evicts the pod and keeps the returned history for the next time. A move is proposed only if a model of
the scheduler says that it lowers the number of misplaced pods at the first level where it changes anything (zones
before nodes): that number cannot fall for ever, so no pod is moved to and fro between two constraints. If the move
before did not lower it in fact, the model was wrong and nothing more is moved until the situation is another.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from haapp.api.names import HOSTNAME_KEY
from haapp.api.spec import Spec
from haapp.placement.domains import domain_of, eligible_nodes
from haapp.placement.live import Live, active_pods, by_name, current_hash, settled
from haapp.placement.model import Node, Pod
from haapp.placement.scheduler import Scheduler
from haapp.placement.spread import Level, counts, domains, levels, misplaced, skew

MAX_CANDIDATES: Final = 64
"""How many moves are tried, from the fullest nodes first: bounds the work in clusters of thousands of nodes."""

Drift = tuple[int, ...]
"""Misplaced pods by level, zones first; all zeros is balanced."""
Verdict = Literal["Off", "NotSettled", "Balanced", "CoolingDown", "MoveDidNotHelp", "NoBetterPlace", "Move"]


@dataclass(frozen=True, slots=True)
class History:
    """The last move: when (epoch seconds), the drift before it (`None`: no longer of interest), and what the
    situation was, so that a changed one is tried afresh."""

    at: int
    drift: Drift | None = None
    situation: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """Evict this pod; `why` is a sentence for an Event."""

    pod: str
    uid: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now. `history` is to be kept, and handed in next time; `retry_after` are seconds until a cooldown
    ends."""

    verdict: Verdict
    history: History | None = None
    move: Move | None = None
    retry_after: int | None = None


def decide(spec: Spec, live: Live, history: History | None, now: int) -> Decision:
    """The one move to make at the time `now` (epoch seconds), or the reason to make none.

    A caller whose eviction is refused (a budget allows none just now) keeps the history that it had before.
    """
    if spec.rebalance.mode == "Off" or spec.paused:
        return Decision("Off", history)
    if not settled(live):
        return Decision("NotSettled", history)
    scene = _Scene(spec, live)
    if not any(scene.drift):
        return Decision("Balanced", history and History(history.at))
    situation = scene.situation()
    if history is not None:
        if history.drift is not None and history.situation == situation and scene.drift >= history.drift:
            return Decision("MoveDidNotHelp", history)
        wait = history.at + spec.rebalance.cooldown - now
        if wait > 0:
            return Decision("CoolingDown", history, retry_after=wait)
    move = scene.best_move()
    return Decision("Move", History(now, scene.drift, situation), move) if move else Decision("NoBetterPlace", history)


class _Scene:
    """One settled app, with what is counted once."""

    def __init__(self, spec: Spec, live: Live) -> None:
        self._template = current_hash(live.deployment, live.replica_sets)
        self._pods = active_pods(live.pods)
        self._nodes: Mapping[str, Node] = by_name(live.nodes)
        self._eligible = eligible_nodes(spec, live.nodes)
        self._open = {node.name for node in self._eligible}
        self._caches = {pod.node for pod in live.cache_pods}
        self._scheduler = Scheduler(spec, self._eligible, live.cache_pods, self._nodes)
        self._domains: dict[Level, frozenset[str]] = {level: domains(level, self._eligible) for level in levels(spec)}
        self._counts = {level: counts(level.key, self._pods, self._nodes) for level in self._domains}
        self._placed = Counter(pod.node for pod in self._pods)
        self.drift = self._drift(self._counts)

    def situation(self) -> int:
        """A fingerprint of what a move depends on other than where the pods are."""
        return hash((self._template, len(self._pods), frozenset(self._open)))

    def best_move(self) -> Move | None:
        """The move whose worst likely outcome is best; of equals the youngest pod, as a scale-down would take it."""
        outcomes = [(self._after(pod), -(pod.created or 0), pod.name, pod) for pod in self._candidates()]
        better = [outcome for outcome in outcomes if outcome[0] is not None and outcome[0] < self.drift]
        if not better:
            return None
        pod = min(better, key=lambda outcome: outcome[:3])[3]
        return Move(pod.name, pod.uid, self._why(pod))

    def _candidates(self) -> Iterator[Pod]:
        """The youngest pod of each sort: which of those goes whose domains are the same, on nodes that are equally full
        and alike in what the scheduler sees, makes no difference to the spread. The fullest nodes come first."""
        youngest: dict[tuple[object, ...], Pod] = {}
        for pod in sorted(self._pods, key=lambda pod: (pod.created or 0, pod.name)):
            youngest[self._sort(pod)] = pod
        first = next(iter(self._domains))

        def fullness(pod: Pod) -> tuple[int, int, str]:
            return -self._counts[first][self._home(pod.node, first)], -self._placed[pod.node], pod.name

        return iter(sorted(youngest.values(), key=fullness)[:MAX_CANDIDATES])

    def _sort(self, pod: Pod) -> tuple[object, ...]:
        homes = (self._home(pod.node, level) for level in self._domains if level.key != HOSTNAME_KEY)
        return (*homes, self._placed[pod.node], pod.node in self._open, pod.node in self._caches)

    def _after(self, pod: Pod) -> Drift | None:
        """The drift once the pod's successor has landed, at the worst of the likely nodes; `None`: it would not."""
        landings = self._scheduler.landings(self._placed - Counter([pod.node]), taken=(pod.node,))
        left = {level: numbers - Counter([self._home(pod.node, level)]) for level, numbers in self._counts.items()}
        # Nodes whose domains hold equally many pods at every level lead to the same drift: try one of each sort.
        sorts = {tuple(left[level][self._home(node.name, level)] for level in left): node for node in landings}
        return max((self._drift(self._with(left, node)) for node in sorts.values()), default=None)

    def _with(self, numbers: dict[Level, Counter[str]], node: Node) -> dict[Level, Counter[str]]:
        return {level: count + Counter([self._home(node.name, level)]) for level, count in numbers.items()}

    def _drift(self, numbers: dict[Level, Counter[str]]) -> Drift:
        return tuple(misplaced(level, numbers[level], names) for level, names in self._domains.items())

    def _home(self, node: str, level: Level) -> str:
        return domain_of(self._nodes[node], level.key) or ""

    def _why(self, pod: Pod) -> str:
        level = next(level for level, number in zip(self._domains, self.drift, strict=True) if number)
        numbers, names = self._counts[level], self._domains[level]
        emptiest = min(names, key=lambda name: (numbers[name], name))
        home = self._home(pod.node, level)
        return (
            f"{level.key}: {home} has {numbers[home]} pods and {emptiest} {numbers[emptiest]}, a skew of "
            f"{skew(level, numbers, names)} where {level.field}.maxSkew allows {level.max_skew}"
        )
