"""Which changes of the status are worth an Event: what went wrong, and that all is well again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from haapp.placement.finding import Finding
from haapp.status import reasons

ALWAYS = frozenset(
    {
        *reasons.PERMANENT_FAILURES,
        reasons.API_ERROR,
        reasons.TOO_FEW_DOMAINS,
        reasons.UNSCHEDULABLE,
        reasons.STEP_FAILED,
        reasons.PODS_REFUSED,
        reasons.IMAGE_PULL_FAILED,
        reasons.CONFIG_MISSING,
        reasons.CONTAINER_FAILED,
        reasons.DEADLINE_EXCEEDED,
        reasons.ROLLED_BACK,
    }
)
"""Reasons that are told of whenever they are new."""

ONCE_TRUE = frozenset({reasons.SKEWED, reasons.FAR_FROM_CACHE, reasons.TOO_FEW_LEFT})
"""Reasons that are told of only when the condition was met before: while pods come up they are no news."""


def announcements(
    before: Mapping[str, Any], after: Mapping[str, Any], findings: Iterable[Finding] = ()
) -> Iterator[tuple[str, str, bool]]:
    """(reason, message, whether it is a warning) for each change of a condition that people should hear of, and for
    each contradiction that the status did not name before."""
    known = {condition["type"]: condition for condition in before.get("conditions") or ()}
    named = str(known.get(reasons.RECONCILED, {}).get("message"))
    for finding in findings:
        if finding.message not in named:
            yield finding.reason, f"{finding.field}: {finding.message}", True
    for condition in after.get("conditions") or ():
        old = known.get(condition["type"], {})
        if (old.get("status"), old.get("reason")) == (condition["status"], condition["reason"]):
            continue
        if condition["type"] == reasons.READY and condition["status"] == "True":
            if _is_return(known):
                yield "Ready", str(after.get("summary") or condition["message"]), False
        elif condition["type"] in (reasons.READY, reasons.STALLED, reasons.RECONCILING):
            continue
        elif condition["status"] == "Unknown":
            continue  # What is not judged is no news: the condition that keeps it from being judged is.
        elif condition["reason"] in ALWAYS or (condition["reason"] in ONCE_TRUE and old.get("status") == "True"):
            yield condition["reason"], condition["message"], True


def _is_return(known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether Ready comes back: an app that comes up as it should is no news, and one Event less for the API server."""
    if reasons.READY not in known:
        return False
    trouble = any(c["status"] == "False" and c["reason"] in ALWAYS for c in known.values())
    return trouble or reasons.STALLED in known or reasons.RECONCILING not in known
