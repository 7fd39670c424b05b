"""The containers and probes of an app, with the path at which each stands in the CR."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from haapp.api import App, Object

HANDLERS: Final = ("httpGet", "tcpSocket", "exec", "grpc")
DEFAULT_PERIOD: Final = 10
DEFAULT_FAILURES: Final = 3


class Container(NamedTuple):
    path: str
    spec: Object
    step: bool = False
    """Whether it runs to completion before the app."""


class Probe(NamedTuple):
    path: str
    spec: Object


def containers(app: App) -> Iterator[Container]:
    """All whose image the user names with a core/v1 Container: the app, the steps, the sidecars."""
    spec = app.spec
    yield Container("spec.app", spec.app)
    for index, step in enumerate(spec.init_steps):
        yield Container(f"spec.initSteps[{index}]", step.container, step=True)
    for index, sidecar in enumerate(spec.sidecars):
        yield Container(f"spec.sidecars[{index}]", sidecar.container)


def probe(app: App, kind: str) -> Probe | None:
    """The main container's liveness, readiness or startup probe, wherever it stands."""
    if stated := getattr(app.spec.probes, kind):
        return Probe(f"spec.probes.{kind}", stated)
    if stated := app.spec.app.get(f"{kind}Probe"):
        return Probe(f"spec.app.{kind}Probe", stated)
    return None


def probes(app: App) -> Iterator[Probe]:
    """All probes of the main container."""
    return (found for kind in ("startup", "liveness", "readiness") if (found := probe(app, kind)))


def handler(spec: Object) -> Object:
    """The part of a probe that says whom it asks."""
    return {name: spec[name] for name in HANDLERS if name in spec}


def patience(spec: Object) -> int:
    """Seconds until a probe that never succeeds has failed."""
    period = spec.get("periodSeconds") or DEFAULT_PERIOD
    failures = spec.get("failureThreshold") or DEFAULT_FAILURES
    return int(spec.get("initialDelaySeconds") or 0) + int(period) * int(failures)
