"""The judgement of one condition, and how conditions are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from haapp.api.objects import Object
from haapp.api.text import cut

Truth = Literal["True", "False", "Unknown"]

MESSAGE_LIMIT: Final = 4096
"""Characters of a condition's message. The API server quotes what it refuses, whatever its length, and would refuse a
status that is too long."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition. `message` says what is so and, when it is not True, what to change. `required` says whether Ready
    needs it; `cause` is the short form for the summary line ("": nothing worth saying there)."""

    type: str
    status: Truth
    reason: str
    message: str
    required: bool = True
    cause: str = ""


def conditions(
    verdicts: Iterable[Verdict], generation: int, previous: Mapping[str, Any], now: datetime
) -> list[Object]:
    """The verdicts as meta/v1 Conditions; one whose status did not change keeps its lastTransitionTime."""
    before = {item.get("type"): item for item in previous.get("conditions") or ()}
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [_condition(verdict, generation, before.get(verdict.type, {}), stamp) for verdict in verdicts]


def _condition(verdict: Verdict, generation: int, before: Mapping[str, Any], stamp: str) -> Object:
    unchanged = before.get("status") == verdict.status
    return {
        "type": verdict.type,
        "status": verdict.status,
        "reason": verdict.reason,
        "message": cut(verdict.message, MESSAGE_LIMIT),
        "observedGeneration": generation,
        "lastTransitionTime": (unchanged and before.get("lastTransitionTime")) or stamp,
    }
