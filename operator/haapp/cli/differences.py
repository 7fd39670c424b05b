"""Two objects compared field by field, without what the API server or the operator keeps for itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

from haapp.api.names import HASH_ANNOTATION
from haapp.api.objects import Object

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
SERVER_METADATA: Final = frozenset(
    {"creationTimestamp", "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid"}
)
BOOKKEEPING: Final = frozenset({HASH_ANNOTATION, LAST_APPLIED, "deployment.kubernetes.io/revision"})
IDENTITIES: Final = ("name", "key", "mountPath", "containerPort", "port", "topologyKey", "type")
"""Fields by which entries of a list are told apart; the first that all entries have and no two share."""
SHOWN: Final = 100


class Absent:
    """A field that is not there: `null` is something else."""

    def __repr__(self) -> str:
        return "(absent)"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field; `before` or `after` may be ABSENT."""

    path: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        """With the side left out that is not there."""
        sides = {"before": self.before, "after": self.after}
        return {"path": self.path, **{name: value for name, value in sides.items() if value is not ABSENT}}


def compare(before: Object, after: Object) -> tuple[Difference, ...]:
    """The fields that differ between two states of an object."""
    return tuple(_differences("", meaningful(before), meaningful(after)))


def meaningful(obj: Object) -> Object:
    """The object without its status and without what others keep in its metadata."""
    meta = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in SERVER_METADATA}
    notes = {key: value for key, value in (meta.pop("annotations", None) or {}).items() if key not in BOOKKEEPING}
    meta |= {"annotations": notes} if notes else {}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}


def described(difference: Difference) -> Iterator[tuple[str, str]]:
    """Lines for people, each with a sign: `+`, `-`, `~`, or a blank for a part of a text."""
    before, after = difference.before, difference.after
    if before is ABSENT or after is ABSENT:
        value, sign = (after, "+") if before is ABSENT else (before, "-")
        yield sign, f"{difference.path}: {_shown(value)}"
        return
    if isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        yield "~", f"{difference.path}:"
        lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]
        yield from ((" ", f"  {line}") for line in lines)
        return
    yield "~", f"{difference.path}: {_shown(before)} -> {_shown(after)}"


def _differences(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(path, before, after)
    elif before != after or type(before) is not type(after):
        yield Difference(path, before, after)


def _of_mappings(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in [*before, *(key for key in after if key not in before)]:
        yield from _differences(_below(path, key), before.get(key, ABSENT), after.get(key, ABSENT))


def _of_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    identity = next((key for key in IDENTITIES if _identifies(key, before) and _identifies(key, after)), None)
    if identity is not None:
        olds, news = ({str(item[identity]): item for item in items} for items in (before, after))
    else:
        olds, news = ({str(at): item for at, item in enumerate(items)} for items in (before, after))
    for name in [*olds, *(name for name in news if name not in olds)]:
        yield from _differences(f"{path}[{name}]", olds.get(name, ABSENT), news.get(name, ABSENT))
    if identity is not None and olds.keys() == news.keys() and list(olds) != list(news):
        yield Difference(f"{path} (order)", list(olds), list(news))


def _identifies(key: str, items: list[Any]) -> bool:
    names = [str(item[key]) for item in items if isinstance(item, dict) and key in item]
    return len(names) == len(items) == len(set(names))


def _below(path: str, key: str) -> str:
    if "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
