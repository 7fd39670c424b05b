"""While something fails the status says so and names it, and claims no Ready; then it is as if nothing had been."""

from collections.abc import Callable

import pytest
from tests.faults.operations import OPERATIONS
from tests.faults.rules import Answer, Call, Rule, writes
from tests.faults.trial import Stage
from tests.space import NotYet, Object, Space

from haapp.api import names

ALWAYS = 100_000
STATUS = f"{names.PLURAL}/status"
REFUSALS = {
    "500": (Answer(500, "InternalError"), "ApiError"),
    "429": (Answer(429, "TooManyRequests", retry_after="1"), "ApiError"),
    "403": (Answer(403, "Forbidden"), "Forbidden"),
}


def of_deployment(space: Space) -> Callable[[Call], bool]:
    return lambda call: writes(space.name)(call) and call.resource == "deployments"


def of_status(space: Space) -> Callable[[Call], bool]:
    return lambda call: writes(space.name)(call) and call.resource == STATUS


@pytest.mark.matrix(1)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_cannot_be_written_is_told(stage: Stage, refusal: str) -> None:
    fault, reason = REFUSALS[refusal]
    stage.expected("create")
    with stage.trials("create", "update") as trials:
        rules = [Rule(fault, of_deployment(trial.space), times=ALWAYS) for trial in trials]
        with stage.proxy.rule(*rules):
            for trial in trials:
                trial.act()
            for trial in trials:
                told = trial.space.wait_condition("Reconciled", "False", reason)
                assert "deployments/web" in told["message"], told
                trial.space.wait(lambda space=trial.space: owns_up(space, reason), "a status that says what fails")
                assert reason in {given for given, _ in trial.space.events()}
        for trial in trials:
            trial.check()
        stage.record(f"{refusal} of the Deployment until it is told", trials, rules)


def owns_up(space: Space, reason: str) -> bool:
    """Whether the status of what was asked for last is not Ready, and says why."""
    obj = space.get(names.PLURAL)
    found: dict[str, Object] = {c["type"]: c for c in obj["status"]["conditions"]}
    ready = found["Ready"]
    current = ready["observedGeneration"] == obj["metadata"]["generation"] == obj["status"]["observedGeneration"]
    if not current or ready["status"] == "True" or reason not in (ready["reason"], found["Reconciled"]["reason"]):
        raise NotYet(str(found))
    return True


@pytest.mark.matrix(0)
def test_a_status_that_cannot_be_written_is_counted(stage: Stage) -> None:
    stage.expected("create")
    with stage.trials(*(name for name in OPERATIONS if name in ("create", "update"))) as trials:
        before = failures(stage)
        rules = [Rule(Answer(500, "InternalError"), of_status(trial.space), times=ALWAYS) for trial in trials]
        with stage.proxy.rule(*rules):
            for trial in trials:
                trial.act()
            stage.wait(lambda: all(rule.applied > 1 for rule in rules), "statuses that are refused")
            stage.wait(lambda: failures(stage) >= before + 4, "failures that are counted")
        for trial in trials:
            trial.check()
        stage.record("500 of the status until it is counted", trials, rules)


def failures(stage: Stage) -> float:
    """How many visits have failed, by the operator's own metrics."""
    lines = stage.operator.metrics("haapp_reconcile_total").splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'result="failed"' in line)
