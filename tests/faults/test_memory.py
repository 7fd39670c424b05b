"""However often everything fails, the operator grows no larger."""

import pytest
from tests.faults.operations import FULL
from tests.faults.rules import Answer, Rule, gone, watches, writes
from tests.faults.trial import Stage
from tests.space import app

from haapp.api import names

APPS, ROUNDS, WARM = 40, 9, 4
"""The first rounds bring what a process loads and keeps once."""

MOST_MB = 3.0
"""For the allocator. An app and its children make some 25 KB: were they kept, the last rounds would make 5 MB."""

MEGABYTE = 1e6


@pytest.mark.matrix(0)
def test_rounds_of_faults_leave_nothing_behind(stage: Stage) -> None:
    """In each round apps are made, changed and deleted, while each write fails once and each watch breaks again."""
    stage.expected("create")
    stage.restart()
    names_of = [f"web-{number}" for number in range(APPS)]
    for _ in range(ROUNDS):
        with stage.trials("create") as (trial,):
            failing = Rule(Answer(500, "InternalError"), writes(trial.space.name), each=True)
            expired = Rule(gone(410), watches(), each=True)
            with stage.proxy.rule(failing, expired):
                trial.space.apply(*(app(name, **FULL | {"replicas": 0}) for name in names_of))
                trial.space.wait_reconciled(*names_of)
                stage.proxy.break_watches()
                trial.space.apply(*(app(name, replicas=0) for name in names_of))
                trial.space.wait_reconciled(*names_of)
                for name in names_of:
                    trial.space.delete(names.PLURAL, name)
                trial.wait_until_gone()
            assert failing.applied > APPS
            assert expired.applied > 5
            stage.found.memory.append(resident(stage))
    grown = max(stage.found.memory[WARM:]) - max(stage.found.memory[:WARM])
    assert grown < MOST_MB, stage.found.memory


def resident(stage: Stage) -> float:
    """The operator's resident memory in MB."""
    line = stage.operator.metrics("process_resident_memory_bytes").splitlines()[-1]
    return float(line.rpartition(" ")[2]) / MEGABYTE
