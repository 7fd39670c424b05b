"""`check`: what the API server would refuse, what cannot come true, and what is not wise."""

import argparse
import sys
from collections.abc import Iterator
from typing import Final

from haapp.api import App, InvalidSpec, parse_app
from haapp.cli import documents, practice, reports
from haapp.cli.documents import Document
from haapp.cli.errors import FINDINGS, FINE, BadInput
from haapp.cli.findings import SEVERITIES, Finding
from haapp.cli.lines import line_of
from haapp.cli.reports import Located
from haapp.placement import contradictions, finding
from haapp.placement.model import Node, node_of
from haapp.render import RenderError, render

ABOUT_PODS: Final = frozenset({finding.CACHE_NOT_FOUND, finding.CACHE_OUT_OF_REACH})
"""Contradictions that only the pods of a cluster can show."""

EXAMPLES = """\
  kubectl haapp check -f app.yaml
  kubectl get nodes -o yaml > nodes.yaml; kubectl haapp check -f app.yaml --nodes nodes.yaml
  kubectl haapp check -f apps/ --fail-on error -o github
"""


def configure(parser: argparse.ArgumentParser) -> None:
    documents.add_argument(parser)
    parser.add_argument("--nodes", metavar="FILE", help="nodes to check against, as `kubectl get nodes -o yaml` prints")
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="the least grave finding that makes the exit code 1 (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", choices=tuple(reports.FORMATS), default="text")


def run(arguments: argparse.Namespace) -> int:
    apps = documents.read_apps(arguments.filenames)
    nodes = _read_nodes(arguments.nodes) if arguments.nodes else ()
    located = [
        Located(app.source, line_of(app.node, found.path), app.name, found)
        for app in apps
        for found in check(app, nodes)
    ]
    sys.stdout.write(reports.FORMATS[arguments.output](located))
    if arguments.output == "text":
        _summarize(len(apps), located)
    return FINDINGS if any(entry.finding.at_least(arguments.fail_on) for entry in located) else FINE


def check(document: Document, nodes: tuple[Node, ...]) -> tuple[Finding, ...]:
    """All findings about one app; without nodes only what needs none is found."""
    try:
        app = parse_app(document.object)
    except InvalidSpec as error:
        return tuple(Finding("invalid", "error", wrong.path, wrong.message) for wrong in error.errors)
    return (*_cannot_be_rendered(app), *_contradictions(app, nodes), *practice.find(app))


def _cannot_be_rendered(app: App) -> Iterator[Finding]:
    try:
        render(app)
    except RenderError as error:
        yield Finding("invalid", "error", error.path, error.advice)


def _contradictions(app: App, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    for found in contradictions.find(app, nodes):
        if found.reason not in ABOUT_PODS:
            yield Finding(found.reason, "error", found.field, found.message)


def _read_nodes(filename: str) -> tuple[Node, ...]:
    found = documents.read_documents([filename])
    nodes = tuple(node_of(document.object) for document in found if document.object["kind"] == "Node")
    if not nodes:
        raise BadInput(f"there is no Node in {filename}")
    return nodes


def _summarize(apps: int, located: list[Located]) -> None:
    errors = sum(entry.finding.severity == "error" for entry in located)
    print(f"apps: {apps}, errors: {errors}, warnings: {len(located) - errors}", file=sys.stderr)
