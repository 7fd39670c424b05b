"""The structural schema of a dataclass, as OpenAPI for a CRD, from its type hints, defaults and docstrings."""

from dataclasses import MISSING, fields
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

from haapp.api.core import core_schema, or_null
from haapp.api.descriptions import describe
from haapp.api.durations import format_duration
from haapp.api.hints import Hint, Property, properties_of, read_hint
from haapp.api.markers import Container, Core, Duration, Image, KeyedBy, Limits, Name
from haapp.api.objects import Object

SCALARS: Final[dict[Any, Object]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int32"},
    str: {"type": "string"},
}
CONTAINER: Final = Core("core.v1.Container")
CONTAINER_NEEDS: Final = ("name", "image")


def schema_of(cls: type, *, described: bool = False) -> Object:
    """The schema of a dataclass; `described`: with the docstrings as descriptions (they cost a look at the source)."""
    own = [prop for prop in properties_of(cls) if not prop.has_container_fields]
    texts = describe(cls) if described else {}
    properties = {prop.name: _property(prop, texts.get(prop.attribute), described) for prop in own}
    schema: Object = {"type": "object"}
    if len(own) < len(properties_of(cls)):
        return {**schema, "required": list(CONTAINER_NEEDS), "properties": {**_container()["properties"], **properties}}
    required = [prop.name for prop in own if prop.required]
    return {**schema, **({"required": required} if required else {}), "properties": properties}


@cache
def _limit_names() -> tuple[tuple[str, str], ...]:
    return tuple((field.name, prop.name) for field, prop in zip(fields(Limits), properties_of(Limits), strict=True))


def _property(prop: Property, text: str | None, described: bool) -> Object:
    schema = _of_hint(prop.hint, described)
    default = visible_default(prop)
    if default is not MISSING:
        schema = {"default": default, **schema}
    elif prop.empty_says_nothing:
        schema = or_null(schema)
    return {"description": text, **schema} if text else schema


def visible_default(prop: Property) -> Any:
    """The default as the CRD states it; MISSING where the API server fills in nothing.

    A section that is always there is filled in whole (the API server holds its rules against the default as it stands
    here, before it has filled in the defaults of the section's own fields). Empty lists and maps mean the same as none.
    """
    if prop.required or prop.default in (None, (), {}):
        return MISSING
    if prop.hint.is_section:
        inner = {one.name: visible_default(one) for one in properties_of(prop.hint.base)}
        return {name: default for name, default in inner.items() if default is not MISSING} or MISSING
    return format_duration(prop.default) if prop.hint.last(Duration) else prop.default


def _of_hint(hint: Hint, described: bool) -> Object:
    schema = dict(_base(hint, described))
    for limits in hint.all(Limits):
        schema.update(
            (name, value) for attribute, name in _limit_names() if (value := getattr(limits, attribute)) is not None
        )
    return schema


def _base(hint: Hint, described: bool) -> Object:
    core, container = hint.last(Core), hint.last(Container)
    if core:
        return core_schema(core)
    if container:
        return _container(container.default_name)
    if hint.is_section:
        return schema_of(hint.base, described=described)
    if hint.entry:
        return {**_list_kind(hint), "items": _of_hint(read_hint(hint.entry), described)}
    return _plain(hint)


def _plain(hint: Hint) -> Object:
    if get_origin(hint.base) is dict:
        return {"type": "object", "additionalProperties": _plain(read_hint(get_args(hint.base)[1]))}
    if get_origin(hint.base) is Literal:
        return {"type": "string", "enum": list(get_args(hint.base))}
    return SCALARS[str if hint.last(Duration) else hint.base]


def _list_kind(hint: Hint) -> Object:
    keyed = hint.last(KeyedBy)
    if keyed is None:
        return {"type": "array", "x-kubernetes-list-type": "atomic"}
    return {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": list(keyed.keys),
    }


def _container(default_name: str = "") -> Object:
    """A core/v1 Container with name and image checked; with a default for the name, or the name required."""
    base = core_schema(CONTAINER)
    name, image = (_of_hint(read_hint(annotation), described=False) for annotation in (Name, Image))
    if default_name:
        name = {"default": default_name, **name}
    required = [field for field in CONTAINER_NEEDS if not (default_name and field == "name")]
    return {**base, "required": required, "properties": {**base["properties"], "name": name, "image": image}}
