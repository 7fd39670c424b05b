"""`explain`: why an app is not Ready: condition, pod, container or scheduler, and the field to change."""

import argparse
from collections.abc import Iterator
from typing import Any

from haapp.cli import output, terminal
from haapp.cli.causes import ABNORMAL, Cause, causes
from haapp.cli.cluster import Cluster, add_arguments, add_namespace, connect
from haapp.cli.errors import FINDINGS, FINE
from haapp.cli.live import LiveApp, events_of, look, when
from haapp.cli.terminal import BAD, FAINT, GOOD, SOME, STRONG, Line, Piece, line
from haapp.status import reasons

EXAMPLES = """\
  kubectl haapp explain shop
  kubectl haapp explain shop -n production -o json
"""
EVENTS = 5


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    add_arguments(parser)
    add_namespace(parser)
    output.add_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    cluster = connect(arguments)
    told = explained(cluster, look(cluster, arguments.name))
    if arguments.output == "text":
        terminal.show(lines(told))
    else:
        output.write(told, arguments.output)
    return FINE if told["ready"] == "True" else FINDINGS


def explained(cluster: Cluster, live: LiveApp) -> dict[str, Any]:
    """The chain of one app: each condition that is not as it should be, with the pods behind it."""
    ready = live.condition(reasons.READY)
    found = list(causes(live, lambda pod: events_of(cluster, "Pod", pod)))
    return {
        "name": live.app.name,
        "namespace": live.app.namespace,
        "ready": ready.get("status", "Unknown"),
        "message": _headline(live),
        "chain": list(_chain(live, found)),
        "events": [_event(it) for it in events_of(cluster, live.object["kind"], live.app.name)[-EVENTS:]],
    }


def _headline(live: LiveApp) -> str:
    if not live.conditions:
        return "the operator has not looked at it yet: is it running, and does it watch this namespace?"
    wanted = "?" if live.deployment is None else live.deployment.desired
    pods = f"{len(live.ready)} of {wanted} pods ready"
    return f"{pods}; the operator has not looked at the latest change yet" if live.unseen else pods


def _chain(live: LiveApp, found: list[Cause]) -> Iterator[dict[str, Any]]:
    """Conditions in the operator's order, each cause under the one that it is nearest to."""
    bad = [it for it in live.conditions if it["type"] != reasons.READY and _is_bad(it)]
    kinds = [condition["type"] for condition in bad]
    homes = {id(cause): next((kind for kind in cause.about if kind in kinds), None) for cause in found}
    holding = live.condition(reasons.READY).get("message") or ""
    for condition in bad:
        kind = condition["type"]
        yield {
            "condition": kind,
            "status": condition["status"],
            "reason": condition["reason"],
            "message": condition["message"],
            "holdsReadyBack": f"{kind}: " in holding,
            "pods": [cause.as_json() for cause in found if homes[id(cause)] == kind],
        }
    if rest := [cause.as_json() for cause in found if homes[id(cause)] is None]:
        yield {"condition": None, "holdsReadyBack": False, "pods": rest}


def _is_bad(condition: dict[str, Any]) -> bool:
    return (condition["status"] == "True") is (condition["type"] in ABNORMAL)


def _event(event: dict[str, Any]) -> dict[str, Any]:
    names = ("type", "reason", "message", "count")
    return {"time": when(event), **{name: event[name] for name in names if event.get(name)}}


def lines(told: dict[str, Any]) -> Iterator[Line]:
    """The chain, indented from the condition to the field; what only informs is named at the end."""
    ready = told["ready"] == "True"
    state = Piece("Ready" if ready else "not Ready", GOOD if ready else BAD)
    yield line(Piece(told["name"], STRONG), " is ", state, f": {told['message']}")
    for step in told["chain"]:
        if step["holdsReadyBack"] or step["pods"]:
            yield from _step(step)
    others = [step for step in told["chain"] if not step["holdsReadyBack"] and not step["pods"]]
    for step in others:
        yield line(Piece(f"  also {_named(step)}: {step['message']}", FAINT))
    for event in told["events"] if not ready else ():
        yield line(Piece(f"  {event['time']} {event.get('reason', '')}: {event.get('message', '')}", FAINT))


def _named(step: dict[str, Any]) -> str:
    return f"{step['condition']}={step['status']} ({step['reason']})"


def _step(step: dict[str, Any]) -> Iterator[Line]:
    if step["condition"]:
        yield line("  ", Piece(_named(step), BAD if step["status"] == "False" else SOME), f": {step['message']}")
    for pod in step["pods"]:
        where = f" on {pod['node']}" if pod["node"] else ""
        same = f" and {pod['alike']} more like it" if pod["alike"] else ""
        yield line(f"    pod {pod['pod']}{where}{same}: ", Piece(pod["what"], SOME))
        if pod["field"] or pod["change"]:
            colon = ": " if pod["field"] and pod["change"] else ""
            yield line("      ", Piece(pod["field"], STRONG), colon, pod["change"])
