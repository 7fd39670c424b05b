"""The status that an object has, as far as it can be read: others may write it, and older schemas let more in."""

from collections.abc import Mapping
from typing import Any, Final

from haapp.api.objects import Object

KEPT: Final = {
    "observedGeneration": int,
    "replicas": int,
    "readyReplicas": int,
    "updatedReplicas": int,
    "selector": str,
}
"""Fields that are read or kept, and of which type they must be for that."""

TEXTS: Final = ("type", "status", "reason", "message", "lastTransitionTime")


def with_readable_status(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object itself where its status has the right shape, else one without the parts of it that have not."""
    status = obj.get("status") or {}
    readable = _readable(status) if isinstance(status, Mapping) else {}
    return obj if readable == status else {**obj, "status": readable}


def is_told(obj: Mapping[str, Any]) -> bool:
    """Whether the object has a status, whatever its shape, of what is asked for now."""
    status = obj.get("status")
    observed = status.get("observedGeneration") if isinstance(status, Mapping) else None
    return observed is not None and observed == obj["metadata"].get("generation")


def _readable(status: Mapping[str, Any]) -> Object:
    wrong = {name for name, kind in KEPT.items() if name in status and type(status[name]) is not kind}
    kept = {name: value for name, value in status.items() if name not in wrong}
    if "conditions" in kept:
        conditions = kept["conditions"] if isinstance(kept["conditions"], list) else []
        kept["conditions"] = [condition for condition in conditions if _is_condition(condition)]
    return kept


def _is_condition(condition: Any) -> bool:
    return isinstance(condition, Mapping) and all(isinstance(condition.get(name), str) for name in TEXTS)
