"""Words and numbers as people read them in a message."""

from collections.abc import Iterable, Mapping
from typing import Final

from haapp.api.text import cut

LISTED: Final = 12
"""How many domains a message names before it says how many more there are."""


def plural(number: int, noun: str) -> str:
    """`1 pod`, `2 pods`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line, cut with an ellipsis after so many characters."""
    return cut(" ".join(text.split()), limit)


def listed(names: Iterable[str]) -> str:
    """`a, b, c`; a long list is cut."""
    names = list(names)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def tally(numbers: Mapping[str, int], names: Iterable[str]) -> str:
    """`a:3 b:0`: the number in each of the named domains; of many the fullest and the emptiest."""
    ordered = sorted(names)
    if len(ordered) <= LISTED:
        return " ".join(f"{name}:{numbers.get(name, 0)}" for name in ordered)
    by_number = sorted(ordered, key=lambda name: (-numbers.get(name, 0), name))
    ends = by_number[: LISTED // 2], by_number[-(LISTED // 2) :]
    return " … ".join(" ".join(f"{name}:{numbers.get(name, 0)}" for name in end) for end in ends)


def coarse(seconds: int) -> str:
    """A rest of time, rounded up to ten seconds, from two minutes on to minutes, so that it seldom changes."""
    if seconds > 120:
        return f"{-(-seconds // 60)}m"
    tens = max(1, -(-seconds // 10)) * 10
    return "2m" if tens == 120 else f"{tens}s"


def joined(*parts: str) -> str:
    """The parts that say something, one after another; a full stop within would end the sentence too early."""
    return "; ".join(part.removesuffix(".") for part in parts if part)
