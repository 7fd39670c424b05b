"""Every rule across fields, in one table, and its use on an object offline.

The CRD is given the table's CEL; `broken` is the table's Python for the command line and for objects that were stored
before a rule was made.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from haapp.api import rules_placement, rules_pod, rules_probes, rules_traffic
from haapp.api.errors import FieldError
from haapp.api.objects import Object
from haapp.api.rule import Rule

RULES: Final = (*rules_placement.RULES, *rules_pod.RULES, *rules_probes.RULES, *rules_traffic.RULES)


@dataclass(frozen=True, slots=True)
class _Place:
    """The rules on one place of an object, and the places below it."""

    rules: list[Rule] = field(default_factory=list)
    below: dict[str, "_Place"] = field(default_factory=dict)
    """By field name; the entries of a list are below `ENTRIES`."""


ENTRIES: Final = "[]"


def broken(obj: Object) -> list[FieldError]:
    """The rules that an object breaks. It must have passed the schema and have its defaults filled in."""
    return list(_broken_at(_places(), obj, ""))


def _broken_at(place: _Place, value: Any, path: str) -> Iterator[FieldError]:
    for rule in place.rules:
        if not rule.holds(value):
            yield FieldError(".".join(filter(None, (path, rule.field))) or "metadata.name", rule.message)
    for name, inner in place.below.items():
        if name == ENTRIES:
            for index, entry in enumerate(value):
                yield from _broken_at(inner, entry, f"{path}[{index}]")
        elif name in value:
            yield from _broken_at(inner, value[name], f"{path}.{name}" if path else name)


@cache
def _places() -> _Place:
    root = _Place()
    for rule in RULES:
        place = root
        for step in rule.steps:
            place = place.below.setdefault(step, _Place())
        place.rules.append(rule)
    return root
