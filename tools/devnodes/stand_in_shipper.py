"""Stands in for Fluent Bit, which no package registry has: follows the very configuration that was rendered for it.

    stand_in_shipper.py -c fluent-bit.yaml

Knows what that file may ask for: `tail` with a parser (`regex` or `json`) and a memory of how far it has read, the
filter `record_modifier`, and the outputs `http` and `stdout` as lines of JSON. Anything else ends it with an error.
"""

import argparse
import json
import os
import re
import signal
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Record = dict[str, Any]


@dataclass(slots=True)
class Tail:
    """One file that is followed."""

    path: Path
    tag: str
    memory: Path
    parser: dict[str, Any] | None
    rest: bytes = field(default=b"")

    def read(self) -> list[Record]:
        """A record for each line since the last time; a line without its end waits."""
        if not self.path.exists():
            return []
        done = int(self.memory.read_text()) if self.memory.exists() else 0
        with self.path.open("rb") as file:
            file.seek(done if done <= self.path.stat().st_size else 0)
            *lines, self.rest = file.read().split(b"\n")
            self.memory.write_text(str(file.tell() - len(self.rest)))
        return [self.parse(line.decode(errors="replace")) for line in lines]

    def parse(self, line: str) -> Record:
        """The line's fields, or the line itself where the parser does not fit."""
        if self.parser is None:
            return {"log": line}
        if self.parser["format"] == "json":
            return dict(json.loads(line))
        expression = self.parser["regex"].removeprefix("/").removesuffix("/").replace("(?<", "(?P<")
        found = re.search(expression, line)
        return found.groupdict() if found else {"log": line}


def main() -> None:
    """Read, send, and go on for ever; told to end, send what is there and end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-c", dest="config", type=Path, required=True)
    config = yaml.safe_load(os.path.expandvars(parser.parse_args().config.read_text()))
    pipeline = config["pipeline"]
    parsers = {found["name"]: found for found in config.get("parsers", ())}
    tails = [tail(found, parsers) for found in pipeline["inputs"]]
    (output,) = pipeline["outputs"]
    marks = dict(text.split(" ", 1) for found in pipeline.get("filters", ()) for text in found["record"])
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ending.append(number))
    while True:
        last = bool(ending)
        for source in tails:
            if records := source.read():
                send(output, [{**record, **marks, "tag": source.tag} for record in records])
        if last:
            return
        time.sleep(config["service"]["flush"] / 4)


def tail(found: dict[str, Any], parsers: dict[str, dict[str, Any]]) -> Tail:
    """An input of the configuration."""
    if found["name"] != "tail":
        sys.exit(f"the input {found['name']} is not known here")
    parser = parsers[found["parser"]] if "parser" in found else None
    return Tail(Path(found["path"]), found["tag"], Path(found["db"]), parser)


def send(output: dict[str, Any], records: list[Record]) -> None:
    """Deliver records as the output says; tries again until it is taken."""
    body = "".join(json.dumps(record) + "\n" for record in records)
    if output["name"] == "stdout":
        print(body, end="", flush=True)
        return
    if output["name"] != "http":
        sys.exit(f"the output {output['name']} is not known here")
    url = f"http://{output['host']}:{output['port']}{output['uri']}"
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/x-ndjson"})
    while True:
        try:
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
        except OSError as error:
            print(f"{url}: {error}", file=sys.stderr, flush=True)
            time.sleep(1)
        else:
            return


if __name__ == "__main__":
    main()
