"""Durations as Kubernetes' users write them: `5m`, `1h30m`, `90s`."""

import re
from typing import Final

PATTERN: Final = "^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$"
"""Whole hours, minutes and seconds, in this order; five digits keep every sum within an int32 of seconds."""
EXAMPLE: Final = "5m, 90s or 1h30m"

_PARTS: Final = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?", re.ASCII)
_UNITS: Final = (("h", 3600), ("m", 60), ("s", 1))


def parse_duration(text: str) -> int:
    """Seconds in `text`; raises ValueError on anything that `PATTERN` refuses."""
    match = _PARTS.fullmatch(text)
    if match is None or not text:
        raise ValueError(f"{text!r} is not a duration: write {EXAMPLE}")
    return sum(int(part or 0) * seconds for part, (_, seconds) in zip(match.groups(), _UNITS, strict=True))


def format_duration(seconds: int) -> str:
    """The shortest text that `parse_duration` reads as so many seconds (`300` gives `5m`)."""
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
