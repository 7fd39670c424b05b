"""Does the operator still hold every field that it applied?

When anybody else changes or removes a field, the API server takes that field out of our entry in managedFields
(https://kubernetes.io/docs/reference/using-api/server-side-apply/). So a desired field that is missing there has
drifted, whatever its value is now; and no value ever has to be compared, which would trip over quantities that the
server writes in another form, and over its defaults.
"""

from __future__ import annotations

import functools
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
        known = _first_missing(desired, owned) is None
        if len(_KNOWN) >= _KNOWN_LIMIT:
            _KNOWN.clear()
        _KNOWN[desired_hash, owned] = known
    return known


def first_missing(desired: dict[str, Any], owned: bytes) -> str | None:
    """The path of the first desired field that is not ours any more, `None` if all are."""
    return _first_missing(desired, owned)


_KNOWN: dict[tuple[str, bytes], bool] = {}
_KNOWN_LIMIT = 65536


def _first_missing(desired: dict[str, Any], owned: bytes) -> str | None:
    fields = _decode(owned)
    told = {name: part for name, part in desired["metadata"].items() if name not in _IMPLIED_METADATA}
    parts = {**desired, "metadata": told}
    lost = (_missing(v, fields.get(f"f:{k}"), k) for k, v in parts.items() if k not in _IDENTITY)
    return next(filter(None, lost), None)


@functools.lru_cache(maxsize=512)
def _decode(owned: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = orjson.loads(owned) if owned else {}
    return decoded


def _missing(value: Any, fields: dict[str, Any] | None, path: str) -> str | None:
    if value is None or value in ({}, []):
        return None
    if fields is None:
        return path
    if not fields:
        return None  # A leaf: a scalar, or a list or map that is owned as a whole.
    if isinstance(value, dict):
        return next(filter(None, (_missing(v, fields.get(f"f:{k}"), f"{path}.{k}") for k, v in value.items())), None)
    if isinstance(value, list):
        return next(filter(None, (_missing_item(item, fields, f"{path}[{i}]") for i, item in enumerate(value))), None)
    return None


def _missing_item(item: Any, fields: dict[str, Any], path: str) -> str | None:
    if not isinstance(item, dict):
        return None if f"v:{orjson.dumps(item).decode()}" in fields else path
    for key, below in fields.items():
        if key.startswith("k:") and _is_item(item, orjson.loads(key[2:])):
            return _missing(item, below, path)
    return path


def _is_item(item: dict[str, Any], key: dict[str, Any]) -> bool:
    """A list-map key may hold a field that the server defaulted (a port's protocol) and we left out."""
    return all(item.get(name, value) == value for name, value in key.items())
