"""The condition InitStepsCompleted, and `status.initSteps`."""

from dataclasses import dataclass

from haapp.api.objects import Object
from haapp.placement.model import ContainerState, Pod
from haapp.status import reasons
from haapp.status.failures import Failure, failure_of, remedy
from haapp.status.scene import Scene
from haapp.status.text import joined, plural
from haapp.status.verdict import Truth, Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One init step over the pods of the current revision. A step that failed and runs again counts as failed until it
    succeeds; `failure` is that of the pod where it was restarted most."""

    name: str
    succeeded: int
    running: int
    failed: int
    failure: Failure | None


def steps(scene: Scene) -> tuple[Step, ...]:
    """The steps in their order."""
    return tuple(_step(step.name, scene.current) for step in scene.app.spec.init_steps)


def step_status(steps: tuple[Step, ...]) -> list[Object]:
    """`status.initSteps`; `message` is "" while nothing has failed."""
    return [
        {
            "name": step.name,
            "succeeded": step.succeeded,
            "running": step.running,
            "failed": step.failed,
            "message": str(step.failure or ""),
        }
        for step in steps
    ]


def init_steps_completed(scene: Scene, steps: tuple[Step, ...]) -> Verdict:
    """True while no pod of the current revision is stuck in a step. On the very first start, while no pod has come
    through yet, it is Unknown; during a later rollout the pods that still run their steps do not make it untrue."""
    if not steps:
        return _verdict("True", reasons.NO_INIT_STEPS, "there are no init steps")
    stuck = next((step for step in steps if step.failure is not None), None)
    if stuck is not None and stuck.failure is not None:
        return _stuck(stuck, stuck.failure, len(scene.current))
    if scene.desired == 0:
        return _verdict("True", reasons.SCALED_TO_ZERO, "no pod is asked for")
    if not scene.current:
        return _verdict("Unknown", reasons.NOT_YET_KNOWN, "no pod of the current revision has been seen yet")
    total = len(scene.current)
    through = min(step.succeeded for step in steps)
    if through == total:
        return _verdict("True", reasons.STEPS_SUCCEEDED, f"all init steps have succeeded in {plural(total, 'pod')}")
    running = ", ".join(f"{step.name} in {plural(step.running, 'pod')}" for step in steps if step.running)
    message = f"{through} of {plural(total, 'pod')} have come through; running: {running or 'none yet'}"
    first = through == 0 and not scene.ready
    return _verdict(
        "Unknown" if first else "True",
        reasons.STEPS_RUNNING,
        message,
        f"running {running}" if first and running else "",
    )


def _stuck(step: Step, failure: Failure, total: int) -> Verdict:
    what = f"{step.name} failed" + (f" ({failure.detail})" if failure.detail else f" ({failure.reason})")
    said = f"{what}: {failure.message}" if failure.message else what
    field = f"initSteps[{step.name}]"
    advice = remedy(failure, field, step.name)
    message = joined(f"{said} in {step.failed} of {plural(total, 'pod')}", f"correct {field}", advice)
    return _verdict("False", reasons.STEP_FAILED, message, said)


def _verdict(status: Truth, reason: str, message: str, cause: str = "") -> Verdict:
    return Verdict(reasons.INIT_STEPS_COMPLETED, status, reason, message, cause=cause)


def _step(name: str, pods: tuple[Pod, ...]) -> Step:
    states = [state for pod in pods if not pod.ready for state in pod.init if state.name == name]
    failed = [(state.restarts, str(failure), failure) for state in states if (failure := failure_of(state))]
    return Step(
        name=name,
        # A Ready pod has come through all its steps, whether or not the kubelet still lists them.
        succeeded=sum(pod.ready for pod in pods) + sum(map(_succeeded, states)),
        running=sum(state.state == "running" and failure_of(state) is None for state in states),
        failed=len(failed),
        failure=max(failed)[2] if failed else None,
    )


def _succeeded(state: ContainerState) -> bool:
    return state.state == "terminated" and state.exit_code == 0
