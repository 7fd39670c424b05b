"""Rules on logs, metrics and the ways to the app."""

from typing import Any, Final

from haapp.api.rule import Rule, exactly_one

OUTPUTS: Final = ("elasticsearch", "loki", "http", "stdout")
NAMED_PORT: Final = "(has(self.app.ports) && self.app.ports.exists(port, has(port.name)))"


def _port_names(spec: Any) -> set[str]:
    return {port["name"] for port in spec["app"].get("ports", ()) if "name" in port}


def _needs_service(section: str, what: str) -> Rule:
    return Rule(
        "spec",
        section,
        f"{what} leads to the Service: give a port of app.ports a name, and do not write service.enabled: false",
        f"!has(self.{section}) || "
        f"({NAMED_PORT} && !(has(self.service) && has(self.service.enabled) && !self.service.enabled))",
        lambda spec: (
            section not in spec or bool(_port_names(spec) and spec.get("service", {}).get("enabled") is not False)
        ),
    )


def _has_metrics_port(spec: Any) -> bool:
    return "port" in spec["monitoring"] or any("metrics" in one for one in spec.get("sidecars", ()))


def _knows_metrics_port(spec: Any) -> bool:
    port = spec.get("monitoring", {}).get("port")
    return not isinstance(port, str) or port in _port_names(spec)


LOGS: Final = (
    exactly_one("spec.logSidecar.output", OUTPUTS, "write exactly one of elasticsearch, loki, http and stdout"),
    exactly_one(
        "spec.logSidecar",
        ("output", "config"),
        "write either output (where logs go, e.g. stdout: {}) or config (the shipper's own configuration)",
    ),
    Rule(
        "spec.logSidecar",
        "sources",
        "config takes the place of sources: leave one of them out",
        "!has(self.config) || !has(self.sources) || size(self.sources) == 0",
        lambda it: "config" not in it or not it.get("sources"),
    ),
    Rule(
        "spec.logSidecar",
        "sources",
        "nothing says which files to ship: write at least one source, e.g. path: '*.log'",
        "has(self.config) || (has(self.sources) && size(self.sources) > 0)",
        lambda it: "config" in it or bool(it.get("sources")),
    ),
    Rule(
        "spec.logSidecar.sources[]",
        "expression",
        "format: regex and expression go together: write both, or another format without expression",
        "(self.format == 'regex') == has(self.expression)",
        lambda it: (it["format"] == "regex") == ("expression" in it),
    ),
)

WAYS: Final = (
    _needs_service("ingress", "an Ingress"),
    _needs_service("route", "an HTTPRoute"),
    Rule(
        "spec",
        "service.enabled",
        "a Service needs a port: give a port of app.ports a name, or leave enabled out",
        f"!(has(self.service) && has(self.service.enabled) && self.service.enabled) || {NAMED_PORT} || "
        "(has(self.sidecars) && self.sidecars.exists(one, has(one.metrics)))",
        lambda spec: (
            not spec.get("service", {}).get("enabled")
            or bool(_port_names(spec))
            or any("metrics" in one for one in spec.get("sidecars", ()))
        ),
    ),
    Rule(
        "spec",
        "monitoring",
        "nothing says where metrics are: write monitoring.port, or give an adapter metrics",
        "!has(self.monitoring) || has(self.monitoring.port) || "
        "(has(self.sidecars) && self.sidecars.exists(one, has(one.metrics)))",
        lambda spec: "monitoring" not in spec or _has_metrics_port(spec),
    ),
    Rule(
        "spec",
        "monitoring.port",
        "no port of app.ports has this name: write the name of one, or a number",
        "!has(self.monitoring) || !has(self.monitoring.port) || type(self.monitoring.port) != string || "
        "(has(self.app.ports) && self.app.ports.exists(port, has(port.name) && port.name == self.monitoring.port))",
        _knows_metrics_port,
    ),
)

RULES: Final = (*LOGS, *WAYS)
