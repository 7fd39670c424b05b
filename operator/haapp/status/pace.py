"""How long a change of the status may wait before it is written: bad news does not, progress does."""

from collections.abc import Mapping
from typing import Any, Final

from haapp.status import reasons

PROGRESS_SECONDS: Final = 20.0
"""While pods come up each of them changes a number: the status is written once they are up, and now and then before."""

TROUBLE_SECONDS: Final = 10.0
"""The same while something is wrong: somebody may be looking."""

SERVING_SECONDS: Final = 60.0
"""The same while the app is Ready all along: the pods of the old revision serve, and nobody waits for a number."""

NUMBERS_SECONDS: Final = 2.0
"""What changes in a settled app, and turns no condition, is written with what follows in the next moments; so is the
loss of further pods while the app is not Ready."""

UNHEARD_SECONDS: Final = 1.5
"""The Deployment's controller looks at what was written within milliseconds: for so long its answer is waited for, so
that one status tells of both."""

UNHEARD_CROWDED_SECONDS: Final = 30.0
"""The same while many apps are being made or changed: then that controller is late, and each status keeps another app
waiting. A `Ready` that still stands meanwhile is of an older generation, as it says itself, and whoever waits for it
looks at that (`kubectl wait`, kstatus, Argo CD)."""

UNHEARD_READY_SECONDS: Final = 0.5
"""The same while the status says Ready of what was asked for before, which is not left standing for longer."""

USUAL_AT_FIRST: Final = frozenset(
    {reasons.SKEWED, reasons.TOO_FEW_LEFT, reasons.FAR_FROM_CACHE, reasons.MINIMUM_UNAVAILABLE}
)
"""Whatever is judged by few pods looks like this while the others come up."""


def patience(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    """Seconds that must have passed since the last write before `after` is written over `before`; 0 for at once."""
    if before.get("observedGeneration") != after.get("observedGeneration"):
        return 0.0
    old, new = _conditions(before), _conditions(after)
    if set(old) != set(new) or any(_is_news(old[kind], new[kind]) for kind in new if not _is_usual(kind, new)):
        return 0.0
    if reasons.RECONCILING in new:
        if _loses_more(before, after):
            return NUMBERS_SECONDS
        if _statuses(new).get(reasons.READY) == "True":
            return SERVING_SECONDS
        return TROUBLE_SECONDS if any(map(_is_trouble, new.values())) else PROGRESS_SECONDS
    return 0.0 if _statuses(old) != _statuses(new) else NUMBERS_SECONDS


def hearing(before: Mapping[str, Any], after: Mapping[str, Any], *, crowded: bool = False) -> float:
    """Seconds for which the Deployment's controller may be waited for: all went well so far, and only it has not looked
    at the change yet. 0 where there is something else to tell. `crowded`: many apps are being made or changed."""
    found = _conditions(after)
    unheard = found.get(reasons.PROGRESSING, {}).get("reason") == reasons.DEPLOYMENT_NOT_OBSERVED
    if not unheard or _statuses(found).get(reasons.RECONCILED) != "True":
        return 0.0
    if crowded:
        return UNHEARD_CROWDED_SECONDS
    was_ready = _statuses(_conditions(before)).get(reasons.READY) == "True"
    return UNHEARD_READY_SECONDS if was_ready else UNHEARD_SECONDS


def _is_usual(kind: str, conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    """While pods are replaced there is a moment without a judgement, and while they come up few of them stand
    unevenly, for a while or again."""
    if kind == reasons.READY or reasons.RECONCILING not in conditions:
        return False
    condition = conditions[kind]
    usual = condition["reason"] in USUAL_AT_FIRST and _statuses(conditions).get(reasons.READY) != "True"
    return condition["status"] == "Unknown" or usual


def _is_news(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Ready was lost or reached, something else got worse, is bad for another reason than before, or is held up."""
    if old["status"] == "True" != new["status"]:
        return True
    if new["type"] == reasons.RECONCILING:
        return bool(old["reason"] != new["reason"] in reasons.HINDRANCES)
    if new["status"] == "True":
        return bool(new["type"] == reasons.READY and old["status"] != "True")
    worse = old["status"] != "False" or old["reason"] != new["reason"]
    return bool(new["status"] == "False" and worse and new["reason"] not in USUAL_AT_FIRST)


def _is_trouble(condition: Mapping[str, Any]) -> bool:
    return bool(condition["status"] == "False" and condition["reason"] not in USUAL_AT_FIRST)


def _loses_more(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    fewer = (after.get("readyReplicas") or 0) < (before.get("readyReplicas") or 0)
    return fewer and _statuses(_conditions(after)).get(reasons.READY) != "True"


def _conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {condition["type"]: condition for condition in status.get("conditions") or ()}


def _statuses(conditions: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {kind: condition["status"] for kind, condition in conditions.items()}
