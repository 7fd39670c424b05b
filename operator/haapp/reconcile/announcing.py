"""Which changes of the status are worth an Event: what went wrong, and that all is well again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from haapp.placement.finding import Finding
from haapp.status import reasons

Conditions = Mapping[str, Mapping[str, Any]]
"""By their types."""

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
    old, new = _conditions(before), _conditions(after)
    named = str(old.get(reasons.RECONCILED, {}).get("message"))
    for finding in findings:
        if finding.message not in named:
            yield finding.reason, f"{finding.field}: {finding.message}", True
    for kind in new:
        if kind not in (reasons.READY, reasons.STALLED) and _is_trouble(kind, old, new):
            yield new[kind]["reason"], new[kind]["message"], True
    if new.get(reasons.READY, {}).get("status") == "True" and (_is_return(old) or _goes_on(old, new)):
        yield "Ready", str(after.get("summary") or new[reasons.READY]["message"]), False


def _conditions(status: Mapping[str, Any]) -> Conditions:
    return {condition["type"]: condition for condition in status.get("conditions") or ()}


def _is_trouble(kind: str, old: Conditions, new: Conditions) -> bool:
    """Whether a condition brings bad news. What is not judged is none: the condition that keeps it from being judged
    is. What holds up a rollout is told by the condition that it belongs to, where that says so, too."""
    before, status, reason = old.get(kind, {}), new[kind]["status"], new[kind]["reason"]
    if status == "Unknown" or (before.get("status"), before.get("reason")) == (status, reason):
        return False
    if kind == reasons.RECONCILING and any(new[other]["reason"] == reason for other in new.keys() - {kind}):
        return False
    return reason in ALWAYS or (reason in ONCE_TRUE and before.get("status") == "True")


def _is_return(old: Conditions) -> bool:
    """Whether Ready comes back: an app that comes up as it should is no news, and one Event less for the API server."""
    if old.get(reasons.READY, {}).get("status") in (None, "True"):
        return False
    trouble = any(c["status"] == "False" and c["reason"] in ALWAYS for c in old.values())
    return trouble or reasons.STALLED in old or reasons.RECONCILING not in old


def _goes_on(old: Conditions, new: Conditions) -> bool:
    """Whether a rollout is no longer held up while the app was Ready all along: else a warning were the last word."""
    was, now = (c.get(reasons.RECONCILING, {}).get("reason") in reasons.HINDRANCES for c in (old, new))
    return was and not now and reasons.STALLED not in new and old.get(reasons.READY, {}).get("status") == "True"
