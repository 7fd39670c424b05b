"""The main container's probes."""

from typing import Final

from haapp.api.objects import Object
from haapp.api.spec import Spec
from haapp.render.merge import given

HANDLERS: Final = ("httpGet", "tcpSocket", "exec", "grpc")
DEFAULT_PERIOD: Final = 10
"""periodSeconds where a probe does not state it; core/v1's own default."""


def probes(spec: Spec) -> Object:
    """livenessProbe, readinessProbe and startupProbe, those that there are, from `spec.probes` and `spec.app`."""
    liveness = spec.probes.liveness or spec.app.get("livenessProbe")
    readiness = spec.probes.readiness or spec.app.get("readinessProbe")
    startup = spec.probes.startup or spec.app.get("startupProbe")
    if spec.probes.start_within is not None:
        startup = _within(spec.probes.start_within, startup or _asking_like(liveness or readiness or {}))
    return given(livenessProbe=liveness, readinessProbe=readiness, startupProbe=startup)


def _within(budget: int, probe: Object) -> Object:
    """The startup probe `probe`, giving up after `budget` seconds."""
    period = probe.get("periodSeconds") or DEFAULT_PERIOD
    return {**probe, "failureThreshold": -(-budget // period)}


def _asking_like(probe: Object) -> Object:
    """A probe with the handler and rhythm of `probe`, and none of its patience."""
    return {key: probe[key] for key in (*HANDLERS, "periodSeconds", "timeoutSeconds") if key in probe}
