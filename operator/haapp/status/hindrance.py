"""What keeps a rollout from getting on, whichever part of its pods it lies in."""

from haapp.status import reasons
from haapp.status.failures import Trouble
from haapp.status.init_steps import init_steps_completed, steps
from haapp.status.scene import Scene
from haapp.status.spread import spread
from haapp.status.trouble import trouble
from haapp.status.verdict import Verdict


def hindrance(init_steps: Verdict, wrong: Trouble | None, placed: Verdict) -> Trouble | None:
    """The first in a pod's life: it finds no node, a step fails, it or a container of it fails. `None` where nothing
    but time is needed. Takes the verdicts InitStepsCompleted and Spread, and what is wrong with containers."""
    for verdict, reason in ((placed, reasons.UNSCHEDULABLE), (init_steps, reasons.STEP_FAILED)):
        if verdict.reason == reason:
            return Trouble(reason, verdict.cause, f"see {verdict.type}")
    return wrong


def cause_of_failure(scene: Scene) -> str:
    """What keeps the current revision from coming up, in short; "" where nothing is known."""
    found = hindrance(init_steps_completed(scene, steps(scene)), trouble(scene), spread(scene))
    return found.cause if found is not None else ""
