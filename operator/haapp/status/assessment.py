"""The whole status of an app, from what was observed of it: pure, and the same for the same input."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.status import reasons
from haapp.status.available import available, progressing
from haapp.status.cache import cache_colocated, cache_nearness, cache_status
from haapp.status.hindrance import hindrance
from haapp.status.init_steps import init_steps_completed, step_status, steps
from haapp.status.observed import Observed, Outcome
from haapp.status.placement import placement_status, places
from haapp.status.ready import ready
from haapp.status.reconciled import activity, reconciled
from haapp.status.scene import scene_of
from haapp.status.spread import spread
from haapp.status.summary import Picture, columns, summary
from haapp.status.survives import survives_node_loss, survives_status, survives_zone_loss
from haapp.status.text import one_line
from haapp.status.trouble import trouble
from haapp.status.verdict import Truth, Verdict, conditions
from haapp.status.waiting import waiting

KEPT_WHEN_INVALID: Final = ("replicas", "readyReplicas", "updatedReplicas", "selector")
"""What an autoscaler reads, and what stays as it was while the spec cannot be read."""

NOT_JUDGED: Final = {reasons.INVALID_SPEC: "not judged while the spec is not valid; correct it first"}


def assess(app: App, observed: Observed, previous: Mapping[str, Any]) -> Object:
    """The status to write. `previous` is the status that is there now: a condition whose status did not change keeps
    its lastTransitionTime. The clock of `observed.now` shows only in new transition times and, coarsely, in how long a
    start may still take."""
    scene = scene_of(app, observed)
    wrong, rest = trouble(scene), waiting(scene)
    near, init_steps, where = cache_nearness(scene), steps(scene), places(scene)
    completed, placed = init_steps_completed(scene, init_steps), spread(scene)
    held_up = hindrance(scene, completed, wrong, placed, rest)
    progress = progressing(scene, held_up)
    parts = [
        reconciled(observed),
        completed,
        available(scene, wrong, rest),
        placed,
        *([cache_colocated(scene, near)] if near is not None else []),
        survives_zone_loss(scene),
        survives_node_loss(scene),
    ]
    active = activity(scene, progress, held_up)
    verdicts = [ready(scene, parts), *parts, progress, *([active] if active is not None else [])]
    picture = Picture(scene, where, near, wrong, rest, {verdict.type: verdict for verdict in verdicts})
    deployment = observed.deployment
    return {
        "observedGeneration": app.generation,
        "replicas": deployment.replicas if deployment is not None else 0,
        "readyReplicas": len(scene.ready),
        "updatedReplicas": deployment.updated if deployment is not None else 0,
        "selector": deployment.selector if deployment is not None else default_selector(app),
        "conditions": conditions(verdicts, app.generation, previous, observed.now),
        "placement": placement_status(where),
        "survives": survives_status(scene),
        **({"cache": cache_status(near)} if near is not None else {}),
        "initSteps": step_status(init_steps),
        "summary": summary(picture),
        "columns": columns(picture),
    }


def assess_invalid(metadata: Mapping[str, Any], outcome: Outcome, previous: Mapping[str, Any], now: datetime) -> Object:
    """The status of an object that cannot be read as an app; `metadata` is its own. Of its pods nothing can be said
    then, so what was said of them before is withdrawn rather than kept to grow old."""
    told = one_line(f"{outcome.reason}: {outcome.message}", 512)
    unknown = [
        Verdict(kind, "Unknown", outcome.reason, NOT_JUDGED.get(outcome.reason, "not judged: see Reconciled"))
        for kind in (
            reasons.INIT_STEPS_COMPLETED,
            reasons.AVAILABLE,
            reasons.SPREAD,
            reasons.SURVIVES_ZONE_LOSS,
            reasons.SURVIVES_NODE_LOSS,
            reasons.PROGRESSING,
        )
    ]
    failed: dict[str, Truth] = {reasons.READY: "False", reasons.RECONCILED: "False", reasons.STALLED: "True"}
    verdicts = [Verdict(kind, status, outcome.reason, outcome.message) for kind, status in failed.items()]
    generation = int(metadata.get("generation") or 0)
    return {
        **{key: previous[key] for key in KEPT_WHEN_INVALID if key in previous},
        "observedGeneration": generation,
        "conditions": conditions([*verdicts[:2], *unknown, verdicts[2]], generation, previous, now),
        "summary": told,
    }


def default_selector(app: App) -> str:
    """The label selector of the app's pods as text, before there is a Deployment to read it from."""
    return f"{names.LABEL_COMPONENT}={names.COMPONENT_APP},{names.LABEL_NAME}={app.name}"
