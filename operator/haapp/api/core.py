"""The whole structural schemas of the Kubernetes types that the API embeds, from `core_types.json`."""

import json
from functools import cache
from importlib import resources
from typing import Final

from haapp.api.markers import Core
from haapp.api.objects import Object

KEY_DEFAULTS: Final = {"protocol": "TCP"}
"""What Kubernetes itself fills in for fields that tell entries of a list apart."""
EMPTY_SAYS_NOTHING: Final = frozenset(
    {
        "autoscaling.v2.HPAScalingRules",
        "autoscaling.v2.HorizontalPodAutoscalerBehavior",
        "core.v1.Affinity",
        "core.v1.Capabilities",
        "core.v1.Lifecycle",
        "core.v1.NodeAffinity",
        "core.v1.PodAffinity",
        "core.v1.PodAntiAffinity",
        "core.v1.PodDNSConfig",
        "core.v1.ResourceRequirements",
        "core.v1.SELinuxOptions",
        "core.v1.SecurityContext",
        "core.v1.WindowsSecurityContextOptions",
    }
)
"""Types of which an empty object means the same as none. Of an empty selector or volume that cannot be said."""


@cache
def core_schema(core: Core) -> Object:
    """The schema of a type, or of one field of it, without references. It is shared: do not change it."""
    if core.field:
        return _resolve(_types()[core.type]["properties"][core.field])
    schema = _resolve(_types()[core.type])
    return or_null(schema) if core.type in EMPTY_SAYS_NOTHING else schema


def or_null(schema: Object) -> Object:
    """The schema, for an object, map or list that may be null, which means the same as leaving it out.

    Where a server-side apply takes the last field out of an object, or the last entry out of a keyed list, and leaves
    `{}` or `[]`, the API server makes `null` of it, and refuses that unless the schema says so
    (kubernetes/kubernetes#135841).
    """
    return {**schema, "nullable": True}


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
        result["properties"] = {name: _property(_resolve(part)) for name, part in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            result[key] = _resolve(schema[key])
    if "x-kubernetes-list-map-keys" in schema:
        result["items"] = _with_keys(result["items"], schema["x-kubernetes-list-map-keys"])
    return result


def _property(schema: Object) -> Object:
    empty_says_nothing = "additionalProperties" in schema or "x-kubernetes-list-map-keys" in schema
    return or_null(schema) if empty_says_nothing else schema


def _with_keys(entry: Object, keys: list[str]) -> Object:
    """A list's entries with every key present: a CRD's keyed list needs keys that are required or have a default."""
    missing = [key for key in keys if key not in entry.get("required", ())]
    if not missing:
        return entry
    defaults = {key: KEY_DEFAULTS[key] for key in missing if key in KEY_DEFAULTS}
    filled = {key: {**entry["properties"][key], "default": default} for key, default in defaults.items()}
    required = [*entry.get("required", ()), *(key for key in missing if key not in defaults)]
    return {**entry, "required": required, "properties": {**entry["properties"], **filled}}
