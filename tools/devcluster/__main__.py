"""python -m devcluster: what the Makefile calls."""

import argparse
import sys
import time

from . import binaries


def main(arguments: list[str]) -> int:
    """Run one subcommand; the exit code is that of a shell."""
    parser = argparse.ArgumentParser(prog="devcluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    built = commands.add_parser("binaries", help="find or build the control plane; prints its folder last")
    built.add_argument("--programs", action="store_true", help="and what some tests ask: helm, promtool, linters")
    create = commands.add_parser("create", help="start a cluster of 6 nodes in 3 zones, unless it runs")
    create.add_argument("name")
    create.add_argument("--metrics", action="store_true", help="with a metrics-server (simulated usage)")
    create.add_argument("--per-zone", type=int, default=2, help="nodes in each of the 3 zones (2)")
    create.add_argument("--brief", action="store_true", help="do not say how to look into it")
    commands.add_parser("delete", help="stop a cluster and remove all of it").add_argument("name")
    zone = commands.add_parser("zone", help="switch the machines of a zone off or on")
    zone.add_argument("name")
    zone.add_argument("zone", choices=("zone-a", "zone-b", "zone-c"))
    zone.add_argument("state", choices=("off", "on"))
    commands.add_parser("list", help="the clusters there are")
    commands.add_parser("demo", help="cluster, operator, two applications; left running")
    commands.add_parser("demo-down", help="stop and remove all that demo started")
    options = parser.parse_args(arguments)
    if options.command == "binaries":
        return binaries.main(programs=options.programs)
    try:
        return run(options)
    except RuntimeError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    """Run a subcommand that needs more than the binaries."""
    from . import cluster, demo, nodes  # noqa: PLC0415  (`binaries` is to be quick, and to work with any Python)

    started = time.monotonic()
    match options.command:
        case "create":
            created = cluster.create(options.name, metrics=options.metrics)
            nodes.add_nodes(created, *nodes.machines(options.per_zone))
            binaries.say(f"cluster: {created.context} is up after {time.monotonic() - started:.1f} s")
            if not options.brief:
                cluster.describe(created)
        case "delete":
            cluster.delete(options.name)
        case "zone":
            switch(options.name, options.zone, on=options.state == "on")
        case "list":
            for name in cluster.names():
                binaries.say(f"{name}\t{'running' if cluster.find(name) else 'dead'}")
        case "demo":
            return demo.up()
        case "demo-down":
            demo.down()
    return 0


def switch(name: str, zone: str, *, on: bool) -> None:
    """Switch all machines of a zone of the cluster `name` off or on. Raises ClusterError if it does not run."""
    from . import cluster, nodes  # noqa: PLC0415  (see `run`)

    if (found := cluster.find(name)) is None:
        raise cluster.ClusterError(f"there is no running cluster {name!r}")
    nodes.set_zone_ready(found, zone, ready=on)
    binaries.say(f"{zone} of {found.context} is {'on' if on else 'off'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
