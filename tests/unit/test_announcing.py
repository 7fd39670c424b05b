"""Which changes of the status people hear of by an Event."""

from typing import Any

import pytest

from haapp.placement.finding import Finding
from haapp.reconcile.announcing import announcements
from haapp.status import reasons


def status(*conditions: tuple[str, str, str], summary: str = "3/3 ready") -> dict[str, Any]:
    return {
        "summary": summary,
        "conditions": [
            {"type": kind, "status": truth, "reason": reason, "message": f"{kind} {reason}"}
            for kind, truth, reason in conditions
        ],
    }


WELL = status(("Ready", "True", "Ready"), ("Reconciled", "True", "Reconciled"), ("Spread", "True", "Balanced"))


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(reason, warning) for reason, _, warning in announcements(before, after)]


READY = ("Ready", "True", "Ready")
LOST = ("Ready", "False", "MinimumReplicasUnavailable")
BUSY = ("Reconciling", "True", "RollingOut")


def test_ready_is_told_with_the_summary_when_it_was_lost() -> None:
    assert list(announcements(status(LOST), WELL)) == [("Ready", "3/3 ready", False)]


def test_an_app_that_comes_up_as_it_should_makes_no_noise() -> None:
    assert not told({}, WELL)
    assert not told(status(LOST, BUSY), WELL)


def test_ready_after_trouble_on_the_way_is_told() -> None:
    assert told(status(LOST, BUSY, ("Progressing", "False", reasons.IMAGE_PULL_FAILED)), WELL) == [("Ready", False)]
    assert told(status(LOST, BUSY, ("Stalled", "True", "Whatever")), WELL) == [("Ready", False)]


def test_what_holds_up_a_rollout_is_told_while_the_old_pods_serve() -> None:
    well = ("Available", "True", "MinimumReplicasAvailable")
    held_up = status(READY, well, ("Reconciling", "True", reasons.IMAGE_PULL_FAILED))
    assert told(status(READY, well, BUSY), held_up) == [(reasons.IMAGE_PULL_FAILED, True)]
    assert not told(held_up, held_up)
    assert not told(held_up, status(READY, well, ("Stalled", "True", reasons.DEADLINE_EXCEEDED)))
    assert told(held_up, status(READY, well, BUSY)) == [("Ready", False)]
    assert told(held_up, status(READY, well)) == [("Ready", False)]


def test_what_another_condition_tells_is_told_once() -> None:
    lost = status(("Spread", "False", reasons.UNSCHEDULABLE), ("Reconciling", "True", reasons.UNSCHEDULABLE))
    assert told(WELL, lost) == [(reasons.UNSCHEDULABLE, True)]
    assert not told(status(("Spread", "False", reasons.UNSCHEDULABLE), BUSY), lost)


def test_what_was_told_is_not_told_again() -> None:
    assert not told(WELL, WELL)
    changed = status(("Ready", "True", "Ready"), summary="4/4 ready")
    assert not told(WELL, changed)


@pytest.mark.parametrize(
    "reason",
    ["RenderError", "InvalidSpec", "NameConflict", "Forbidden", "ApiError"],
)
def test_each_failure_is_told_when_it_is_new(reason: str) -> None:
    failed = status(("Reconciled", "False", reason), ("Stalled", "True", reason))
    assert told(WELL, failed) == [(reason, True)]
    assert not told(failed, failed)


def test_another_failure_of_the_same_condition_is_told() -> None:
    before = status(("Reconciled", "False", "Forbidden"))
    assert told(before, status(("Reconciled", "False", "NameConflict"))) == [("NameConflict", True)]


def test_pods_that_come_up_make_no_noise() -> None:
    coming = status(("Ready", "False", "NoReadyPods"), ("Spread", "False", reasons.SKEWED))
    assert not told({}, coming)
    assert told(WELL, coming) == [(reasons.SKEWED, True)], "but what was well is"


def test_what_is_not_judged_is_no_news() -> None:
    unread = status(("Reconciled", "False", "InvalidSpec"), ("Spread", "Unknown", "InvalidSpec"))
    assert told(WELL, unread) == [("InvalidSpec", True)]


def test_ready_lost_is_told_by_its_cause_alone() -> None:
    lost = status(("Ready", "False", "Unschedulable"), ("Spread", "False", reasons.UNSCHEDULABLE))
    assert told(WELL, lost) == [(reasons.UNSCHEDULABLE, True)]


def test_a_contradiction_is_told_until_the_condition_names_it() -> None:
    finding = Finding("TooFewZones", "spec.zones.minDomains", "lower it to 2")
    (event,) = announcements({}, {}, [finding])
    assert event == ("TooFewZones", "spec.zones.minDomains: lower it to 2", True)
    named = {"conditions": [{"type": "Reconciled", "message": "All is applied; lower it to 2"}]}
    assert not list(announcements(named, named | {"conditions": []}, [finding]))
