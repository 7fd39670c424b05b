"""`-o`: text for people, JSON and YAML for programs."""

import argparse
import json
import sys
from typing import Any

FORMATS = ("text", "json", "yaml")


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The option that the commands share that answer a question."""
    parser.add_argument("-o", "--output", choices=FORMATS, default="text")


def write(value: Any, form: str) -> None:
    """Write a value to standard output as JSON or YAML."""
    if form == "json":
        json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    from haapp.cli import yamltext  # noqa: PLC0415

    sys.stdout.write(yamltext.dump(value))
