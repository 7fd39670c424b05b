"""How well each node that could take a pod suits it: kube-scheduler's default score plugins with their weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import floor, log
from typing import Final

from haapp.api.names import HOSTNAME_KEY
from haapp.placement.selectors import node_terms_match, tolerated
from haapp.simulation.machines import Machine
from haapp.simulation.requests import CPU, MEMORY
from haapp.simulation.scene import Scene
from haapp.simulation.shapes import Constraint, Term

BEST: Final = 100
HARD_AFFINITY_WEIGHT: Final = 1
"""What the required affinity of a pod already there counts for the one that it wants near."""

Scores = list[int]


def totals(scene: Scene, feasible: Sequence[Machine]) -> Scores:
    """The weighted sum for each machine, in order."""
    weighted = (
        (3, _taints(scene, feasible)),
        (2, _node_preferences(scene, feasible)),
        (1, _least_allocated(scene, feasible)),
        (2, _spread(scene, feasible)),
        (2, _affinity(scene, feasible)),
        (1, _balance(scene, feasible)),
    )
    return [sum(weight * scores[at] for weight, scores in weighted) for at in range(len(feasible))]


def _taints(scene: Scene, feasible: Sequence[Machine]) -> Scores:
    soft = [it for it in scene.shape.tolerations if (it.get("effect") or "PreferNoSchedule") == "PreferNoSchedule"]
    raw = [
        sum(effect == "PreferNoSchedule" and not _tolerated(key, value, soft) for key, value, effect in machine.taints)
        for machine in feasible
    ]
    return [BEST - score for score in _scaled(raw)] if any(raw) else [BEST] * len(raw)


def _tolerated(key: str, value: str, tolerations: Sequence[Mapping[str, object]]) -> bool:
    """A toleration of a soft taint means the same as one of a hard taint of that key."""
    hard = [{name: part for name, part in item.items() if name != "effect"} for item in tolerations]
    return tolerated((key, value, "NoSchedule"), hard)


def _node_preferences(scene: Scene, feasible: Sequence[Machine]) -> Scores:
    preferences = scene.shape.node_preferences
    return _scaled(
        [
            sum(weight for weight, term in preferences if node_terms_match((term,), machine.name, machine.labels))
            for machine in feasible
        ]
    )


def _scaled(raw: Scores) -> Scores:
    most = max(raw)
    return [BEST * score // most for score in raw] if most else raw


def _least_allocated(scene: Scene, feasible: Sequence[Machine]) -> Scores:
    def score(machine: Machine) -> int:
        shares = []
        for name in (CPU, MEMORY):
            there = (machine.allocatable or {}).get(name, 0)
            wanted = scene.weighed[machine.name][name] + scene.shape.weighed[name]
            if there:
                shares.append((there - wanted) * BEST // there if wanted <= there else 0)
        return sum(shares) // len(shares) if shares else 0

    return [score(machine) for machine in feasible]


def _balance(scene: Scene, feasible: Sequence[Machine]) -> Scores:
    requests = scene.shape.requests
    if not (requests.get(CPU) or requests.get(MEMORY)):
        return [0] * len(feasible)

    def even(machine: Machine, extra: Mapping[str, int]) -> int:
        there = {name: (machine.allocatable or {}).get(name, 0) for name in (CPU, MEMORY)}
        used = scene.used[machine.name]
        shares = [min(1.0, (used[name] + extra.get(name, 0)) / size) for name, size in there.items() if size]
        deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == len(there) else 0.0
        return int((1 - deviation) * BEST)

    return [BEST // 2 + (BEST // 2 + even(it, requests) - even(it, {})) // 2 for it in feasible]


def _spread(scene: Scene, feasible: Sequence[Machine]) -> Scores:
    soft = [constraint for constraint in scene.shape.constraints if not constraint.required]
    if not soft:
        return [0] * len(feasible)
    keys = [constraint.key for constraint in soft]
    judged = [machine for machine in feasible if all(key in machine.labels for key in keys)]
    costs = [_Cost(scene, constraint, keys, judged) for constraint in soft]
    raw = {machine.name: floor(sum(cost.of(machine) for cost in costs) + 0.5) for machine in judged}
    low, high = min(raw.values(), default=0), max(raw.values(), default=0)

    def score(name: str) -> int:
        if name not in raw:
            return 0
        return BEST * (high + low - raw[name]) // high if high else BEST

    return [score(machine.name) for machine in feasible]


class _Cost:
    """What one soft constraint says against a node: the pods of its domain, the more the fewer domains there are."""

    def __init__(self, scene: Scene, constraint: Constraint, keys: list[str], judged: list[Machine]) -> None:
        self._key, self._slack = constraint.key, constraint.max_skew - 1
        homes = {machine.labels[constraint.key] for machine in judged}
        by_node = constraint.key == HOSTNAME_KEY
        self._weight = log((len(judged) if by_node else len(homes)) + 2)
        self._numbers = _on_nodes(scene, constraint) if by_node else scene.spread_counts(constraint, keys)

    def of(self, machine: Machine) -> float:
        return self._numbers[machine.labels[self._key]] * self._weight + self._slack


def _on_nodes(scene: Scene, constraint: Constraint) -> Counter[str]:
    numbers: Counter[str] = Counter()
    for group, machine in scene.groups:
        if scene.is_counted(constraint, group):
            numbers[machine.labels[HOSTNAME_KEY]] += group.number
    return numbers


def _affinity(scene: Scene, feasible: Sequence[Machine]) -> Scores:
    pulls = _pulls(scene)
    if not pulls:
        return [0] * len(feasible)
    raw = [sum(pull for (key, home), pull in pulls.items() if machine.labels.get(key) == home) for machine in feasible]
    low, high = min(raw), max(raw)
    return [int(BEST * ((score - low) / (high - low))) if high > low else 0 for score in raw]


def _pulls(scene: Scene) -> Counter[tuple[str, str]]:
    """For each (key, domain) how strongly it attracts: by the pod's own wishes and by those of the pods there."""
    pulls: Counter[tuple[str, str]] = Counter()
    for group, machine in scene.groups:
        wishes = [(term, term.weight) for term in scene.shape.preferences if term.matches(group.shape)]
        wishes += [(term, term.weight) for term in group.shape.preferences if term.matches(scene.shape)]
        wishes += [(term, HARD_AFFINITY_WEIGHT) for term in group.shape.affinity if term.matches(scene.shape)]
        for term, weight in wishes:
            _pull(pulls, term, machine, weight * group.number)
    return pulls


def _pull(pulls: Counter[tuple[str, str]], term: Term, machine: Machine, weight: int) -> None:
    home = machine.labels.get(term.key)
    if home is not None:
        pulls[term.key, home] += weight
