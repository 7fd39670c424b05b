"""The condition Ready: everything that is required, and nothing that is only wished for."""

from collections.abc import Sequence

from haapp.status import reasons
from haapp.status.scene import Scene
from haapp.status.text import plural
from haapp.status.verdict import Verdict


def ready(scene: Scene, parts: Sequence[Verdict]) -> Verdict:
    """Judged from the other conditions, in their order: the first required one that is False gives the reason, else
    the first that is Unknown. Never True while the Deployment's status speaks of an older Deployment.

    An app that was scaled to zero is Ready: no pod is what was asked for, just as its Deployment counts as available.
    """
    needed = [verdict for verdict in parts if verdict.required and verdict.status != "True"]
    failed = sorted(needed, key=lambda verdict: verdict.status != "False")
    if failed:
        message = "; ".join(f"{verdict.type}: {verdict.message}" for verdict in failed)
        return Verdict(reasons.READY, failed[0].status, failed[0].reason, message)
    if scene.stale:
        message = "the Deployment has been written and not been looked at by its controller yet"
        return Verdict(reasons.READY, "Unknown", reasons.DEPLOYMENT_NOT_OBSERVED, message)
    if scene.desired == 0:
        return Verdict(reasons.READY, "True", reasons.SCALED_TO_ZERO, "no pod is asked for, and none runs")
    message = f"{len(scene.ready)} of {plural(scene.desired, 'pod')} ready, everything required is met"
    return Verdict(reasons.READY, "True", reasons.READY, message)
