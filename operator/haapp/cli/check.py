"""`check`: what the API server would refuse, what cannot come true, and what is not wise."""

import argparse
import sys
from collections.abc import Iterator
from typing import Final

from haapp.api import App, InvalidSpec, parse_app
from haapp.cli import documents, practice, reports, terminal
from haapp.cli.documents import Document
from haapp.cli.errors import FINDINGS, FINE
from haapp.cli.findings import SEVERITIES, Finding
from haapp.cli.lines import line_of
from haapp.cli.practice.observed import start_exceeds_budget
from haapp.cli.reports import Located
from haapp.cli.surroundings import NOTHING, Surroundings, add_arguments, surroundings
from haapp.placement import contradictions, finding
from haapp.placement.model import pod_of
from haapp.render import RenderError, render

ABOUT_PODS: Final = frozenset({finding.CACHE_NOT_FOUND, finding.CACHE_OUT_OF_REACH})
"""Contradictions that only the pods of a cluster can show."""

EXAMPLES = """\
  kubectl haapp check -f app.yaml
  kubectl get nodes -o yaml > nodes.yaml; kubectl haapp check -f app.yaml --nodes nodes.yaml
  kubectl haapp check -f app.yaml --context production
  kubectl haapp check -f apps/ --fail-on error -o github
"""


def configure(parser: argparse.ArgumentParser) -> None:
    documents.add_argument(parser)
    add_arguments(parser)
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="the least grave finding that makes the exit code 1 (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", choices=tuple(reports.FORMATS), default="text")


def run(arguments: argparse.Namespace) -> int:
    apps = documents.read_apps(arguments.filenames)
    around = surroundings(arguments)
    located = [
        Located(app.source, line_of(app.node, found.path), app.name, found)
        for app in apps
        for found in check(app, around)
    ]
    if arguments.output == "text":
        terminal.show(reports.lines(located))
        _summarize(len(apps), located)
    else:
        sys.stdout.write(reports.FORMATS[arguments.output](located))
    return FINDINGS if any(entry.finding.at_least(arguments.fail_on) for entry in located) else FINE


def check(document: Document, around: Surroundings = NOTHING) -> tuple[Finding, ...]:
    """All findings about one app. What the API server would refuse is told by the schema and by the rules in Python
    that the CRD states in CEL; without nodes only what needs none is found."""
    try:
        app = parse_app(documents.in_namespace(document.object, around.namespace))
    except InvalidSpec as error:
        return tuple(Finding("invalid", "error", wrong.path, wrong.message) for wrong in error.errors)
    return (*_cannot_be_rendered(app), *_contradictions(app, around), *practice.find(app), *_observed(app, around))


def _cannot_be_rendered(app: App) -> Iterator[Finding]:
    try:
        render(app)
    except RenderError as error:
        yield Finding("invalid", "error", error.path, error.advice)


def _contradictions(app: App, around: Surroundings) -> Iterator[Finding]:
    pods = tuple(map(pod_of, around.pods_of(app)))
    caches = tuple(map(pod_of, around.cache_pods_of(app)))
    for found in contradictions.find(app, around.nodes, pods, caches):
        if around.live or found.reason not in ABOUT_PODS:
            yield Finding(found.reason, "error", found.field, found.message)


def _observed(app: App, around: Surroundings) -> Iterator[Finding]:
    return start_exceeds_budget(app, around.pods_of(app))


def _summarize(apps: int, located: list[Located]) -> None:
    errors = sum(entry.finding.severity == "error" for entry in located)
    print(f"apps: {apps}, errors: {errors}, warnings: {len(located) - errors}", file=sys.stderr)
