"""How many ready pods have a ready cache as near as asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from haapp.api.names import REDIS_CONTAINER
from haapp.placement.model import Node, Pod


@dataclass(frozen=True, slots=True)
class Nearness:
    """`colocated` of `total` ready pods have a ready cache near; `apart` names the others, in order."""

    colocated: int
    total: int
    apart: tuple[str, ...] = ()


def nearness(level: str, ready: Iterable[Pod], ready_caches: Iterable[Pod], nodes: Mapping[str, Node]) -> Nearness:
    """`level` is the contract's `colocate`: `Pod` (the pod's own Redis sidecar is ready), `Node` or `Zone`."""
    ready = tuple(ready)
    homes = {_home(level, pod, nodes) for pod in ready_caches} - {None}
    near = {pod.name for pod in ready if (_own_redis(pod) if level == "Pod" else _home(level, pod, nodes) in homes)}
    apart = sorted(pod.name for pod in ready if pod.name not in near)
    return Nearness(len(ready) - len(apart), len(ready), tuple(apart))


def _home(level: str, pod: Pod, nodes: Mapping[str, Node]) -> str | None:
    if level == "Zone":
        return nodes[pod.node].zone if pod.node in nodes else None
    return pod.node or None


def _own_redis(pod: Pod) -> bool:
    return any(state.name == REDIS_CONTAINER and state.ready for state in pod.init)
