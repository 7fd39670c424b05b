"""Findings as text for people, and in the forms that pipelines read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from haapp.cli import yamltext
from haapp.cli.findings import Finding
from haapp.cli.terminal import BAD, FAINT, SOME, Line, Piece, line, plain

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Located:
    """A finding with the file, line and app that it is about."""

    source: str
    line: int
    app: str
    finding: Finding


def text(located: Sequence[Located]) -> str:
    """A paragraph for each finding; nothing where there is none."""
    return plain(lines(located))


def lines(located: Sequence[Located]) -> list[Line]:
    """The same, with styles for a terminal."""
    return [piece for entry in located for piece in _paragraph(entry)]


def as_json(located: Sequence[Located]) -> str:
    """An object with the list `findings`."""
    return json.dumps({"findings": list(map(_entry, located))}, indent=2, ensure_ascii=False) + "\n"


def as_yaml(located: Sequence[Located]) -> str:
    """The same as YAML."""
    return yamltext.dump({"findings": list(map(_entry, located))})


def github(located: Sequence[Located]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    return "".join(map(_workflow_command, located))


def sarif(located: Sequence[Located]) -> str:
    """SARIF 2.1.0 (OASIS), for code scanning."""
    rules = sorted({entry.finding.rule for entry in located})
    driver = {"name": "kubectl-haapp", "rules": [{"id": rule} for rule in rules]}
    run = {"tool": {"driver": driver}, "results": list(map(_sarif_result, located))}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


FORMATS: Final[Mapping[str, Callable[[Sequence[Located]], str]]] = {
    "text": text,
    "json": as_json,
    "yaml": as_yaml,
    "sarif": sarif,
    "github": github,
}


def _paragraph(located: Located) -> list[Line]:
    finding = located.finding
    severity = Piece(finding.severity, BAD if finding.severity == "error" else SOME)
    place, rule = Piece(f"{located.source}:{located.line}: ", FAINT), Piece(f" [{finding.rule}]", FAINT)
    instead = [line(f"  write: {finding.instead}")] if finding.instead else []
    return [
        line(place, severity, f": {located.app}: {finding.path}", rule),
        line(f"  {finding.happens}"),
        *instead,
    ]


def _entry(located: Located) -> dict[str, Any]:
    return {"file": located.source, "line": located.line, "app": located.app, **asdict(located.finding)}


def _sentence(finding: Finding) -> str:
    instead = f" Write: {finding.instead}." if finding.instead else ""
    return f"{finding.path}: {finding.happens}.{instead}"


def _workflow_command(located: Located) -> str:
    finding = located.finding
    properties = {"file": located.source, "line": str(located.line), "title": finding.rule}
    joined = ",".join(f"{name}={_escape(value, ':,')}" for name, value in properties.items())
    return f"::{finding.severity} {joined}::{_escape(_sentence(finding))}\n"


def _escape(value: str, further: str = "") -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{further}" else char for char in value)


def _sarif_result(located: Located) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": located.source}, "region": {"startLine": located.line}}
    logical = {"fullyQualifiedName": f"{located.app}/{located.finding.path}"}
    return {
        "ruleId": located.finding.rule,
        "level": located.finding.severity,
        "message": {"text": _sentence(located.finding)},
        "locations": [{"physicalLocation": place, "logicalLocations": [logical]}],
    }
