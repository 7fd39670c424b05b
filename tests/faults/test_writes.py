"""Writes that are refused, lost, cut short or late: everything comes about all the same, and once."""

import pytest
from tests.faults.operations import OPERATIONS
from tests.faults.rules import Answer, Fault, Garbled, Hung, Rule, Swallowed, writes
from tests.faults.trial import Stage, carry_out

EACH_WRITE: dict[str, Fault] = {
    "answer lost": Swallowed(),
    "answer cut short": Garbled(),
    "409": Answer(409, "Conflict"),
    "429, Retry-After: 1": Answer(429, "TooManyRequests", retry_after="1"),
    "500": Answer(500, "InternalError"),
    "503": Answer(503, "ServiceUnavailable"),
    "2 s late": Hung(2.0),
}
ONE_WRITE: dict[str, Fault] = {
    "20 s late": Hung(20.0),
    "30 s late": Hung(30.0),
    "never answered": Hung(),
}


def test_undisturbed_operations_have_no_more_writes_than_moments_to_be_killed_at(stage: Stage) -> None:
    for name, operation in OPERATIONS.items():
        assert stage.expected(name).writes <= operation.most_writes, name


@pytest.mark.matrix(1)
@pytest.mark.parametrize("fault", EACH_WRITE)
def test_every_write_meets_the_fault_once(stage: Stage, fault: str) -> None:
    stage.expected("create")
    with stage.trials(*OPERATIONS) as trials:
        rules = [Rule(EACH_WRITE[fault], writes(trial.space.name), each=True) for trial in trials]
        with stage.proxy.rule(*rules):
            carry_out(trials)
        assert all(rule.applied for rule in rules[:-1]), [rule.applied for rule in rules]
        stage.record(fault, trials, rules)


@pytest.mark.matrix(0)
@pytest.mark.parametrize("fault", ONE_WRITE)
def test_the_third_write_meets_the_fault(stage: Stage, fault: str) -> None:
    stage.expected("create")
    with stage.trials(*OPERATIONS) as trials:
        rules = [Rule(ONE_WRITE[fault], writes(trial.space.name), nth=3) for trial in trials]
        with stage.proxy.rule(*rules):
            carry_out(trials)
        assert all(rule.applied for rule in rules[:-1]), [rule.applied for rule in rules]
        stage.record(fault, trials, rules)
