"""Which changes of the status are worth an Event: what went wrong, and that all is well again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from haapp.status import reasons

ALWAYS = frozenset(
    {
        *reasons.PERMANENT_FAILURES,
        reasons.API_ERROR,
        reasons.TOO_FEW_DOMAINS,
        reasons.UNSCHEDULABLE,
        reasons.STEP_FAILED,
        reasons.DEADLINE_EXCEEDED,
        reasons.ROLLED_BACK,
    }
)
"""Reasons that are told of whenever they are new."""

ONCE_TRUE = frozenset({reasons.SKEWED, reasons.FAR_FROM_CACHE, reasons.TOO_FEW_LEFT})
"""Reasons that are told of only when the condition was met before: while pods come up they are no news."""


def announcements(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """(reason, message, whether it is a warning) for each change of a condition that people should hear of."""
    known = {condition["type"]: condition for condition in before.get("conditions") or ()}
    for condition in after.get("conditions") or ():
        old = known.get(condition["type"], {})
        if (old.get("status"), old.get("reason")) == (condition["status"], condition["reason"]):
            continue
        if condition["type"] == reasons.READY and condition["status"] == "True":
            yield "Ready", str(after.get("summary") or condition["message"]), False
        elif condition["type"] in (reasons.READY, reasons.STALLED, reasons.RECONCILING):
            continue
        elif condition["reason"] in ALWAYS or (condition["reason"] in ONCE_TRUE and old.get("status") == "True"):
            yield condition["reason"], condition["message"], True
