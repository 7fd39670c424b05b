"""What one rule across fields is: stated once, for the API server in CEL and for offline use in Python."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on the value at one place of a HighAvailabilityApp.

    `at` is the place (`spec.zones`, `spec.initSteps[]` for each entry, "" for the whole object), `field` the field
    below it that is to be changed ("" for the place itself). `cel` and `holds` say the same of the value, which has
    passed the schema and has its defaults filled in; `message` says what to write instead.
    """

    at: str
    field: str
    message: str
    cel: str
    holds: Check

    @property
    def steps(self) -> tuple[str, ...]:
        """The way to `at`: field names, and `[]` for each entry of a list."""
        return tuple(filter(None, self.at.replace("[]", ".[]").split(".")))


def dig(value: Any, *path: str) -> Any:
    """The value at a path of field names; None where a part of the path is absent."""
    for name in path:
        if value is None:
            return None
        value = value.get(name)
    return value


def has(*path: str, of: str = "self") -> str:
    """CEL for: every part of the path is there."""
    steps = [".".join((of, *path[:count])) for count in range(1, len(path) + 1)]
    return " && ".join(f"has({step})" for step in steps)


def count_of(names: Iterable[str]) -> str:
    """CEL for: how many of these fields are there."""
    return " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in names)


def at_most_one(at: str, names: tuple[str, ...], message: str) -> Rule:
    """At most one of these fields is given."""
    return Rule(at, "", message, f"{count_of(names)} <= 1", lambda it: sum(name in it for name in names) <= 1)


def exactly_one(at: str, names: tuple[str, ...], message: str) -> Rule:
    """Exactly one of these fields is given."""
    return Rule(at, "", message, f"{count_of(names)} == 1", lambda it: sum(name in it for name in names) == 1)
