"""What a rollout waits for, whichever part of its pods it lies in."""

from haapp.status import reasons
from haapp.status.failures import Trouble
from haapp.status.init_steps import init_steps_completed, steps
from haapp.status.scene import Scene
from haapp.status.spread import spread
from haapp.status.text import joined
from haapp.status.trouble import trouble
from haapp.status.verdict import Verdict
from haapp.status.waiting import waiting


def hindrance(scene: Scene, completed: Verdict, wrong: Trouble | None, placed: Verdict, rest: str) -> Trouble | None:
    """All that is in the way, with the reason and the advice of the first: a step that fails, what is `wrong` with
    pods and containers, no node to run on; where nothing has failed what pods wait for (`rest`), as RollingOut.

    `completed` and `placed` are the verdicts InitStepsCompleted and Spread. `None` where there is nothing to tell, and
    while the pods are still those of what was asked for before.
    """
    if scene.stale:
        return None
    step = _as_trouble(completed) if completed.reason == reasons.STEP_FAILED else None
    place = _as_trouble(placed) if placed.reason == reasons.UNSCHEDULABLE else None
    found = [each for each in (step, wrong, place) if each is not None]
    if found:
        return Trouble(found[0].reason, joined(*(each.cause for each in found)), found[0].advice)
    cause = joined(rest, completed.message if completed.reason == reasons.STEPS_RUNNING else "")
    return Trouble(reasons.ROLLING_OUT, cause, "") if cause else None


def _as_trouble(verdict: Verdict) -> Trouble:
    return Trouble(verdict.reason, verdict.cause, f"see {verdict.type}")


def cause_of_failure(scene: Scene) -> str:
    """What the current revision waits for, in short; "" where nothing is known."""
    completed = init_steps_completed(scene, steps(scene))
    found = hindrance(scene, completed, trouble(scene), spread(scene), waiting(scene))
    return found.cause if found is not None else ""
