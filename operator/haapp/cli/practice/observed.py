"""A rule about how the app behaves that runs already."""

from collections.abc import Iterable, Iterator
from typing import Any

from haapp.api import App, Object
from haapp.cli.findings import Finding
from haapp.placement.model import epoch
from haapp.status.waiting import startup_budget


def start_exceeds_budget(app: App, pods: Iterable[Object]) -> Iterator[Finding]:
    """A startup budget that even the quickest of the live pods would have missed. `pods` are whole ones: when a pod
    became Ready is in its conditions only."""
    budget = startup_budget(app.spec)
    starts = [seconds for pod in pods if (seconds := _start(app, pod)) is not None]
    if budget is None or not starts or min(starts) <= budget:
        return
    path = "spec.probes.startWithin" if app.spec.probes.start_within is not None else "spec.probes.startup"
    yield Finding(
        "start-exceeds-budget",
        "error",
        path,
        f"a start may take {budget} s, and the quickest of {len(starts)} live pods took {min(starts)} s: each start is "
        "killed before it is done",
        f"{2 * min(starts)} s or more",
    )


def _start(app: App, pod: Object) -> int | None:
    """Seconds from the start of the app's container to the pod's being Ready, where it started only once."""
    status: dict[str, Any] = pod.get("status") or {}
    container = _named(status.get("containerStatuses"), "name", str(app.spec.app.get("name")))
    ready = _named(status.get("conditions"), "type", "Ready")
    began = epoch(((container.get("state") or {}).get("running") or {}).get("startedAt"))
    ended = epoch(ready.get("lastTransitionTime")) if ready.get("status") == "True" else None
    if began is None or ended is None or container.get("restartCount"):
        return None
    return max(0, ended - began)


def _named(entries: Iterable[Object] | None, key: str, name: str) -> Object:
    return next((entry for entry in entries or () if entry.get(key) == name), {})
