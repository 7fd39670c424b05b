"""`simulate`: where pods would go, what survives, whether a rollout would finish, and how available that is."""

import argparse

from haapp.cli import documents, output, terminal
from haapp.cli.errors import FINDINGS, FINE
from haapp.cli.quantities import count, duration
from haapp.cli.simulation_report import Question, report
from haapp.cli.simulation_text import lines
from haapp.cli.surroundings import add_arguments, surroundings
from haapp.simulation.availability import DAY, Rates

EXAMPLES = """\
  kubectl get nodes -o yaml > nodes.yaml; kubectl haapp simulate -f app.yaml --nodes nodes.yaml
  kubectl haapp simulate -f app.yaml --context production --lose-zone europe-west1-b --rollout
  kubectl haapp simulate -f app.yaml --nodes nodes.yaml --replicas 12 -o json
  kubectl haapp simulate -f app.yaml --nodes nodes.yaml --availability --node-mtbf 90d --zone-repair 4h
"""
DEFAULTS = Rates()


def configure(parser: argparse.ArgumentParser) -> None:
    documents.add_argument(parser)
    add_arguments(parser, required=True)
    parser.add_argument("--replicas", type=count, metavar="N", help="instead of the number in the spec")
    parser.add_argument("--lose-zone", action="append", default=[], metavar="ZONE", help="lose a zone; repeatable")
    parser.add_argument("--lose-node", action="append", default=[], metavar="NODE", help="lose a node; repeatable")
    parser.add_argument("--rollout", action="store_true", help="play a rollout in every way that it may go")
    output.add_argument(parser)
    _configure_availability(parser)


def _configure_availability(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "availability",
        "The share of time in which enough pods are ready, if every node and every zone fails independently of all "
        "others: that is an assumption, and failures that share a cause (a bad release, the network) are not in it. "
        "The defaults' sources are in docs/cli.md.",
    )
    group.add_argument("--availability", action="store_true", help="compute it, and what one change would bring")
    group.add_argument(
        "--keep", type=count, metavar="N", help="pods that must be ready (default: keepReady of the spec, else 1)"
    )
    for what, mtbf, repair in (
        ("node", DEFAULTS.node_mtbf, DEFAULTS.node_repair),
        ("zone", DEFAULTS.zone_mtbf, DEFAULTS.zone_repair),
    ):
        group.add_argument(
            f"--{what}-mtbf",
            type=duration,
            default=mtbf,
            metavar="TIME",
            help=f"mean time between failures of a {what} (default: {mtbf / DAY:.0f}d)",
        )
        default = f"{repair / 3600:.0f}h" if repair >= 3600 else f"{repair / 60:.0f}m"
        group.add_argument(
            f"--{what}-repair",
            type=duration,
            default=repair,
            metavar="TIME",
            help=f"until the pods of a lost {what} are ready again, there or elsewhere (default: {default})",
        )


def run(arguments: argparse.Namespace) -> int:
    question = Question(
        replicas=arguments.replicas,
        zones=frozenset(arguments.lose_zone),
        nodes=frozenset(arguments.lose_node),
        rollout=arguments.rollout,
        keep=arguments.keep,
        rates=_rates(arguments) if arguments.availability or arguments.keep is not None else None,
    )
    found = documents.read_documents(arguments.filenames)
    apps = documents.apps_of(found, arguments.filenames)
    around = surroundings(arguments)
    reports = [report(app, found, around, question) for app in apps]
    if arguments.output == "text":
        terminal.show([line for entry in reports for line in lines(entry)])
    else:
        output.write({"apps": reports}, arguments.output)
    return FINDINGS if any(entry["findings"] for entry in reports) else FINE


def _rates(arguments: argparse.Namespace) -> Rates:
    return Rates(arguments.node_mtbf, arguments.node_repair, arguments.zone_mtbf, arguments.zone_repair)
