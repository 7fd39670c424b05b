"""Going back to the last good revision when a rollout has failed (`rollout.onFailure: Rollback`).

The decision is written on the Deployment as an annotation, so that it outlives the operator; it holds for one
generation of the app, and a new one is tried afresh.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from haapp.api.app import App
from haapp.api.names import HASH_ANNOTATION, ROLLED_BACK_ANNOTATION
from haapp.placement.live import current_hash, owned
from haapp.placement.model import Deployment, ReplicaSet
from haapp.status import reasons


@dataclass(frozen=True, slots=True)
class RollbackTo:
    """Put back the template of this ReplicaSet; `failure` is why the present one is given up."""

    name: str
    uid: str
    revision: int
    template_hash: str
    failure: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What the annotation records: the app's generation that failed, the revision that runs in its place, and why;
    `template_hash` tells that revision's ReplicaSet, whose number changes as it comes back, and `desired_hash` which
    rendered Deployment failed."""

    generation: int
    revision: str
    reason: str
    template_hash: str = ""
    desired_hash: str = ""

    def to_annotation(self) -> str:
        """The annotation's value."""
        return json.dumps(
            {
                "generation": self.generation,
                "revision": self.revision,
                "reason": self.reason,
                "templateHash": self.template_hash,
                "desiredHash": self.desired_hash,
            }
        )


def rolled_back(app: App, deployment: Deployment | None) -> RolledBack | None:
    """The rollback in force: one that was made for the app's present generation. Anything unreadable is none."""
    text = dict(deployment.annotations).get(ROLLED_BACK_ANNOTATION) if deployment is not None else None
    try:
        value = json.loads(text or "null")
        found = RolledBack(
            int(value["generation"]),
            str(value["revision"]),
            str(value["reason"]),
            str(value.get("templateHash", "")),
            str(value.get("desiredHash", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if found.generation == app.generation else None


def rollback_target(
    app: App, deployment: Deployment | None, replica_sets: Iterable[ReplicaSet], desired_hash: str
) -> RollbackTo | None:
    """Where to go back to, now that the Deployment has exceeded its progress deadline; `None` if there is nothing to
    do or nothing to go back to. `desired_hash` is the hash of the Deployment as rendered for the app's present
    generation: what has not been written yet cannot have failed.

    Kubernetes keeps no record of which revision once was fully available. What it shows is which old ReplicaSet still
    has available pods: while a rollout stands still, `maxUnavailable` keeps up those of the revision that served before
    it. So the one with most available pods is taken, of equals the later one, and none where nothing of the past is
    still up: to go back to a revision that nobody has seen work could make things worse.
    """
    if app.spec.rollout.on_failure != "Rollback" or app.spec.paused or deployment is None:
        return None
    written = dict(deployment.annotations).get(HASH_ANNOTATION) == desired_hash
    failure = deadline_exceeded(deployment)
    if failure is None or not written or rolled_back(app, deployment) is not None:
        return None
    current = current_hash(deployment, replica_sets := tuple(replica_sets))
    old = [item for item in owned(deployment, replica_sets) if item.template_hash != current and item.available > 0]
    if not old:
        return None
    target = max(old, key=lambda item: (item.available, item.revision))
    return RollbackTo(target.name, target.uid, target.revision, target.template_hash, failure)


def deadline_exceeded(deployment: Deployment) -> str | None:
    """The Deployment's own message once its progress deadline has passed; `None` before, or while its status is that of
    an older generation."""
    if deployment.observed_generation < deployment.generation:
        return None
    return next(
        (
            message or reason
            for kind, status, reason, message in deployment.conditions
            if kind == "Progressing" and status == "False" and reason == reasons.DEADLINE_EXCEEDED
        ),
        None,
    )
