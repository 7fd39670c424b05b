"""Whether a command's output is as a page shows it, up to what differs from one time to the next."""

import re
from typing import Final

ANY: Final = "..."
"""A line of the page that stands for any lines."""

_CHANGING: Final = (
    (re.compile(r"\b\d+(\.\d+)?(s|m|h|d)(\d+(s|m|h))?\b"), "<age>"),
    (re.compile(r"\b\d+\.\d+\.\d+\.\d+\b"), "<address>"),
    (re.compile(r"-[a-z0-9]{8,10}-[a-z0-9]{5}\b"), "-<pod>"),
    (re.compile(r"\b(restarted) \d+ times?"), r"\1 <times>"),
    (re.compile(r"[ \t]+"), " "),
)


def same(shown: str, seen: str) -> bool:
    """Whether `seen` is what the page shows."""
    return _matches(_lines(shown), _lines(seen))


def _lines(text: str) -> list[str]:
    for pattern, stand_in in _CHANGING:
        text = pattern.sub(stand_in, text)
    return [line.strip() for line in text.strip().splitlines()]


def _matches(shown: list[str], seen: list[str]) -> bool:
    if not shown:
        return not seen
    if shown[0] == ANY:
        return any(_matches(shown[1:], seen[start:]) for start in range(len(seen) + 1))
    return bool(seen) and shown[0] == seen[0] and _matches(shown[1:], seen[1:])
