"""What is worth knowing of the numbers that a rollout goes by."""

from haapp.api.spec import Spec


def rollout_notes(spec: Spec) -> list[str]:
    """A warning where a start may take longer than the rollout waits for it."""
    budget, deadline = spec.probes.start_within, spec.rollout.progress_deadline_seconds
    if budget is None or deadline > budget + spec.rollout.min_ready_seconds:
        return []
    needed = budget + spec.rollout.min_ready_seconds + 1
    note = (
        f"rollout.progressDeadlineSeconds ({deadline}) ends before probes.startWithin ({budget} s) does: "
        f"a slow start counts as a failed rollout; write at least {needed}"
    )
    return [note]
