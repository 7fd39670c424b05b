"""Rules about probes."""

from collections.abc import Iterator
from typing import Final

from haapp.api import App
from haapp.cli.findings import Finding
from haapp.cli.practice import walk

LEAST_PATIENCE: Final = 20
"""Seconds in which a container must be up where nothing gives it more: less kills slow starts on a busy node."""


def no_readiness(app: App) -> Iterator[Finding]:
    if app.spec.app.get("ports") and not walk.probe(app, "readiness"):
        yield Finding(
            "no-readiness-probe",
            "warning",
            "spec.probes.readiness",
            "a pod gets requests as soon as its container has started, and a rollout goes on before the app answers",
            "a readiness probe that succeeds once the app can serve",
        )


def same_question(app: App) -> Iterator[Finding]:
    liveness, readiness = walk.probe(app, "liveness"), walk.probe(app, "readiness")
    if liveness and readiness and walk.handler(liveness.spec) == walk.handler(readiness.spec):
        yield Finding(
            "liveness-equals-readiness",
            "warning",
            liveness.path,
            "what takes a pod out of the Service (overload, a lost database) restarts it too, on all pods at once",
            "a liveness probe that only a hanging process fails, such as another path or a tcpSocket",
        )


def no_time_to_start(app: App) -> Iterator[Finding]:
    liveness = walk.probe(app, "liveness")
    if not liveness or walk.probe(app, "startup") or app.spec.probes.start_within is not None:
        return
    if (seconds := walk.patience(liveness.spec)) < LEAST_PATIENCE:
        yield Finding(
            "no-time-to-start",
            "warning",
            liveness.path,
            f"a container that is not up within {seconds} s is restarted, again and again",
            "probes.startWithin with the longest start that is acceptable, e.g. 2m",
        )


def slower_than_its_period(app: App) -> Iterator[Finding]:
    for found in walk.probes(app):
        period = found.spec.get("periodSeconds") or walk.DEFAULT_PERIOD
        timeout = found.spec.get("timeoutSeconds") or 1
        if timeout > period:
            yield Finding(
                "timeout-exceeds-period",
                "warning",
                f"{found.path}.timeoutSeconds",
                f"a probe may take {timeout} s and is due every {period} s, so failures are noticed late",
                f"timeoutSeconds of at most {period}",
            )


def unknown_port(app: App) -> Iterator[Finding]:
    known = {port.get("name") for port in app.spec.app.get("ports") or ()}
    for found in walk.probes(app):
        for kind in ("httpGet", "tcpSocket"):
            port = (found.spec.get(kind) or {}).get("port")
            if isinstance(port, str) and port not in known:
                yield Finding(
                    "unknown-probe-port",
                    "error",
                    f"{found.path}.{kind}.port",
                    f"the app has no port named {port!r}, so the probe never succeeds",
                    "a name from spec.app.ports, or the port's number",
                )


RULES: Final = (no_readiness, same_question, no_time_to_start, slower_than_its_period, unknown_port)
