"""The fields of a dataclass as its type hints state them: name in JSON, bare type, markers, default."""

import re
import types
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from haapp.api.markers import ContainerFields, Json

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Hint:
    """A type without `None` and `Annotated`, and every marker that stood around it, the innermost first."""

    base: Any
    markers: tuple[Any, ...] = ()

    @property
    def is_section(self) -> bool:
        """Whether the type is a dataclass."""
        return is_dataclass(self.base)

    @property
    def entry(self) -> Any:
        """The annotation of a list's entries; None where the type is no list."""
        return get_args(self.base)[0] if get_origin(self.base) is tuple else None

    def all(self, kind: type[M]) -> tuple[M, ...]:
        """Every marker of a kind, the innermost first."""
        return tuple(marker for marker in self.markers if isinstance(marker, kind))

    def last(self, kind: type[M]) -> M | None:
        """The outermost marker of a kind."""
        return next(iter(reversed(self.all(kind))), None)


@dataclass(frozen=True, slots=True)
class Property:
    """One field of a dataclass. `default` is MISSING where the field must be given."""

    attribute: str
    name: str
    hint: Hint
    default: Any

    @property
    def required(self) -> bool:
        """Whether the field must be given."""
        return self.default is MISSING

    @property
    def empty_says_nothing(self) -> bool:
        """Whether `{}`, or `[]`, means the same as leaving the field out."""
        return is_dataclass(self.default) or self.default in ((), {})

    @property
    def has_container_fields(self) -> bool:
        """Whether the field is none of its own in JSON: what it takes stands among the object's other fields."""
        return self.hint.last(ContainerFields) is not None


@cache
def properties_of(cls: type) -> tuple[Property, ...]:
    """The fields of a dataclass, in order."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(_property(field.name, hints[field.name], field) for field in fields(cls))


def read_hint(annotation: Any) -> Hint:
    """An annotation taken apart; of a union only `None` is taken away."""
    if get_origin(annotation) is Annotated:
        inner, *markers = get_args(annotation)
        hint = read_hint(inner)
        return Hint(hint.base, (*hint.markers, *markers))
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if len(members) == 1:
            return read_hint(members[0])
    return Hint(annotation)


def _property(attribute: str, annotation: Any, field: Any) -> Property:
    hint = read_hint(annotation)
    alias = hint.last(Json)
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return Property(attribute, alias.name if alias else _camel_case(attribute), hint, default)


def _camel_case(attribute: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), attribute)
