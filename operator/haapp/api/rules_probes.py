"""Rules on probes."""

from typing import Any, Final

from haapp.api.rule import Rule, dig, exactly_one, has

KINDS: Final = ("liveness", "readiness", "startup")
HANDLERS: Final = ("exec", "grpc", "httpGet", "tcpSocket")


def _stated_once(kind: str) -> Rule:
    return Rule(
        "spec",
        f"probes.{kind}",
        f"the {kind} probe stands both here and in app.{kind}Probe: leave one of them out",
        f"!({has('probes', kind)} && has(self.app.{kind}Probe))",
        lambda spec: dig(spec, "probes", kind) is None or dig(spec, "app", f"{kind}Probe") is None,
    )


def _succeeds_at_once(at: str, path: tuple[str, ...], kind: str) -> Rule:
    probe = ".".join(("self", *path))
    return Rule(
        at,
        ".".join((*path, "successThreshold")),
        f"one success is enough for a {kind} probe: leave successThreshold out or write 1",
        f"!({has(*path, 'successThreshold')}) || {probe}.successThreshold == 1",
        lambda it: dig(it, *path, "successThreshold") in (None, 1),
    )


def _probes_of_app(spec: Any) -> list[Any]:
    return [dig(spec, *path) for kind in KINDS for path in (("probes", kind), ("app", f"{kind}Probe"))]


START_WITHIN: Final = (
    Rule(
        "spec",
        "probes.startWithin",
        "startWithin sets the startup probe's failureThreshold: leave one of the two out",
        f"!({has('probes', 'startWithin')}) || !(({has('probes', 'startup', 'failureThreshold')}) || "
        "(has(self.app.startupProbe) && has(self.app.startupProbe.failureThreshold)))",
        lambda spec: (
            dig(spec, "probes", "startWithin") is None
            or (
                dig(spec, "probes", "startup", "failureThreshold") is None
                and dig(spec, "app", "startupProbe", "failureThreshold") is None
            )
        ),
    ),
    Rule(
        "spec",
        "probes.startWithin",
        "startWithin needs a probe that tells when the app has started: write probes.startup, liveness or readiness",
        f"!({has('probes', 'startWithin')}) || "
        + " || ".join(f"has(self.probes.{kind}) || has(self.app.{kind}Probe)" for kind in KINDS),
        lambda spec: dig(spec, "probes", "startWithin") is None or any(it is not None for it in _probes_of_app(spec)),
    ),
    Rule(
        "spec.probes",
        "startWithin",
        "no app starts in no time: write a duration such as 5m, or leave startWithin out",
        "!has(self.startWithin) || self.startWithin.matches('[1-9]')",
        lambda it: "startWithin" not in it or any(digit in it["startWithin"] for digit in "123456789"),
    ),
)

RULES: Final = (
    *(_stated_once(kind) for kind in KINDS),
    *START_WITHIN,
    *(_succeeds_at_once("spec.probes", (kind,), kind) for kind in ("liveness", "startup")),
    *(_succeeds_at_once("spec.app", (f"{kind}Probe",), kind) for kind in ("liveness", "startup")),
    *(_succeeds_at_once("spec.sidecars[]", (f"{kind}Probe",), kind) for kind in ("liveness", "startup")),
    *(
        exactly_one(f"spec.probes.{kind}", HANDLERS, "write exactly one of exec, grpc, httpGet and tcpSocket")
        for kind in KINDS
    ),
)
