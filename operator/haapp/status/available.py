"""The conditions Available and Progressing: as the Deployment says, and why it says so."""

from haapp.placement.model import Deployment
from haapp.status import reasons
from haapp.status.failures import Trouble
from haapp.status.rollback import rolled_back
from haapp.status.scene import Scene
from haapp.status.text import joined, plural
from haapp.status.verdict import Truth, Verdict


def available(scene: Scene, trouble: Trouble | None, waiting: str) -> Verdict:
    """As the Deployment's own condition; where it is not so, with what is wrong with the containers, or what they are
    `waiting` for."""
    deployment = scene.observed.deployment
    if deployment is None:
        message = "there is no Deployment yet; see the condition Reconciled"
        return Verdict(reasons.AVAILABLE, "Unknown", reasons.DEPLOYMENT_NOT_FOUND, message)
    status, reason, message = _deployment_condition(deployment, "Available")
    if scene.desired == 0 and status == "True":
        return Verdict(reasons.AVAILABLE, "True", reasons.SCALED_TO_ZERO, "no pod is asked for, and none runs")
    if status == "True":
        message = f"{deployment.available} of {plural(scene.desired, 'pod')} available"
        return Verdict(reasons.AVAILABLE, status, reason, joined(message, trouble.cause if trouble else waiting))
    counted = f"{deployment.available} of {plural(scene.desired, 'pod')} available"
    told = joined(trouble.cause, trouble.advice) if trouble else waiting
    why = trouble.reason if trouble and status == "False" else reason
    return Verdict(reasons.AVAILABLE, status, why, joined(counted, told or message))


def progressing(scene: Scene, held_up: Trouble | None) -> Verdict:
    """As the Deployment's own condition, or False with RolledBack while a rollback is in force."""
    deployment = scene.observed.deployment
    if deployment is None:
        return Verdict(reasons.PROGRESSING, "Unknown", reasons.DEPLOYMENT_NOT_FOUND, "there is no Deployment yet")
    back = rolled_back(scene.app, deployment)
    if back is not None:
        cause = f"rolled back to revision {back.revision}: {back.reason}"
        message = f"generation {back.generation} did not come up; {cause}; correct the spec, a new one is tried afresh"
        return Verdict(reasons.PROGRESSING, "False", reasons.ROLLED_BACK, message, required=False, cause=cause)
    if scene.stale:
        message = "the Deployment has been written and not been looked at by its controller yet"
        return Verdict(reasons.PROGRESSING, "Unknown", reasons.DEPLOYMENT_NOT_OBSERVED, message, required=False)
    status, reason, message = _deployment_condition(deployment, "Progressing")
    cause = "the rollout made no progress within its deadline" if reason == reasons.DEADLINE_EXCEEDED else ""
    if cause:
        message = joined(
            f"{message or cause} (rollout.progressDeadlineSeconds {scene.app.spec.rollout.progress_deadline_seconds})",
            joined(held_up.cause, held_up.advice or "correct that") if held_up else "see the pods",
            "or go back to the spec of before",
        )
    return Verdict(reasons.PROGRESSING, status, reason, message, required=False, cause=cause)


def rolling_out(scene: Scene) -> str:
    """What is still to come of a rollout or a scaling; "" when the Deployment is as it was asked to be."""
    deployment = scene.observed.deployment
    if deployment is None or deployment.paused:
        return ""
    if scene.stale:
        return "the Deployment's controller has not yet looked at what was written"
    status, *_ = _deployment_condition(deployment, "Progressing")
    steps = (
        (deployment.updated < scene.desired, f"{deployment.updated} of {plural(scene.desired, 'pod')} are updated"),
        (
            deployment.replicas > deployment.updated,
            f"{plural(deployment.replicas - deployment.updated, 'old pod')} to go",
        ),
        (
            deployment.available < deployment.updated,
            f"{deployment.available} of {plural(deployment.updated, 'pod')} are available",
        ),
    )
    return next((text for ahead, text in steps if ahead and status != "False"), "")


def _deployment_condition(deployment: Deployment, kind: str) -> tuple[Truth, str, str]:
    for name, status, reason, message in deployment.conditions:
        if name == kind and status in {"True", "False"}:
            return ("True" if status == "True" else "False"), reason or reasons.NOT_YET_KNOWN, message
    return "Unknown", reasons.NOT_YET_KNOWN, "the Deployment's controller has not said yet"
