"""The main container's probes."""

from typing import Final

from haapp.api.objects import Object
from haapp.api.spec import Spec
from haapp.render.errors import RenderError
from haapp.render.merge import given

HANDLERS: Final = ("httpGet", "tcpSocket", "exec", "grpc")
DEFAULT_PERIOD: Final = 10
"""periodSeconds where a probe does not state it; core/v1's own default."""


def probes(spec: Spec) -> Object:
    """livenessProbe, readinessProbe and startupProbe, those that there are, from `spec.probes` and `spec.app`."""
    liveness = _only_one(spec, "liveness", spec.probes.liveness)
    readiness = _only_one(spec, "readiness", spec.probes.readiness)
    startup = _only_one(spec, "startup", spec.probes.startup)
    if spec.probes.start_within is not None:
        startup = _within(spec.probes.start_within, startup, liveness or readiness)
    return given(livenessProbe=liveness, readinessProbe=readiness, startupProbe=startup)


def _only_one(spec: Spec, kind: str, probe: Object | None) -> Object | None:
    on_container: Object | None = spec.app.get(f"{kind}Probe")
    if probe is not None and on_container is not None:
        raise RenderError(f"spec.probes.{kind}", f"spec.app.{kind}Probe states the same probe; leave one of them out")
    return on_container if probe is None else probe


def _within(budget: int, startup: Object | None, other: Object | None) -> Object:
    """The startup probe that gives up after `budget` seconds."""
    probe = startup or _asking_like(other)
    if "failureThreshold" in probe:
        raise RenderError("spec.probes.startWithin", "the startup probe states failureThreshold; leave one of them out")
    period = probe.get("periodSeconds") or DEFAULT_PERIOD
    return {**probe, "failureThreshold": max(1, -(-budget // period))}


def _asking_like(probe: Object | None) -> Object:
    """A probe with the handler and rhythm of `probe`, and none of its patience."""
    if probe is None:
        raise RenderError("spec.probes.startWithin", "nothing says how to ask; add a startup, liveness or readiness probe")
    return {key: probe[key] for key in (*HANDLERS, "periodSeconds", "timeoutSeconds") if key in probe}
