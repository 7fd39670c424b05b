"""The entry point: which commands there are. A command's module is imported only when it is called."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, cast

from haapp.cli.errors import BAD_INPUT, BadInput


class CommandModule(Protocol):
    """What a command's module offers."""

    EXAMPLES: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit code. Raises BadInput."""


class Command(NamedTuple):
    module: str
    summary: str


COMMANDS: Final = {
    "render": Command("haapp.cli.render", "print the objects that an app becomes, without a cluster"),
    "check": Command("haapp.cli.check", "say what is wrong, or not wise, before it is applied"),
    "simulate": Command("haapp.cli.simulate", "say where pods would go, what survives, and whether a rollout finishes"),
    "diff": Command("haapp.cli.diff", "say what applying would change in the cluster, by field"),
    "map": Command("haapp.cli.map", "show zones, nodes, pods and caches, and what survives"),
    "explain": Command("haapp.cli.explain", "say why an app is not Ready, down to the field to change"),
    "report": Command("haapp.cli.report", "write one page about an app: map, conditions, what-if, events"),
    "completion": Command("haapp.cli.completion", "print a script that completes words in bash, zsh or fish"),
}

EPILOG = """\
exit codes:
  0  fine
  1  findings or differences
  2  bad input: no such file, broken YAML, no HighAvailabilityApp, one that the operator would refuse, no cluster, no
     permission
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` without the program's name. The exit code is one of `haapp.cli.errors`."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser(words).parse_args(words)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BadInput as error:
        for sentence in error.sentences:
            print(f"error: {sentence}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD_INPUT
    return code


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kubectl haapp",
        description="See a HighAvailabilityApp, and question it, before it is applied.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    called = next((word for word in words if not word.startswith("-")), "")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == called:
            _configure(sub, command)
    return parser


def _configure(parser: argparse.ArgumentParser, command: Command) -> None:
    module = cast("CommandModule", importlib.import_module(command.module))
    parser.description = f"{command.summary[0].upper()}{command.summary[1:]}."
    parser.epilog = f"examples:\n{module.EXAMPLES}\n{EPILOG}"
    module.configure(parser)
    parser.set_defaults(run=module.run)


if __name__ == "__main__":
    sys.exit(main())
