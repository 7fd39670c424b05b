"""Whether what was valid under one version of the CRD is valid, and means the same, under the next one."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

LOWER = ("minimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
SAME = ("type", "format", "pattern", "default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys")
OPEN = ("nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string")


def narrowed(old: Schema, new: Schema, path: str = "") -> Iterator[str]:
    """What the new schema no longer takes, or takes otherwise, a sentence each. A changed pattern or a new rule is told
    even where it only takes more: that cannot be seen from outside."""
    yield from _values(old, new, path)
    yield from _choices(old, new, path)
    yield from _rules(old, new, path)
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{path}.{name} is required now"
    fields, later = old.get("properties", {}), new.get("properties", {})
    for name, field in fields.items():
        if name in later:
            yield from narrowed(field, later[name], f"{path}.{name}")
        elif not new.get("x-kubernetes-preserve-unknown-fields"):
            yield f"{path}.{name} is there no more"
    for inner, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(old.get(inner), dict):
            yield from narrowed(old[inner], new.get(inner) or {}, f"{path}{mark}")


def _values(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for name in SAME:
        if old.get(name) != new.get(name):
            yield f"{path}: {name} was {old.get(name)!r}, is {new.get(name)!r}"
    for name in LOWER:
        if new.get(name, float("-inf")) > old.get(name, float("-inf")):
            yield f"{path}: {name} is {new[name]} now"
    for name in UPPER:
        if new.get(name, float("inf")) < old.get(name, float("inf")):
            yield f"{path}: {name} is {new[name]} now"


def _choices(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if gone := set(old.get("enum", ())) - set(new.get("enum", old.get("enum", ()))):
        yield f"{path}: {sorted(map(str, gone))} can be chosen no more"
    if "enum" in new and "enum" not in old:
        yield f"{path}: only {new['enum']} can be chosen now"
    for name in OPEN:
        if old.get(name) and not new.get(name):
            yield f"{path}: {name} is off now"


def _rules(old: Schema, new: Schema, path: str) -> Iterator[str]:
    known = {rule["rule"] for rule in old.get("x-kubernetes-validations", ())}
    for rule in new.get("x-kubernetes-validations", ()):
        if rule["rule"] not in known:
            yield f"{path}: a new rule, {rule['message'] if 'message' in rule else rule['rule']}"
