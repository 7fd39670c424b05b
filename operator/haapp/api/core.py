"""The whole structural schemas of the Kubernetes types that the API embeds, from `core_types.json`."""

import json
from functools import cache
from importlib import resources
from typing import Final

from haapp.api.markers import Core
from haapp.api.objects import Object

KEY_DEFAULTS: Final = {"protocol": "TCP"}
"""What Kubernetes itself fills in for fields that tell entries of a list apart."""


@cache
def core_schema(core: Core) -> Object:
    """The schema of a type, or of one field of it, without references. It is shared: do not change it."""
    if core.field:
        return _resolve(_types()[core.type]["properties"][core.field])
    return _resolve(_types()[core.type])


@cache
def _types() -> dict[str, Object]:
    text = resources.files(__package__).joinpath("core_types.json").read_text(encoding="utf-8")
    types: dict[str, Object] = json.loads(text)
    return types


def _resolve(schema: Object) -> Object:
    if "$ref" in schema:
        return core_schema(Core(schema["$ref"]))
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {name: _resolve(part) for name, part in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            result[key] = _resolve(schema[key])
    if "x-kubernetes-list-map-keys" in schema:
        result["items"] = _with_keys(result["items"], schema["x-kubernetes-list-map-keys"])
    return result


def _with_keys(entry: Object, keys: list[str]) -> Object:
    """A list's entries with every key present: a CRD's keyed list needs keys that are required or have a default."""
    missing = [key for key in keys if key not in entry.get("required", ())]
    if not missing:
        return entry
    defaults = {key: KEY_DEFAULTS[key] for key in missing if key in KEY_DEFAULTS}
    filled = {key: {**entry["properties"][key], "default": default} for key, default in defaults.items()}
    required = [*entry.get("required", ()), *(key for key in missing if key not in defaults)]
    return {**entry, "required": required, "properties": {**entry["properties"], **filled}}
