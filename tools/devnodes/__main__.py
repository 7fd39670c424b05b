"""python -m devnodes: what the Makefile calls, and what a person does to a node."""

import argparse
import sys
import time
from pathlib import Path

from devcluster.binaries import say
from devcluster.cluster import describe
from devcluster.shell import ClusterError

from . import cluster, host, trial
from .images import write_all

FAULTS = ("lose", "start", "reboot", "partition", "reconnect")


def main(arguments: list[str]) -> int:
    """Run one subcommand; the exit code is that of a shell."""
    parser = argparse.ArgumentParser(prog="devnodes", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "check", help="exit with 0 if real nodes can run here, else say why not, a line for each reason"
    )
    commands.add_parser("prepare", help="install, build and pack all that they are made of (minutes, the first time)")
    for command, text in (("create", "start a cluster of 3 nodes in 3 zones"), ("delete", "remove all of it")):
        commands.add_parser(command, help=text).add_argument("name")
    images = commands.add_parser("images", help="write all images into one archive (for kind)")
    images.add_argument("target", type=Path)
    for fault in FAULTS:
        parsed = commands.add_parser(fault, help=f"{fault} a node")
        parsed.add_argument("name")
        parsed.add_argument("node")
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except (RuntimeError, OSError) as error:
        print(f"devnodes: {error}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    """Run a subcommand."""
    match options.command:
        case "check":
            return check()
        case "prepare":
            cluster.prepare()
        case "create":
            create(options.name)
        case "delete":
            cluster.delete(options.name)
        case "images":
            write_all(options.target)
            say(f"nodes: kind load image-archive {options.target}")
        case fault:
            running = cluster.find(options.name)
            if running is None:
                raise ClusterError(f"{options.name} does not run")
            getattr(running.nodes[options.node], fault)()
    return 0


def check() -> int:
    """Say what stands in the way of real nodes; the exit code is 1 if anything does."""
    reasons = host.obstacles() or trial.failures()
    for reason in reasons or ["they can run here"]:
        say(f"nodes: {reason}")
    return 1 if reasons else 0


def create(name: str) -> None:
    """Start a cluster, unless it runs, and say how to look into it."""
    started = time.monotonic()
    running = cluster.find(name) or cluster.create(name, stay=True)
    say(f"nodes: {running.cluster.context} is up after {time.monotonic() - started:.1f} s")
    describe(running.cluster)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
