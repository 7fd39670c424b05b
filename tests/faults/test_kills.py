"""kill -9 before and after each single write, a new process, and nothing to be seen of it in the end."""

import signal
from collections.abc import Iterator

import pytest
from tests.faults.operations import OPERATIONS
from tests.faults.rules import After, Before, Rule, writes
from tests.faults.trial import Stage, Trial

from devcluster.shell import WaitError, wait_for

KILLED = {"killed before write": Before, "killed after write": After}


def moments() -> Iterator[tuple[str, str, int]]:
    for name, operation in OPERATIONS.items():
        for fault in KILLED:
            for number in range(1, operation.most_writes + 1):
                yield name, fault, number


@pytest.mark.matrix(4)
@pytest.mark.parametrize(("name", "fault", "number"), tuple(moments()))
def test_a_killed_operator_leaves_nothing_half_done(stage: Stage, name: str, fault: str, number: int) -> None:
    stage.expected(name)
    with stage.trials(name) as (trial,):
        rule = Rule(KILLED[fault](lambda: stage.signal(signal.SIGKILL)), writes(trial.space.name), nth=number)
        with stage.proxy.rule(rule):
            trial.act()
            if not killed(stage, trial):
                pytest.skip(f"{name} took fewer than {number} writes")
            stage.restart()
            trial.check()
        stage.record(fault, [trial], [rule])


def killed(stage: Stage, trial: Trial) -> bool:
    """Whether the operator was killed before the operation was through."""
    while stage.operator.is_running():
        try:
            wait_for(lambda: not stage.operator.is_running(), 0.5)
        except WaitError:
            if trial.is_done():
                return not stage.operator.is_running()
    return True
