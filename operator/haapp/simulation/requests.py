"""What a pod asks of a node: the sum that kube-scheduler counts.

Native sidecars run beside the app and while later init containers run; a plain init container runs alone with the
sidecars before it (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from haapp.placement.quantities import milli_cpu, whole

CPU: Final = "cpu"
MEMORY: Final = "memory"
UNSTATED: Final = {CPU: 100, MEMORY: 200 * 1024**2}
"""What scoring takes a container to need that states nothing: thousandths of a core, and bytes."""

Amounts = Mapping[str, int]


def amounts(quantities: Mapping[str, Any] | None) -> Counter[str]:
    """Quantities as integers: CPU in thousandths of a core, everything else whole."""
    return Counter({name: milli_cpu(it) if name == CPU else whole(it) for name, it in (quantities or {}).items()})


def pod_requests(spec: Mapping[str, Any], unstated: Amounts | None = None) -> Counter[str]:
    """The requests of a pod spec; `unstated` stands in where a container requests nothing of that kind."""
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        wanted = _container(container, unstated)
        if container.get("restartPolicy") == "Always":
            running += wanted
            most |= running
        else:
            most |= running + wanted
    for container in spec.get("containers") or ():
        running += _container(container, unstated)
    return (most | running) + amounts(spec.get("overhead"))


def _container(container: Mapping[str, Any], unstated: Amounts | None) -> Counter[str]:
    """A limit without a request is the request: the API server writes it so."""
    resources = container.get("resources") or {}
    stated = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return Counter({**(unstated or {}), **amounts(stated)})
