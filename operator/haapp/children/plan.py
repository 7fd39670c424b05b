"""desired x actual -> what to write: nothing for a child that is as it was applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from haapp.api.names import HASH_ANNOTATION
from haapp.children.model import Child
from haapp.children.ownership import owns_all


@dataclass(frozen=True, slots=True)
class Plan:
    """What one visit has to write. `updates` pair a desired object with the child that it changes; `drifted` are
    those among them whose intent did not change, so that somebody else did it; `conflicts` are children of the wanted
    kind and name that belong to another app."""

    creates: tuple[dict[str, Any], ...] = ()
    updates: tuple[tuple[dict[str, Any], Child], ...] = ()
    deletes: tuple[Child, ...] = ()
    conflicts: tuple[Child, ...] = ()
    drifted: tuple[Child, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.creates or self.updates or self.deletes)


def plan(desired: Iterable[dict[str, Any]], actual: Iterable[Child], owner_uid: str) -> Plan:
    """Compare the rendered objects with the children that are there; `owner_uid` is the app's own uid."""
    present = {child.key: child for child in actual}
    creates: list[dict[str, Any]] = []
    updates: list[tuple[dict[str, Any], Child]] = []
    conflicts: list[Child] = []
    for obj in desired:
        child = present.pop((obj["kind"], obj["metadata"]["name"]), None)
        if child is None:
            creates.append(obj)
        elif _is_foreign(child, owner_uid):
            conflicts.append(child)
        elif not child.deleting and not _is_current(obj, child, owner_uid):
            updates.append((obj, child))
    return Plan(
        creates=tuple(creates),
        updates=tuple(updates),
        deletes=tuple(c for c in present.values() if c.owner_uid == owner_uid and not c.deleting),
        conflicts=tuple(conflicts),
        drifted=tuple(child for obj, child in updates if child.desired_hash == _hash(obj)),
    )


def _is_foreign(child: Child, owner_uid: str) -> bool:
    """An object without an owner is ours only if it carries our applied configuration: then the reference was lost."""
    return child.owner_uid != owner_uid if child.owner_uid else not child.applied


def _is_current(obj: dict[str, Any], child: Child, owner_uid: str) -> bool:
    desired_hash = _hash(obj)
    return (
        child.owner_uid == owner_uid and child.desired_hash == desired_hash and owns_all(obj, child.owned, desired_hash)
    )


def _hash(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["annotations"][HASH_ANNOTATION])
