"""What is wrong with an object, field by field."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from haapp.api.text import cut

MOST: Final = 50
"""Errors that are told of one object; of the others only how many they are."""

LONGEST: Final = 300
"""Characters of a path or a message: both may hold what the user wrote, and that may be a megabyte."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong: where (`spec.zones.maxSkew`, `spec.initSteps[1].name`) and what to write instead."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@dataclass(slots=True)
class Errors:
    """What a check has found so far; `blocking`: the shape is so wrong that rules across fields cannot be tried."""

    number: int = 0
    blocking: bool = False
    _told: list[FieldError] = field(default_factory=list)

    def add(self, path: str, message: str, *, blocking: bool = True) -> None:
        """Add an error."""
        if not self.full:
            self._told.append(FieldError(cut(path, LONGEST), cut(message, LONGEST)))
        self.number += 1
        self.blocking = self.blocking or blocking

    @property
    def full(self) -> bool:
        """Whether a further one is only counted."""
        return len(self._told) == MOST

    def told(self) -> tuple[FieldError, ...]:
        """The first ones, after how many there are where they are more."""
        if self.number == len(self._told):
            return tuple(self._told)
        return (FieldError("spec", f"has {self.number} errors, of which {MOST} are told"), *self._told)


class InvalidSpec(Exception):
    """An object that cannot be a HighAvailabilityApp as it stands; `errors` has at least one entry."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))
