"""Watches that break, lag or skip: what the operator believes is put right, and meanwhile it storms nobody."""

import time
from collections.abc import Callable

import pytest
from tests.faults.operations import OPERATIONS
from tests.faults.rules import (
    Answer,
    Ends,
    Fault,
    Garbled,
    HeldBack,
    Hung,
    Rule,
    Silent,
    Swallowed,
    gone,
    watches,
)
from tests.faults.trial import Stage, carry_out

from haapp.api.names import PLURAL

HELD_SECONDS = 10.0

BROKEN: dict[str, Callable[[], Fault]] = {
    "watch: 410 Gone": lambda: gone(410),
    "watch: ERROR 500": lambda: gone(500),
    "watch: half a line": lambda: Ends(b'{"type":"MODIFIED","obj'),
    "watch: 410 Gone after two events": lambda: gone(410, events=2),
    "watch: half a line after two events": lambda: Ends(b'{"type":"MODIFIED","obj', events=2),
    "watch: refused with 410": lambda: Answer(410, "Expired"),
    "watch: refused with 500": lambda: Answer(500, "InternalError"),
}
LATE: dict[str, Callable[[Callable[[], bool]], HeldBack]] = {
    "events 10 s late": HeldBack,
    "states never seen": lambda released: HeldBack(released, thinned=True),
}
ASKED: dict[str, Fault] = {
    "list: 503": Answer(503, "ServiceUnavailable"),
    "list: 429, Retry-After: 1": Answer(429, "TooManyRequests", retry_after="1"),
    "list: answer cut short": Garbled(),
    "list: answer lost": Swallowed(),
    "list: 5 s late": Hung(5.0),
}
AFTER_THE_PAUSE = 90.0


@pytest.mark.matrix(1)
@pytest.mark.parametrize("fault", BROKEN)
def test_every_watch_breaks_once_while_work_is_done(stage: Stage, fault: str) -> None:
    stage.expected("create")
    with stage.trials(*OPERATIONS) as trials:
        rule = Rule(BROKEN[fault](), watches(), each=True)
        with stage.proxy.rule(rule):
            stage.proxy.break_watches()
            carry_out(trials)
        assert rule.applied > 5
        stage.record(fault, trials, rule)


@pytest.mark.matrix(1)
@pytest.mark.parametrize("fault", ASKED)
def test_what_is_asked_for_anew_meets_the_fault(stage: Stage, fault: str) -> None:
    """Every watch has expired, so that all is listed again, while work is done."""
    stage.expected("create")
    with stage.trials(*OPERATIONS) as trials:
        asked = Rule(ASKED[fault], lambda call: call.verb in ("list", "get"), each=True)
        expired = Rule(Answer(410, "Expired"), watches(), each=True)
        with stage.proxy.rule(asked, expired):
            stage.proxy.break_watches()
            carry_out(trials)
        assert asked.applied > 5
        stage.record(fault, trials, asked)


@pytest.mark.matrix(1)
@pytest.mark.parametrize("resource", ["", PLURAL])
@pytest.mark.parametrize("fault", LATE)
def test_events_come_late(stage: Stage, fault: str, resource: str) -> None:
    """Of everything, or of the apps alone: then the operator sees what became of the children first."""
    stage.expected("create")
    until = float("inf")
    with stage.trials(*OPERATIONS) as trials:
        rule = Rule(LATE[fault](lambda: time.monotonic() > until), watches(*filter(None, [resource])), times=100)
        with stage.proxy.rule(rule):
            stage.proxy.break_watches()
            stage.wait(lambda: rule.applied >= (1 if resource else 8), "the watches behind the fault")
            until = time.monotonic() + HELD_SECONDS
            carry_out(trials)
        stage.record(f"{fault}, of the apps alone" if resource else fault, trials, rule)


@pytest.mark.matrix(0)
def test_a_silent_watch_is_given_up(stage: Stage) -> None:
    stage.expected("create")
    with stage.trials(*OPERATIONS) as trials:
        rule = Rule(Silent(), watches(), each=True)
        with stage.proxy.rule(rule):
            stage.proxy.break_watches()
            stage.wait(lambda: rule.applied >= 8, "the watches behind the fault")
            carry_out(trials, patience=AFTER_THE_PAUSE)
        stage.record("watch: silent", trials, rule)


def test_streams_that_end_at_once_are_not_opened_in_a_loop(stage: Stage) -> None:
    stage.ensure_running()
    rule = Rule(Ends(), watches(), times=1000)
    with stage.proxy.rule(rule):
        stage.proxy.break_watches()
        time.sleep(5)
        resources = len({call.resource for call in rule.seen})
        assert rule.applied <= resources * 8


def test_what_vanished_unseen_is_not_believed(stage: Stage) -> None:
    """While no watch can be opened an app goes for good, and another one loses a child."""
    with stage.trials("update", "delete") as (kept, lost):
        series = f'haapp_app_ready{{name="web",namespace="{lost.space.name}"}}'
        assert series in stage.operator.metrics()
        closed = Rule(Answer(503, "ServiceUnavailable"), watches(), times=10_000)
        expired = Rule(Answer(410, "Expired"), watches(), each=True)
        with stage.proxy.rule(closed, expired):
            stage.proxy.break_watches()
            stage.wait(lambda: closed.applied >= 8, "watches that cannot be opened")
            kept.space.delete("services", "web")
            lost.space.delete(PLURAL, "web")
            lost.wait_until_gone()
            before = len(stage.proxy.writes(lost.space.name))
            closed.times = 0
            kept.space.wait(lambda: kept.space.has("services"), "the Service, made again")
            lost.space.wait(lambda: series not in stage.operator.metrics(), "the end of the app's series")
            kept.wait_quiet()
            assert expired.applied > 5
            assert len(stage.proxy.writes(lost.space.name)) == before
        stage.record("objects vanish unseen", [kept, lost], expired)
