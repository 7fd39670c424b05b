"""`diff`: what applying would change, as the server sees it: the app by field, then what the operator would write."""

import argparse
from collections.abc import Iterator
from typing import Any

from haapp.api import InvalidSpec, Object, parse_app
from haapp.cli import documents, output, terminal
from haapp.cli.applying import applied, path_of
from haapp.cli.children_diff import Change, changes
from haapp.cli.cluster import Cluster, Refused, add_arguments, add_namespace, connect
from haapp.cli.differences import compare, described
from haapp.cli.documents import Document
from haapp.cli.errors import FINDINGS, FINE, BadInput
from haapp.cli.terminal import BAD, FAINT, GOOD, SOME, STRONG, Line, Piece, line
from haapp.render import RenderError

EXAMPLES = """\
  kubectl haapp diff -f app.yaml
  kubectl haapp diff -f apps/ --context production -o json
  kubectl haapp diff -f app.yaml   # annotated highavailability.dev/adopt: what a Deployment becomes
"""
STYLES = {"+": GOOD, "-": BAD, "~": SOME, " ": FAINT}
SAYINGS = {
    "create": ("would be created", GOOD),
    "delete": ("would be deleted", BAD),
    "adopt": ("would be taken over", SOME),
    "conflict": ("is in the way", BAD),
    "refused": ("would be refused", BAD),
    "change": ("would change", SOME),
}


def configure(parser: argparse.ArgumentParser) -> None:
    documents.add_argument(parser)
    add_arguments(parser)
    add_namespace(parser)
    output.add_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    apps = documents.read_apps(arguments.filenames)
    cluster = connect(arguments)
    told = [differences(cluster, app) for app in apps]
    if arguments.output == "text":
        terminal.show(entry for found in told for entry in _lines(found))
    else:
        output.write({"apps": [_as_json(found) for found in told]}, arguments.output)
    return FINDINGS if any(found["changes"] for found in told) else FINE


def differences(cluster: Cluster, document: Document) -> dict[str, Any]:
    """Name, namespace, changes (the app's own first) and notes of one app. Raises BadInput."""
    obj = documents.in_namespace(document.object, cluster.namespace)
    try:
        parse_app(obj)
    except InvalidSpec as error:
        raise BadInput(*(f"{document}: {wrong}" for wrong in error.errors)) from None
    live = cluster.get(path_of(obj))
    try:
        after = applied(cluster, obj, live)
        made, notes = changes(cluster, parse_app(after if live is not None else _unborn(after)))
    except Refused as error:
        raise BadInput(f"{document}: the API server would refuse it: {error}") from None
    except RenderError as error:
        raise BadInput(f"{document}: {error}") from None
    meta = obj["metadata"]
    own = _own(meta["name"], live, after)
    return {"name": meta["name"], "namespace": meta["namespace"], "changes": (*own, *made), "notes": notes}


def _unborn(obj: Object) -> Object:
    """Without the uid that the dry run made up."""
    return {**obj, "metadata": {**obj["metadata"], "uid": ""}}


def _own(name: str, live: Object | None, after: Object) -> tuple[Change, ...]:
    if live is None:
        return (Change("HighAvailabilityApp", name, "create"),)
    fields = compare(live, after)
    return (Change("HighAvailabilityApp", name, "change", fields),) if fields else ()


def _as_json(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "changes": [_change_as_json(change) for change in found["changes"]], "notes": list(found["notes"])}


def _change_as_json(change: Change) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": change.kind, "name": change.name, "action": change.action}
    if change.message:
        told["message"] = change.message
    if change.fields:
        told["fields"] = [difference.as_json() for difference in change.fields]
    if replaces_pods(change):
        told["replacesPods"] = True
    return told


def replaces_pods(change: Change) -> bool:
    """Whether the Deployment's pods are replaced: its template changes."""
    return change.kind == "Deployment" and any(it.path.startswith("spec.template") for it in change.fields)


def _lines(found: dict[str, Any]) -> Iterator[Line]:
    if not found["changes"]:
        yield line(Piece(found["name"], STRONG), ": no difference")
    for change in found["changes"]:
        saying, style = SAYINGS[change.action]
        message = f": {change.message}" if change.message else ""
        yield line(Piece(f"{change.kind} {change.name} ", STRONG), Piece(saying, style), message)
        for difference in change.fields:
            yield from (line(Piece(f"  {sign} {text}", STYLES[sign])) for sign, text in described(difference))
        if replaces_pods(change):
            yield line(Piece("  its pods are replaced: the pod template changes", FAINT))
    yield from (line(Piece(f"note: {note}", FAINT)) for note in found["notes"])
