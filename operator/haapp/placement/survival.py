"""What is left when the worst zone or node is lost."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from haapp.placement.model import Node, Pod
from haapp.placement.replicas import scaled


@dataclass(frozen=True, slots=True)
class Loss:
    """`ready_left` pods remain after losing `worst`; "" is what has no name: nothing ready, or nodes without a zone."""

    ready_left: int
    worst: str


def zone_loss(ready: Iterable[Pod], nodes: Mapping[str, Node]) -> Loss:
    """The loss of the zone that holds most of the ready pods. Nodes without a zone label may share one room for all
    that is known, so together they are one zone without a name."""
    return _worst((nodes[pod.node].zone if pod.node in nodes else None) or "" for pod in ready)


def node_loss(ready: Iterable[Pod]) -> Loss:
    """The loss of the node that holds most of the ready pods."""
    return _worst(pod.node for pod in ready)


def best_left(replicas: int, domains: int) -> int:
    """The most pods that can be left of `replicas` when one of so many equal domains is lost."""
    return replicas - -(-replicas // domains) if domains else 0


def enough_replicas(keep: int | str, replicas: int, domains: int) -> int | None:
    """The least number of replicas, more than there are, of which `keep` (or that percentage) can be left; `None` if no
    number of them would do."""
    if domains < 2:
        return None
    if isinstance(keep, int):
        return max(replicas + 1, -(-keep * domains // (domains - 1)))
    # A percentage is kept within 100 steps or never.
    return next(
        (n for n in range(replicas + 1, replicas + 101) if best_left(n, domains) >= scaled(keep, n, up=True)), None
    )


def _worst(homes: Iterable[str]) -> Loss:
    """Of equally full domains the first by name, so that the answer does not flutter."""
    numbers = Counter(homes)
    if not numbers:
        return Loss(0, "")
    worst = min(numbers, key=lambda name: (-numbers[name], name))
    return Loss(numbers.total() - numbers[worst], worst)
