"""Which field a user meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


def unknown_field(name: Any, known: Iterable[str]) -> str:
    """The message for a field that does not exist, with the one it looks like."""
    if not isinstance(name, str):
        return "a field's name must be a text"
    lowered = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name[:64].lower(), lowered, n=1)
    return f"there is no such field: did you mean {lowered[close[0]]}?" if close else "there is no such field"
