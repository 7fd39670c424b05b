"""Objects that are nested so deeply that nothing which reads them by recursion could bear them.

An API server takes 10,000 levels, and may hold what a laxer schema once let in. Python's recursion, and the fast JSON
encoder and decoder, end far before that. What lies too deep is cut off where it comes in, and what is left is still
deep enough to be refused: a spec that lost something must not be taken for a whole one.
"""

from collections.abc import Iterator
from typing import Any, Final

from haapp.api.errors import Errors, FieldError

DEEPEST: Final = 100
"""Levels that a spec may have: several times as many as the schema has."""

LEFT: Final = 150
"""Levels that are left of what is cut: more than DEEPEST, even within a list or an event of a watch."""

TOO_DEEP: Final = (
    f"is nested too deeply: at most {DEEPEST} levels are read, and no field of a HighAvailabilityApp lies so deep; "
    "take out what does not belong here"
)


def too_deep(spec: Any) -> tuple[FieldError, ...]:
    """An error for each field of a spec that is nested too deeply. Such a spec fails the schema's check too, which has
    no field so deep and looks into none that it does not know: only what has failed there need be looked at."""
    if not deeper_than(spec, DEEPEST):
        return ()
    parts = spec.items() if isinstance(spec, dict) else ()
    deep = [f"spec.{name}" for name, part in parts if deeper_than(part, DEEPEST - 1)]
    errors = Errors()
    for path in deep or ["spec"]:
        errors.add(path, TOO_DEEP)
    return errors.told()


def deeper_than(value: Any, most: int) -> bool:
    """Whether objects and lists are nested in more than so many levels, `value` itself being the first."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        if not level:
            return False
        level = [part for whole in level for part in _parts(whole) if isinstance(part, dict | list)]
    return bool(level)


def shallow(value: Any, most: int = LEFT) -> Any:
    """A copy of the value with `null` for each object and list below so many levels."""
    if not isinstance(value, dict | list):
        return value
    if most == 0:
        return None
    if isinstance(value, dict):
        return {name: shallow(part, most - 1) for name, part in value.items()}
    return [shallow(part, most - 1) for part in value]


def _parts(whole: dict[str, Any] | list[Any]) -> Iterator[Any]:
    return iter(whole.values() if isinstance(whole, dict) else whole)
