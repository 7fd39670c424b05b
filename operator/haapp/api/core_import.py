"""Takes the Kubernetes types that the API embeds out of the package `kubernetes-validate`, into `core_types.json`.

Only needed to renew that file: `python -m haapp.api.core_import > operator/haapp/api/core_types.json`.
Descriptions stay behind (they alone would take the CRD over its size limit), and so does what a CRD may not say:
merge strategies of the older patch type, `null` as a type, group-version-kinds.
"""

import json
import sys
from importlib import resources
from typing import Any, Final

from haapp.api.hints import Hint, properties_of, read_hint
from haapp.api.markers import Core
from haapp.api.objects import Object
from haapp.api.spec import Spec
from haapp.api.status import Status

KUBERNETES: Final = "1.37"
KEPT: Final = ("type", "format", "enum", "required", "properties", "items", "additionalProperties", "$ref")
KEPT_EXTENSIONS: Final = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type")
PACKAGES: Final = {
    "meta.": "io.k8s.apimachinery.pkg.apis.",
    "resource.": "io.k8s.apimachinery.pkg.api.",
    "intstr.": "io.k8s.apimachinery.pkg.util.",
    "runtime.": "io.k8s.apimachinery.pkg.",
    "": "io.k8s.api.",
}
QUANTITY: Final[Object] = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "maxLength": 64,
    "pattern": "^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
}
INT_OR_STRING: Final[Object] = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "maximum": 2**31 - 1,
}
PARENT_REFERENCE: Final[Object] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "group": {"type": "string", "maxLength": 253},
        "kind": {"type": "string", "minLength": 1, "maxLength": 63},
        "name": {"type": "string", "minLength": 1, "maxLength": 253},
        "namespace": {"type": "string", "minLength": 1, "maxLength": 63},
        "port": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535},
        "sectionName": {"type": "string", "minLength": 1, "maxLength": 253},
    },
}
"""gateway.networking.k8s.io/v1 ParentReference: no part of Kubernetes' own schema."""
WRITTEN_HERE: Final = {
    "resource.Quantity": QUANTITY,
    "intstr.IntOrString": INT_OR_STRING,
    "gateway.v1.ParentReference": PARENT_REFERENCE,
}


def core_types() -> dict[str, Object]:
    """Every Kubernetes type that the API names and all that those refer to, by short name (`core.v1.Probe`).

    Of a type of which the API takes single fields only (a PodSpec) there are just those fields.
    """
    definitions = _definitions()
    named = {Core("core.v1.Container")} | _named_by(Spec) | _named_by(Status)
    whole = {core.type for core in named if not core.field}
    found = {
        core.type: _only(convert(definitions[_long(core.type)]), {it.field for it in named if it.type == core.type})
        for core in named
        if core.type not in whole
    }
    wanted = sorted(whole.union(*map(_references, found.values())))
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = WRITTEN_HERE.get(name) or convert(definitions[_long(name)])
            wanted.extend(_references(found[name]))
    return dict(sorted(found.items()))


def convert(schema: Object) -> Object:
    """One JSON schema as a CRD may have it, references by short name."""
    result: Object = {key: schema[key] for key in (*KEPT, *KEPT_EXTENSIONS) if key in schema}
    if "$ref" in result:
        return {"$ref": _short(result["$ref"].rpartition("/")[2])}
    if isinstance(result.get("type"), list):
        (result["type"],) = (kind for kind in result["type"] if kind != "null")
    if "properties" in result:
        result["properties"] = {name: convert(part) for name, part in sorted(result["properties"].items())}
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = convert(result[key])
    return result


def _definitions() -> dict[str, Object]:
    folder = f"kubernetes-json-schema/v{KUBERNETES}.0-local"
    text = resources.files("kubernetes_validate").joinpath(folder, "_definitions.json").read_text(encoding="utf-8")
    definitions: dict[str, Object] = json.loads(text)["$defs"]
    return definitions


def _long(name: str) -> str:
    return next(package + name for prefix, package in PACKAGES.items() if name.startswith(prefix))


def _short(name: str) -> str:
    return next(
        short
        for prefix, package in PACKAGES.items()
        if name.startswith(package) and (short := name.removeprefix(package)).startswith(prefix)
    )


def _only(schema: Object, fields: set[str]) -> Object:
    return {"type": "object", "properties": {field: schema["properties"][field] for field in sorted(fields)}}


def _named_by(cls: type) -> set[Core]:
    return {core for prop in properties_of(cls) for core in _named_in(prop.hint)}


def _named_in(hint: Hint) -> set[Core]:
    core = hint.last(Core)
    if core:
        return {core}
    if hint.is_section:
        return _named_by(hint.base)
    return _named_in(read_hint(hint.entry)) if hint.entry else set()


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_references, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return own.union(*map(_references, schema.values()))


def to_json(types: dict[str, Object]) -> str:
    """The types as text: one a line, so that a new Kubernetes shows as a readable difference."""
    lines = (f"{json.dumps(name)}: {json.dumps(schema, separators=(',', ':'))}" for name, schema in types.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(to_json(core_types()))
