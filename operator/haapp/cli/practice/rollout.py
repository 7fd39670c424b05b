"""Rules about change and shutdown."""

from collections.abc import Iterator
from typing import Final

from haapp.api import App
from haapp.api.replicas import fewest
from haapp.cli.findings import Finding
from haapp.cli.practice import walk
from haapp.placement.replicas import scaled

DEFAULT_GRACE: Final = 30
"""core/v1's terminationGracePeriodSeconds."""


def all_at_once(app: App) -> Iterator[Finding]:
    replicas = fewest(app.spec)
    if replicas > 1 and scaled(app.spec.rollout.max_unavailable, replicas, up=False) >= replicas:
        yield Finding(
            "rollout-outage",
            "warning",
            "spec.rollout.maxUnavailable",
            f"a rollout may take all {replicas} pods away before a new one is ready",
            "0, with maxSurge 1 or more",
        )


def start_exceeds_deadline(app: App) -> Iterator[Finding]:
    deadline = app.spec.rollout.progress_deadline_seconds
    budget, path = _start_budget(app)
    if deadline and budget >= deadline:
        end = "rolled back" if app.spec.rollout.on_failure == "Rollback" else "called failed"
        yield Finding(
            "start-exceeds-deadline",
            "warning",
            path,
            f"a pod may take {budget} s to start, but after {deadline} s without progress the rollout is {end}",
            f"rollout.progressDeadlineSeconds above {budget}, or a shorter start",
        )


def no_drain(app: App) -> Iterator[Finding]:
    own_hook = (app.spec.app.get("lifecycle") or {}).get("preStop")
    if app.spec.rollout.drain_seconds == 0 and app.spec.app.get("ports") and not own_hook:
        yield Finding(
            "no-drain",
            "warning",
            "spec.rollout.drainSeconds",
            "a pod stops while the nodes still send requests to it: each rollout loses some",
            "5 or more",
        )


def grace_ends_first(app: App) -> Iterator[Finding]:
    stated = app.spec.pod.termination_grace_period_seconds
    grace = (DEFAULT_GRACE if stated is None else stated) + app.spec.rollout.drain_seconds
    hook = (app.spec.app.get("lifecycle") or {}).get("preStop") or {}
    sleep = (hook.get("sleep") or {}).get("seconds") or 0
    if sleep >= grace:
        yield Finding(
            "grace-ends-first",
            "error",
            "spec.app.lifecycle.preStop.sleep.seconds",
            f"the pod is killed {grace} s after it is asked to stop, before the app has heard of it",
            f"less than {grace}, or a longer pod.terminationGracePeriodSeconds",
        )
    elif stated == 0:
        yield Finding(
            "grace-ends-first",
            "warning",
            "spec.pod.terminationGracePeriodSeconds",
            "the app has no time to finish the requests that it has begun",
            "the longest time that a request takes, 30 unless it is known",
        )


def _start_budget(app: App) -> tuple[int, str]:
    if app.spec.probes.start_within is not None:
        return app.spec.probes.start_within, "spec.probes.startWithin"
    startup = walk.probe(app, "startup")
    return (walk.patience(startup.spec), startup.path) if startup else (0, "")


RULES: Final = (all_at_once, start_exceeds_deadline, no_drain, grace_ends_first)
