"""Numbers of options, as people write them."""

import argparse
import re
from typing import Final

from haapp.api.durations import parse_duration

DAY: Final = 86_400


def duration(text: str) -> float:
    """Seconds in `300d`, `6h`, `1h30m`, `90s`: as in the spec, and days before them."""
    match = re.fullmatch(r"(?:(\d{1,5})d)?(.*)", text, re.ASCII)
    days, rest = (match[1], match[2]) if match else (None, text)
    try:
        seconds = int(days or 0) * DAY + (parse_duration(rest) if rest or not days else 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration: write 300d, 6h, 10m or 90s") from None
    if not seconds:
        raise argparse.ArgumentTypeError("must be longer than 0")
    return float(seconds)


def count(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def spoken(seconds: float) -> str:
    """A time as people say it, with two or three digits: `5.3 min`, `8.8 h`, `32 s`."""
    for unit, size in (("d", DAY), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms" if seconds else "none"
