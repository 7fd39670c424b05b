"""The conditions Reconciled, Reconciling and Stalled."""

from haapp.status import reasons
from haapp.status.available import rolling_out
from haapp.status.failures import Trouble
from haapp.status.observed import Observed
from haapp.status.scene import Scene
from haapp.status.text import joined
from haapp.status.verdict import Verdict


def reconciled(observed: Observed) -> Verdict:
    """As the last write went. Where it went well, yet the spec contradicts what the cluster has, the reason is that of
    the most serious contradiction, and the message has them all."""
    outcome = observed.outcome
    told = joined(outcome.message, *observed.notes, *(finding.message for finding in observed.findings))
    if outcome.ok:
        reason = observed.findings[0].reason if observed.findings else reasons.RECONCILED
        return Verdict(reasons.RECONCILED, "True", reason, told or "all objects are as asked for")
    cause = f"{outcome.reason}: {outcome.message}"
    return Verdict(reasons.RECONCILED, "False", outcome.reason, told or outcome.reason, cause=cause)


def activity(scene: Scene, progressing: Verdict, held_up: Trouble | None) -> Verdict | None:
    """Stalled where only a person can help, else Reconciling while something is still on its way, else neither. What
    it waits for gives the reason."""
    outcome = scene.observed.outcome
    if outcome.reason in reasons.PERMANENT_FAILURES:
        return Verdict(reasons.STALLED, "True", outcome.reason, outcome.message or outcome.reason)
    if progressing.reason in {reasons.ROLLED_BACK, reasons.DEADLINE_EXCEEDED}:
        return Verdict(reasons.STALLED, "True", progressing.reason, progressing.message)
    if outcome.reason == reasons.API_ERROR:
        return Verdict(reasons.RECONCILING, "True", reasons.RETRYING, outcome.message or "the API server failed")
    if scene.observed.deployment is None:
        if outcome.reason == reasons.PAUSED:
            return None
        message = "the Deployment has not been seen yet"
        return Verdict(reasons.RECONCILING, "True", reasons.DEPLOYMENT_NOT_FOUND, message)
    return _rollout(rolling_out(scene), held_up)


def _rollout(ahead: str, held_up: Trouble | None) -> Verdict | None:
    if not ahead:
        return None
    if held_up is None:
        return Verdict(reasons.RECONCILING, "True", reasons.ROLLING_OUT, ahead)
    return Verdict(reasons.RECONCILING, "True", held_up.reason, joined(ahead, held_up.cause, held_up.advice))
