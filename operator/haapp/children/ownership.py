"""Does the operator still hold every field that it applied?

When anybody else changes or removes a field, the API server takes that field out of our entry in managedFields
(https://kubernetes.io/docs/reference/using-api/server-side-apply/). So a desired field that is missing there has
drifted, whatever its value is now; and no value ever has to be compared, which would trip over quantities that the
server writes in another form, and over its defaults.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_IDENTITY = frozenset({"apiVersion", "kind"})
_IMPLIED_METADATA = frozenset({"name", "namespace", "uid", "resourceVersion", "ownerReferences"})


def owns_all(desired: dict[str, Any], owned: bytes, desired_hash: str) -> bool:
    """Whether every field of the desired object is in `owned`, the JSON of our fieldsV1.

    The owner reference is left to the caller: it is the one field that differs between apps of the same shape, and
    `Child.owner_uid` tells of it. The answer is remembered by `desired_hash`, which must identify the content.
    """
    known = _KNOWN.get((desired_hash, owned))
    if known is None:
        known = first_missing(desired, owned) is None
        if len(_KNOWN) >= _KNOWN_LIMIT:
            _KNOWN.clear()
        _KNOWN[desired_hash, owned] = known
    return known


def first_missing(desired: dict[str, Any], owned: bytes) -> str | None:
    """The path of the first desired field that is not ours any more, `None` if all are."""
    fields = _decode(owned)
    told = {name: part for name, part in desired["metadata"].items() if name not in _IMPLIED_METADATA}
    for name, part in {**desired, "metadata": told}.items():
        if name not in _IDENTITY and (lost := _missing(part, fields.below.get(name))) is not None:
            return f"{name}{lost}"
    return None


_KNOWN: dict[tuple[str, bytes], bool] = {}
_KNOWN_LIMIT = 65536


@dataclass(frozen=True, slots=True)
class _Fields:
    """What is owned below a field: fields by name, items of a list by the fields that tell them apart, and single
    values of a set. A leaf has none: a scalar, or a list or map that is owned as a whole."""

    leaf: bool
    below: Mapping[str, _Fields]
    items: tuple[tuple[Mapping[str, Any], _Fields], ...]
    values: frozenset[bytes]


@functools.lru_cache(maxsize=512)
def _decode(owned: bytes) -> _Fields:
    return _fields(orjson.loads(owned) if owned else {})


def _fields(owned: Mapping[str, Any]) -> _Fields:
    return _Fields(
        leaf=not owned,
        below={key[2:]: _fields(part) for key, part in owned.items() if key.startswith("f:")},
        items=tuple((orjson.loads(key[2:]), _fields(part)) for key, part in owned.items() if key.startswith("k:")),
        values=frozenset(key[2:].encode() for key in owned if key.startswith("v:")),
    )


def _missing(value: Any, fields: _Fields | None) -> str | None:
    """The end of the path of the first that is missing at a field or below it, "" for the field itself."""
    if fields is None:
        return None if value is None or value in ({}, []) else ""
    if fields.leaf:
        return None
    if isinstance(value, dict):
        for name, part in value.items():
            if (lost := _missing(part, fields.below.get(name))) is not None:
                return f".{name}{lost}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if (lost := _missing_item(item, fields)) is not None:
                return f"[{number}]{lost}"
    return None


def _missing_item(item: Any, fields: _Fields) -> str | None:
    if not isinstance(item, dict):
        return None if orjson.dumps(item) in fields.values else ""
    return next((_missing(item, below) for key, below in fields.items if _is_item(item, key)), "")


def _is_item(item: dict[str, Any], key: Mapping[str, Any]) -> bool:
    """A list-map key may hold a field that the server defaulted (a port's protocol) and we left out."""
    return all(item.get(name, value) == value for name, value in key.items())
