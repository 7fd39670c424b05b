"""The commands of a page, and the files that it tells the reader to write, in the order of the page.

A block of commands is marked by a comment above it, which no reader sees:

    <!-- run -->                  the commands are run, and end with code 0; output that is shown is compared
    <!-- run: exit 1 -->          they end with this code
    <!-- not run: why -->         they are not run
    <!-- before: a command -->    what has to be so before the page begins; stands alone

In a ```console block a line that begins with `$ ` is a command (one that ends with a backslash goes on in the next
line), and what follows is its output. A ```yaml block with a title is a file of that name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BLOCK: Final = re.compile(
    r"(?:^<!-- (?P<mark>(?:not )?run\b[^\n]*?) -->\n)?^(?P<indent> *)```(?P<lang>console|yaml)(?P<rest>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
TITLE: Final = re.compile(r'title="([^"]+)"')
BEFORE: Final = re.compile(r"^<!-- before: (.*?) -->$", re.MULTILINE)
EXIT: Final = re.compile(r"run: exit (\d+)")


@dataclass(frozen=True, slots=True)
class File:
    """A file to write."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command, the code that it ends with, and the output that the page shows ("" for none)."""

    line: str
    output: str
    code: int


def unmarked(page: str) -> tuple[str, ...]:
    """The blocks of commands of which the page does not say whether they are run."""
    return tuple(
        match["body"] for match in BLOCK.finditer(page) if match["lang"] == "console" and match["mark"] is None
    )


def steps(page: str) -> Iterator[File | Command]:
    """What a reader of the page does, in order."""
    yield from (Command(line, "", 0) for line in BEFORE.findall(page))
    for match in BLOCK.finditer(page):
        if match["lang"] == "yaml":
            if title := TITLE.search(match["rest"]):
                yield File(title[1], match["body"])
        elif (mark := match["mark"] or "not run").startswith("run"):
            code = EXIT.search(mark)
            yield from _commands(match["body"], int(code[1]) if code else 0)


def _commands(body: str, code: int) -> Iterator[Command]:
    for part in re.split(r"^\$ ", body.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield Command(line.strip(), output.rstrip("\n"), code)
