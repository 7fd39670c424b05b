"""Every rule across fields, in one table, and its use on an object offline.

The CRD is given the table's CEL; `broken` is the table's Python for the command line and for objects that were stored
before a rule was made.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from haapp.api import rules_placement, rules_pod, rules_probes, rules_traffic
from haapp.api.errors import FieldError
from haapp.api.objects import Object
from haapp.api.rule import Rule

RULES: Final = (*rules_placement.RULES, *rules_pod.RULES, *rules_probes.RULES, *rules_traffic.RULES)


def broken(obj: Object) -> list[FieldError]:
    """The rules that an object breaks. It must have passed the schema and have its defaults filled in."""
    return [
        FieldError(path if not rule.field else f"{path}.{rule.field}", rule.message)
        for at, rules in _by_place().items()
        for path, value in _values(obj, at)
        for rule in rules
        if not rule.holds(value)
    ]


@cache
def _by_place() -> dict[tuple[str, ...], tuple[Rule, ...]]:
    places = dict.fromkeys(rule.at for rule in RULES)
    return {tuple(filter(None, at.split("."))): tuple(rule for rule in RULES if rule.at == at) for at in places}


def _values(obj: Object, at: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Every value at a place, with its path; none where the place is absent from the object."""
    found: list[tuple[str, Any]] = [("", obj)]
    for step in at:
        name = step.removesuffix("[]")
        found = [(f"{path}.{name}" if path else name, value[name]) for path, value in found if name in value]
        if step != name:
            found = [(f"{path}[{index}]", entry) for path, list_ in found for index, entry in enumerate(list_)]
    return ((path or "metadata.name", value) for path, value in found)
