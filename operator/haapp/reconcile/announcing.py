"""Which changes of the status are worth an Event: what went wrong, and that all is well again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from haapp.placement.finding import Finding
from haapp.status import reasons

ALWAYS = frozenset(
    {
        *reasons.PERMANENT_FAILURES,
        *reasons.HINDRANCES,
        reasons.API_ERROR,
        reasons.TOO_FEW_DOMAINS,
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
    conditions = after.get("conditions") or ()
    told_elsewhere = {c["reason"] for c in conditions if c["type"] != reasons.RECONCILING}
    for condition in conditions:
        kind, status, reason = condition["type"], condition["status"], condition["reason"]
        old = known.get(kind, {})
        if (old.get("status"), old.get("reason")) == (status, reason):
            continue
        if kind == reasons.READY and status == "True":
            if _is_return(known):
                yield "Ready", str(after.get("summary") or condition["message"]), False
        elif kind in (reasons.READY, reasons.STALLED) or (kind == reasons.RECONCILING and reason in told_elsewhere):
            continue
        elif status == "Unknown":
            continue  # What is not judged is no news: the condition that keeps it from being judged is.
        elif reason in ALWAYS or (reason in ONCE_TRUE and old.get("status") == "True"):
            yield reason, condition["message"], True


def _is_return(known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether Ready comes back: an app that comes up as it should is no news, and one Event less for the API server."""
    if reasons.READY not in known:
        return False
    trouble = any(c["status"] == "False" and c["reason"] in ALWAYS for c in known.values())
    return trouble or reasons.STALLED in known or reasons.RECONCILING not in known
