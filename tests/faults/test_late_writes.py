"""Writes that land when nobody waits for them any more: what was asked for last is there in the end, and once."""

import time

import pytest
from tests.faults.found import State
from tests.faults.operations import FULL, OPERATIONS, end_state, settled
from tests.faults.rules import Call, Late, Rule, writes
from tests.faults.trial import DONE_SECONDS, QUIET_SECONDS, Stage, Trial
from tests.rights import CREATED
from tests.space import app

from haapp.api.names import PLURAL

UPDATE = OPERATIONS["update"]

TRIED_AGAIN = "lands after a newer spec, tried again"
GIVEN_UP = "lands after a newer spec, given up"

ANSWERS: dict[str, dict[str, set[int]]] = {
    TRIED_AGAIN: {"patch": {200, 201}, "delete": {404, 409}},
    GIVEN_UP: {"patch": {200, 201}, "delete": {200, 404, 409}},
}
"""What the server says to a late write of each verb. It names the object by its uid, or asks that there be none: an
older spec's update of an object that is still the same lands, and is put right."""


@pytest.mark.matrix(1)
@pytest.mark.parametrize("fault", ANSWERS)
def test_a_write_for_an_older_spec_lands_after_a_newer_one(stage: Stage, fault: str) -> None:
    """Each write of an update in turn. Either its connection breaks, it is tried again, and the update comes about; or
    the operator waits for it until it gives it up, and by then a newer spec is there, the app's first one."""
    expected = stage.expected("create").state
    released: list[float] = []
    with stage.trials(*[UPDATE.name] * UPDATE.most_writes) as trials:
        late = Late(lambda: bool(released), hangs=fault == GIVEN_UP)
        rules = [Rule(late, writes(trial.space.name), nth=nth) for nth, trial in enumerate(trials, 1)]
        with stage.proxy.rule(*rules):
            for trial in trials:
                trial.act()
            for trial, rule in zip(trials, rules, strict=True):
                await_fault(trial, rule, fault)
                rule.times = 0
            for trial in trials:
                trial.space.apply(app(**FULL))
            for trial in trials:
                await_settled(trial)
            released.append(time.monotonic())
            held = [rule.seen[rule.nth - 1] for rule in rules if rule.applied]
            await_landed(stage, held)
        assert {"deployments", "services", f"{PLURAL}/status"} <= {call.resource for call in held}
        assert [call for call in held if call.code not in ANSWERS[fault][call.verb]] == []
        for trial, rule in zip(trials, rules, strict=True):
            assert_put_right(trial, expected, released[0])
            stage.record(fault, [trial], [rule])


@pytest.mark.matrix(0)
def test_writes_for_an_app_land_after_its_end(stage: Stage) -> None:
    """Every object of it is made, or made again, for an owner that is no more."""
    stage.expected("create")
    released: list[bool] = []
    with stage.trials("create") as (trial,):
        rule = Rule(Late(lambda: bool(released)), writes(trial.space.name), each=True)
        with stage.proxy.rule(rule):
            trial.act()
            trial.wait()
            trial.space.delete(PLURAL, "web")
            trial.wait_until_gone()
            trial.wait_quiet()
            released.append(True)
            held = first_of_each(rule.seen)
            await_landed(stage, held)
        assert len([call for call in held if call.code == CREATED]) > 3, held
        trial.wait_until_gone()
        stage.record("lands after the app's end", [trial], [rule])


def first_of_each(calls: list[Call]) -> list[Call]:
    """Those that a rule with `each` takes."""
    return [call for number, call in enumerate(calls) if call not in calls[:number]]


def await_fault(trial: Trial, rule: Rule, fault: str) -> None:
    """Wait until the update has come about in spite of the fault, or stands still in it."""
    if fault == TRIED_AGAIN:
        trial.wait()
    else:
        trial.space.wait(lambda: rule.applied or trial.is_done(), f"write number {rule.nth}", DONE_SECONDS)


def await_settled(trial: Trial) -> None:
    """Wait until the app's present spec has come about, and nothing is written any more."""
    trial.space.wait(lambda: settled(trial.space), "the newer spec", DONE_SECONDS)
    trial.wait_quiet()


def await_landed(stage: Stage, held: list[Call]) -> None:
    stage.wait(lambda: all(call.code for call in held), "an answer to each late write")


def assert_put_right(trial: Trial, expected: State, released: float) -> None:
    """All is as the newest spec asks for, its status says so, and that took no more writes than an update."""
    trial.space.wait(lambda: end_state(trial.space) == expected, "what the newer spec asks for", DONE_SECONDS)
    time.sleep(max(0.0, released + QUIET_SECONDS - time.monotonic()))
    await_settled(trial)
    differing = trial.stage.found.compare(expected, end_state(trial.space))
    assert not differing, f"(expected, came) = {differing}"
    corrections = [call for call in trial.stage.proxy.writes(trial.space.name) if call.at > released]
    assert len(corrections) <= UPDATE.most_writes, corrections
