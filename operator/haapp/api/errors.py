"""What is wrong with an object, field by field."""

from collections.abc import Iterable
from dataclasses import dataclass, field


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

    found: list[FieldError] = field(default_factory=list)
    blocking: bool = False

    def add(self, path: str, message: str, *, blocking: bool = True) -> None:
        """Add an error."""
        self.found.append(FieldError(path, message))
        self.blocking = self.blocking or blocking


class InvalidSpec(Exception):
    """An object that cannot be a HighAvailabilityApp as it stands; `errors` has at least one entry."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))
