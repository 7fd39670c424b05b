"""What is wrong with a container, from its state alone, and how it is told."""

from dataclasses import dataclass
from typing import Final

from haapp.placement.model import ContainerState
from haapp.status import reasons
from haapp.status.text import one_line, plural

STARTING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Reasons for waiting that are part of every start."""
IMAGE: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
CONFIG: Final = frozenset({"CreateContainerConfigError", "CreateContainerError"})
OOM_KILLED: Final = "OOMKilled"
MESSAGE: Final = 200
STEADY_SECONDS: Final = 60
"""A container that failed and runs again may be ready at once, and fail again: for so long it is told of as failing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`reason` is the kubelet's, `detail` the exit code and the restarts, `message` the container's or the kubelet's
    own last words."""

    reason: str
    detail: str = ""
    message: str = ""

    def __str__(self) -> str:
        return (
            self.reason + (f" ({self.detail})" if self.detail else "") + (f": {self.message}" if self.message else "")
        )


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why pods do not come up: `reason` is one of Available's, `cause` names what fails and its last words, `advice`
    what to change."""

    reason: str
    cause: str
    advice: str


def failure_of(state: ContainerState) -> Failure | None:
    """The failure that a container is in: it cannot start, it has failed, or it is being started anew after it failed.
    `None` for one that waits its turn, runs, or has done its work."""
    if state.state == "waiting" and state.reason not in STARTING and state.reason != "CrashLoopBackOff":
        return Failure(state.reason, message=one_line(state.message, MESSAGE))
    if state.state == "terminated":
        return _ended(state, state.exit_code, state.reason, state.message) if state.exit_code else None
    if state.state == "running" and (state.ready or not state.last_exit_code):
        return None
    if state.last_exit_code is None and state.reason != "CrashLoopBackOff":
        return None
    return _ended(state, state.last_exit_code, state.last_reason, state.last_message)


def fresh_failure(state: ContainerState, now: int) -> Failure | None:
    """The failure before the present run of a container that is ready again, but has not been for STEADY_SECONDS."""
    if state.state != "running" or not state.ready or not state.last_exit_code or state.since is None:
        return None
    if now - state.since >= STEADY_SECONDS:
        return None
    return _ended(state, state.last_exit_code, state.last_reason, state.last_message)


def sort_of(failure: Failure) -> str:
    """Available's reason for a failure."""
    if failure.reason in IMAGE:
        return reasons.IMAGE_PULL_FAILED
    return reasons.CONFIG_MISSING if failure.reason in CONFIG else reasons.CONTAINER_FAILED


def remedy(failure: Failure, field: str, container: str) -> str:
    """What to change, where the reason tells; `field` is where the container stands in the spec."""
    if failure.reason in IMAGE:
        return f"correct {field}.image, or give access to it with pod.imagePullSecrets"
    if failure.reason in CONFIG:
        return f"create what is missing, or correct {field}.env, {field}.envFrom or pod.volumes"
    if failure.reason == OOM_KILLED:
        return f"raise {field}.resources.limits.memory"
    return f"its log tells more: kubectl logs --previous -c {container}"


def _ended(state: ContainerState, code: int | None, reason: str, message: str) -> Failure:
    """A run that ended badly: named by the reason where that says more than `Error`, else by the restart loop."""
    telling = reason if reason not in {"", "Error", "Completed"} else ""
    loop = state.reason if state.reason == "CrashLoopBackOff" else ""
    details = (
        f"exit {code}" if code is not None else "",
        f"restarted {plural(state.restarts, 'time')}" if state.restarts else "",
    )
    return Failure(telling or loop or "Failed", ", ".join(filter(None, details)), one_line(message, MESSAGE))
