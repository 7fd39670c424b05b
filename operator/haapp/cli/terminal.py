"""Lines for people: coloured by rich on a terminal, plain text for everything else.

rich is imported only when standard output is a terminal: a pipe is not to wait for it.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Piece(NamedTuple):
    """A text and rich's style for it ("" is none)."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]
GOOD, BAD, SOME, FAINT, STRONG = "green", "bold red", "yellow", "dim", "bold"


def line(*pieces: Piece | str) -> Line:
    """A line of pieces; a bare text has no style."""
    return tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces)


def plain(lines: Iterable[Line]) -> str:
    """The text alone, each line ended."""
    return "".join("".join(piece.text for piece in pieces).rstrip() + "\n" for pieces in lines)


def table(rows: Sequence[Sequence[Piece | str]], indent: str = "") -> list[Line]:
    """Rows as lines, each column as wide as its widest cell, two spaces apart."""
    cells = [line(*row) for row in rows]
    widths = [
        max((len(row[at].text) for row in cells if at < len(row)), default=0)
        for at in range(max(map(len, cells), default=0))
    ]
    return [
        (Piece(indent), *(Piece(cell.text.ljust(widths[at]) + "  ", cell.style) for at, cell in enumerate(row)))
        for row in cells
    ]


def show(lines: Iterable[Line]) -> None:
    """Write lines to standard output."""
    if not sys.stdout.isatty():
        sys.stdout.write(plain(lines))
        return
    from rich.console import Console  # noqa: PLC0415  (only a terminal needs it)
    from rich.text import Text  # noqa: PLC0415

    console = Console(soft_wrap=True, highlight=False)
    for pieces in lines:
        console.print(Text.assemble(*((piece.text, piece.style) for piece in pieces)), soft_wrap=True)
