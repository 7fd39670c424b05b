"""From checked JSON data to the dataclasses of `haapp.api.spec`, driven by their type hints.

The data must have passed `haapp.api.check`, which has filled in the defaults: nothing is looked at twice here.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from haapp.api.durations import parse_duration
from haapp.api.hints import Hint, properties_of, read_hint
from haapp.api.markers import Duration
from haapp.api.objects import Object

Decoder = Callable[[Any], Any]


def decode(cls: type, data: Object) -> Any:
    """An instance of the dataclass `cls`; what is absent from `data` gets the class's default."""
    values = {}
    for attribute, name, decoder in _plan(cls):
        if (value := data.get(name)) is not None:
            values[attribute] = value if decoder is None else decoder(value)
    container = _container_attribute(cls)
    if container:
        values[container] = _container_part(cls, data)
    return cls(**values)


@cache
def _plan(cls: type) -> tuple[tuple[str, str, Decoder | None], ...]:
    """Attribute, name in JSON and decoder (None: the value is taken as it stands) of each field that JSON has."""
    return tuple(
        (prop.attribute, prop.name, _decoder(prop.hint))
        for prop in properties_of(cls)
        if prop.attribute != _container_attribute(cls)
    )


def _decoder(hint: Hint) -> Decoder | None:
    if hint.last(Duration):
        return parse_duration
    if hint.is_section:
        return partial(decode, hint.base)
    if hint.entry:
        entry = _decoder(read_hint(hint.entry))
        return tuple if entry is None else lambda value: tuple(map(entry, value))
    return None


@cache
def _container_attribute(cls: type) -> str | None:
    """The attribute that takes the core/v1 Container's fields of an object which has our own fields too."""
    return next((prop.attribute for prop in properties_of(cls) if prop.has_container_fields), None)


def _container_part(cls: type, data: Object) -> Object:
    own = _own_names(cls)
    return {name: value for name, value in data.items() if name not in own}


@cache
def _own_names(cls: type) -> frozenset[str]:
    return frozenset(name for _, name, _ in _plan(cls)) - {"name"}
