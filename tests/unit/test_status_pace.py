"""When a change of the status is written: bad news at once, progress together."""

from typing import Any

import pytest

from haapp.status.pace import (
    NUMBERS_SECONDS,
    PROGRESS_SECONDS,
    SERVING_SECONDS,
    TROUBLE_SECONDS,
    UNHEARD_CROWDED_SECONDS,
    UNHEARD_READY_SECONDS,
    UNHEARD_SECONDS,
    hearing,
    patience,
)

Told = tuple[str, str, str]
READY, NOT_READY = ("Ready", "True", "Ready"), ("Ready", "False", "MinimumReplicasUnavailable")
BUSY = ("Reconciling", "True", "RollingOut")


def status(*told: Told, ready: int = 3, generation: int = 1) -> dict[str, Any]:
    conditions = [{"type": kind, "status": state, "reason": reason} for kind, state, reason in told]
    return {"observedGeneration": generation, "readyReplicas": ready, "conditions": conditions}


NEWS = {
    "a new generation": (status(READY), status(READY, generation=2)),
    "Ready is lost": (status(READY), status(NOT_READY)),
    "Ready is reached": (status(NOT_READY, BUSY), status(READY, BUSY)),
    "a condition is lost while the app serves": (
        status(READY, ("Spread", "True", "Balanced"), BUSY),
        status(READY, ("Spread", "False", "Skewed"), BUSY),
    ),
    "a condition of a settled app is lost": (
        status(NOT_READY, ("Spread", "True", "Balanced")),
        status(NOT_READY, ("Spread", "False", "Skewed")),
    ),
    "it is bad for another reason": (
        status(NOT_READY, ("Spread", "False", "Skewed"), BUSY),
        status(NOT_READY, ("Spread", "False", "Unschedulable"), BUSY),
    ),
    "the first news is bad": (
        status(NOT_READY, ("InitStepsCompleted", "Unknown", "StepsRunning"), BUSY),
        status(NOT_READY, ("InitStepsCompleted", "False", "StepFailed"), BUSY),
    ),
    "it is over": (status(NOT_READY, BUSY), status(NOT_READY)),
    "a rollout is held up while the app serves": (
        status(READY, BUSY),
        status(READY, ("Reconciling", "True", "ImagePullFailed")),
    ),
}


@pytest.mark.parametrize("name", NEWS)
def test_news_does_not_wait(name: str) -> None:
    assert patience(*NEWS[name]) == 0


SLOW = {
    "pods come up": (status(NOT_READY, BUSY, ready=1), status(NOT_READY, BUSY, ready=2), PROGRESS_SECONDS),
    "a step fails again": (
        status(("Ready", "False", "StepFailed"), ("InitStepsCompleted", "False", "StepFailed"), BUSY, ready=1),
        status(("Ready", "False", "StepFailed"), ("InitStepsCompleted", "False", "StepFailed"), BUSY, ready=2),
        TROUBLE_SECONDS,
    ),
    "a rollout is no longer held up": (
        status(READY, ("Reconciling", "True", "ImagePullFailed")),
        status(READY, BUSY),
        SERVING_SECONDS,
    ),
    "a rollout goes on": (status(READY, BUSY, ready=4), status(READY, BUSY, ready=3), SERVING_SECONDS),
    "the Deployment's controller has looked, and no pod is up yet": (
        status(("Ready", "Unknown", "DeploymentNotObserved"), BUSY, ready=0),
        status(NOT_READY, BUSY, ready=0),
        PROGRESS_SECONDS,
    ),
    "the first pods are uneven": (
        status(NOT_READY, ("Spread", "Unknown", "NoReadyPods"), BUSY),
        status(NOT_READY, ("Spread", "False", "Skewed"), BUSY),
        PROGRESS_SECONDS,
    ),
    "the pods that come up are uneven again": (
        status(NOT_READY, ("Spread", "True", "Balanced"), BUSY),
        status(NOT_READY, ("Spread", "False", "Skewed"), BUSY),
        PROGRESS_SECONDS,
    ),
    "no pod of the new revision can be judged yet": (
        status(READY, ("Spread", "True", "Balanced"), BUSY),
        status(READY, ("Spread", "Unknown", "NoReadyPods"), BUSY),
        SERVING_SECONDS,
    ),
    "ever more pods are lost": (
        status(NOT_READY, BUSY, ready=3),
        status(NOT_READY, BUSY, ready=2),
        NUMBERS_SECONDS,
    ),
    "a number of a settled app": (status(READY, ready=3), status(READY, ready=2), NUMBERS_SECONDS),
}


@pytest.mark.parametrize("name", SLOW)
def test_what_may_wait_is_told_with_what_follows(name: str) -> None:
    before, after, seconds = SLOW[name]
    assert patience(before, after) == seconds


UNSEEN = ("Progressing", "Unknown", "DeploymentNotObserved")
WRITTEN = status(("Reconciled", "True", "Reconciled"), UNSEEN)


def test_only_a_status_without_an_error_waits_for_the_deployments_controller() -> None:
    assert hearing({}, WRITTEN) == UNHEARD_SECONDS
    assert hearing({}, status(("Reconciled", "False", "APIError"), UNSEEN)) == 0
    seen = ("Progressing", "True", "ReplicaSetUpdated")
    assert hearing({}, status(("Reconciled", "True", "Reconciled"), seen)) == 0


def test_while_many_apps_are_made_it_is_waited_for_longer() -> None:
    assert hearing({}, WRITTEN, crowded=True) == UNHEARD_CROWDED_SECONDS


def test_ready_of_an_older_generation_does_not_stand_for_long() -> None:
    assert hearing(status(READY), WRITTEN) == UNHEARD_READY_SECONDS
    assert hearing(status(READY), WRITTEN, crowded=True) == UNHEARD_CROWDED_SECONDS
