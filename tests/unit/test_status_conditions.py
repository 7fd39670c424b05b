"""Each condition and reason: when it is given, what its message says, and whether it holds Ready back."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.live_cases import (
    AVAILABLE,
    FAILED,
    OLD,
    START,
    UNAVAILABLE,
    app,
    deployment,
    node,
    nodes,
    observed,
    pod,
    pods,
    replica_sets,
    state,
)

from haapp.api.names import ROLLED_BACK_ANNOTATION
from haapp.api.spec import Autoscaling, Cache, InitStep, Nodes, Probes, Rebalance, Redis, Sidecar, Zones
from haapp.placement.finding import Finding
from haapp.placement.model import ContainerState, Deployment, Pod
from haapp.status import Observed, Outcome, assess, reasons
from haapp.status.waiting import next_look

THERE = nodes(a=2, b=2, c=2)
EVEN = pods("a1", "b1", "c1")
HARD = Zones()
STEPS = tuple(InitStep(name=name, container={"name": name, "image": "x"}) for name in ("db-migration", "seed-data"))
NO_ROOM = "0/6 nodes are available: 6 node(s) didn't match pod topology spread constraints."
BACK = json.dumps({"generation": 4, "revision": "1", "reason": "timed out progressing"})


def condition(kind: str, live: Observed, **spec: Any) -> dict[str, Any]:
    """The condition as it is written; {} where it is absent."""
    status = assess(app(**spec), live, {})
    return next((item for item in status["conditions"] if item["type"] == kind), {})


def ready(live: Observed, **spec: Any) -> str:
    return str(condition("Ready", live, **spec)["status"])


def pending(name: str = "p3", message: str = NO_ROOM, **changes: Any) -> Pod:
    return pod(name, "", ready=False, phase="Pending", scheduled_message=message, **changes)


def stepping(name: str, *states: Any) -> Pod:
    return pod(name, "a1", ready=False, phase="Pending", init=states)


def refused(message: str) -> Observed:
    """An app none of whose pods may be created."""
    failure = ("ReplicaFailure", "True", "FailedCreate", message)
    down = deployment(3, conditions=(*UNAVAILABLE, failure), replicas=0, ready=0, updated=0, available=0)
    return observed((), THERE, deployment=down)


def failing(**changes: Any) -> Observed:
    """The third pod's only container is in this state."""
    broken = pod("p3", "c1", ready=False, containers=(state(**{"ready": False, **changes}),))
    down = deployment(3, conditions=UNAVAILABLE, available=2, ready=2)
    return observed((*EVEN[:2], broken), THERE, deployment=down)


@dataclass
class Case:
    """What is seen, and what must be said of it."""

    kind: str
    live: Observed
    status: str
    reason: str
    words: tuple[str, ...]
    spec: dict[str, Any] = field(default_factory=dict)
    ready: str = ""

    def __str__(self) -> str:
        return f"{self.kind}={self.status} {self.reason} {self.words[:1]}"


WELL = observed(EVEN, THERE)
ZERO = observed((), THERE, deployment=deployment(0, replicas=0))
SKEWED = observed(pods("a1", "a2", "a1"), THERE)
CROWDED = observed(pods("a1", "a1", "b1", "c1"), THERE)
ALONE = observed((pod("p1", "a1"),), THERE)
UNPLACED = observed((*EVEN[:2], pending()), THERE, deployment=deployment(3, conditions=UNAVAILABLE, available=2))
REDIS = pods("a1", "b1", "c1", prefix="redis")
MANAGED = {"cache": Cache(redis=Redis())}
SELECTED = {"cache": Cache(selector={"matchLabels": {"app": "redis"}}, when_unsatisfiable="DoNotSchedule")}
LOOP = state("db-migration", state="waiting", reason="CrashLoopBackOff", restarts=4, last_exit_code=3, started=False)
DONE = state("db-migration", state="terminated", exit_code=0, reason="Completed")
SEEDING = state("seed-data")

PULLING = state(ready=False, state="waiting", reason="ImagePullBackOff", message="no such image")
CREATING = state(ready=False, started=None, state="waiting", reason="ContainerCreating")


def held_up(by: ContainerState) -> Observed:
    """The first pod of a rollout, a minute old, does not come up, since its container is so; the old ones serve."""
    new = pod("new1", "a2", ready=by.ready, containers=(by,), created=START - 60)
    return observed(
        (*pods("a1", "b1", "c1", template_hash=OLD), new),
        THERE,
        replica_sets=replica_sets(0, 3),
        deployment=deployment(3, replicas=4, updated=1),
    )


HELD_UP = held_up(PULLING)

CASES = [
    Case("Reconciled", WELL, "True", "Reconciled", ("Everything asked for is applied",), ready="True"),
    Case(
        "Reconciled",
        replace(WELL, notes=("HTTPRoute is not rendered",)),
        "True",
        "Reconciled",
        ("Everything asked for is applied; HTTPRoute is not rendered",),
        ready="True",
    ),
    Case(
        "Reconciled",
        replace(WELL, findings=(Finding("TooFewZones", "spec.zones.minDomains", "lower it to 2"),)),
        "True",
        "TooFewZones",
        ("lower it to 2",),
        ready="True",
    ),
    *(
        Case(
            "Reconciled",
            replace(WELL, outcome=Outcome(reason, "what to do.")),
            "False",
            reason,
            ("what to do",),
            ready="False",
        )
        for reason in ("RenderError", "InvalidSpec", "NameConflict", "Forbidden", "ApiError", "Paused")
    ),
    Case("Available", WELL, "True", "MinimumReplicasAvailable", ("3 of 3 pods available",)),
    Case(
        "Available",
        replace(WELL, deployment=deployment(3, conditions=UNAVAILABLE, available=2)),
        "False",
        "MinimumReplicasUnavailable",
        ("2 of 3 pods available",),
        ready="False",
    ),
    Case("Available", ZERO, "True", "ScaledToZero", ("no pod is asked for",), ready="True"),
    Case(
        "Available", replace(WELL, deployment=None), "Unknown", "DeploymentNotFound", ("Reconciled",), ready="Unknown"
    ),
    Case(
        "Available",
        replace(WELL, deployment=deployment(3, conditions=())),
        "Unknown",
        "NotYetKnown",
        ("has not said yet",),
        ready="Unknown",
    ),
    Case(
        "Available",
        failing(state="waiting", reason="ImagePullBackOff", message='Back-off pulling image "nope"'),
        "False",
        "ImagePullFailed",
        (
            "2 of 3 pods available",
            'app: ImagePullBackOff: Back-off pulling image "nope"',
            "correct app.image, or give access to it with pod.imagePullSecrets",
        ),
        ready="False",
    ),
    Case(
        "Available",
        failing(state="waiting", reason="CreateContainerConfigError", message='secret "db" not found'),
        "False",
        "ConfigMissing",
        ('app: CreateContainerConfigError: secret "db" not found', "create what is missing, or correct app.env"),
    ),
    Case(
        "Available",
        failing(state="waiting", reason="CrashLoopBackOff", restarts=5, last_exit_code=137, last_reason="OOMKilled"),
        "False",
        "ContainerFailed",
        ("app: OOMKilled (exit 137, restarted 5 times)", "raise app.resources.limits.memory"),
    ),
    Case(
        "Available",
        failing(
            state="waiting",
            reason="CrashLoopBackOff",
            restarts=1,
            last_exit_code=1,
            last_reason="Error",
            last_message="no config",
        ),
        "False",
        "ContainerFailed",
        ("app: CrashLoopBackOff (exit 1, restarted 1 time): no config", "kubectl logs --previous -c app"),
    ),
    Case(
        "Available",
        failing(restarts=2, last_exit_code=143, last_reason="Error"),
        "False",
        "ContainerFailed",
        ("app: Failed (exit 143, restarted 2 times)",),
    ),
    Case(
        "Available",
        refused(
            'pods "web-new77-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true '
            '(container "permissions" must not set securityContext.runAsNonRoot=false), runAsUser=0 '
            '(container "permissions" must not set runAsUser=0)'
        ),
        "False",
        "PodsRefused",
        (
            '0 of 3 pods available; pods are refused: violates PodSecurity "restricted:latest": runAsNonRoot != true',
            'container "permissions" must not set runAsUser=0',
            "correct what it names, or use a namespace that admits it (label pod-security.kubernetes.io/enforce)",
        ),
    ),
    Case(
        "Available",
        refused('pods "web-new77-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'),
        "False",
        "PodsRefused",
        ("pods are refused: exceeded quota: q, requested: pods=1", "raise that ResourceQuota, or lower replicas"),
    ),
    Case(
        "Available",
        refused('admission webhook "policy.example.com" denied the request: no'),
        "False",
        "PodsRefused",
        ('pods are refused: admission webhook "policy.example.com" denied the request: no',),
    ),
    Case("Progressing", WELL, "True", "NewReplicaSetAvailable", ("successfully progressed",)),
    Case("Progressing", replace(WELL, deployment=None), "Unknown", "DeploymentNotFound", ("no Deployment",)),
    Case(
        "Progressing",
        replace(WELL, deployment=deployment(3, observed_generation=1)),
        "Unknown",
        "DeploymentNotObserved",
        ("not been looked at",),
        ready="Unknown",
    ),
    Case(
        "Progressing",
        replace(WELL, deployment=deployment(3, conditions=FAILED)),
        "False",
        "ProgressDeadlineExceeded",
        ("timed out progressing", "rollout.progressDeadlineSeconds 600", "go back to the spec of before"),
        ready="True",
    ),
    Case(
        "Progressing",
        replace(HELD_UP, deployment=deployment(3, replicas=4, updated=1, conditions=FAILED)),
        "False",
        "ProgressDeadlineExceeded",
        ("timed out progressing", "app: ImagePullBackOff: no such image; correct app.image", "; or go back to"),
        ready="True",
    ),
    Case(
        "Progressing",
        replace(WELL, deployment=deployment(3, annotations=((ROLLED_BACK_ANNOTATION, BACK),))),
        "False",
        "RolledBack",
        ("generation 4 did not come up", "rolled back to revision 1: timed out progressing", "correct the spec"),
        ready="True",
    ),
    Case(
        "Spread",
        WELL,
        "True",
        "Balanced",
        ("zones a:1 b:1 c:1 (skew 0)", "nodes a1:1 a2:0 b1:1 b2:0 c1:1 c2:0 (skew 1)"),
        {"zones": Zones(min_domains=3)},
        ready="True",
    ),
    Case("Spread", ZERO, "True", "ScaledToZero", ("no pod is asked for",), {"zones": Zones(min_domains=3)}, "True"),
    Case(
        "Spread",
        SKEWED,
        "False",
        "Skewed",
        (
            "skew 3 over zones (a:3 b:0 c:0), zones.maxSkew is 1",
            "pods are moved once all are ready, if that helps; or raise zones.maxSkew to 3",
        ),
        {"zones": HARD},
        "False",
    ),
    Case(
        "Spread",
        SKEWED,
        "False",
        "Skewed",
        ("set rebalance.mode: WhenSafe, or raise zones.maxSkew to 3",),
        {"rebalance": Rebalance(mode="Off")},
        "True",
    ),
    Case(
        "Spread",
        CROWDED,
        "False",
        "Skewed",
        ("skew 2 over nodes", "nodes.maxSkew is 1"),
        {"zones": HARD},
        "True",
    ),
    Case(
        "Spread",
        CROWDED,
        "False",
        "Skewed",
        ("several pods share a node (a1), nodes.antiAffinity is Required", "delete one of them"),
        {"nodes": Nodes(anti_affinity="Required")},
        "False",
    ),
    Case(
        "Spread",
        observed(EVEN[:2], nodes(a=1, b=1)),
        "False",
        "TooFewDomains",
        (
            "2 zones (a, b) of the 3 that zones.minDomains asks for",
            "bring one back, add nodes, or lower zones.minDomains to 2",
        ),
        {"zones": Zones(min_domains=3)},
        "False",
    ),
    Case(
        "Spread",
        UNPLACED,
        "False",
        "Unschedulable",
        (f"1 of 3 pods cannot be scheduled: {NO_ROOM[:-1]}", "or set zones.whenUnsatisfiable: ScheduleAnyway"),
        {"zones": HARD},
        "False",
    ),
    Case(
        "Spread",
        replace(UNPLACED, pods=(*EVEN[:2], pending(message="0/6 nodes are available: 6 Insufficient cpu."))),
        "False",
        "Unschedulable",
        ("6 Insufficient cpu", "add nodes, or lower app.resources.requests"),
    ),
    Case(
        "Spread",
        observed((pod("p1", "a1", ready=False),), THERE),
        "Unknown",
        "NoReadyPods",
        ("no pod of the current revision is ready yet",),
        {"zones": HARD},
        "Unknown",
    ),
    Case("CacheColocated", WELL, "", "", ()),
    Case(
        "CacheColocated", replace(WELL, cache_pods=REDIS), "True", "Colocated", ("3 of 3 ready pods",), MANAGED, "True"
    ),
    Case("CacheColocated", ZERO, "True", "ScaledToZero", ("no pod is asked for",), SELECTED, "True"),
    Case(
        "CacheColocated",
        replace(WELL, cache_pods=REDIS[:2]),
        "False",
        "FarFromCache",
        ("2 of 3 ready pods with a ready cache on its node", "far from it: p3", "raise cache.redis.replicas"),
        MANAGED,
        "True",
    ),
    Case(
        "CacheColocated",
        replace(WELL, cache_pods=REDIS[:2]),
        "False",
        "FarFromCache",
        ("far from it: p3", "run the cache in more places"),
        SELECTED,
        "False",
    ),
    Case(
        "CacheColocated",
        WELL,
        "False",
        "CacheNotReady",
        ("cache.selector finds no pod: start the cache, or correct cache.selector",),
        SELECTED,
        "False",
    ),
    Case("CacheColocated", WELL, "False", "CacheNotReady", ("see the Deployment web-cache",), MANAGED, "True"),
    Case(
        "CacheColocated",
        replace(WELL, cache_pods=(pod("redis", "a1", ready=False),)),
        "False",
        "CacheNotReady",
        ("none of 1 cache pod is ready",),
        MANAGED,
    ),
    Case(
        "CacheColocated",
        WELL,
        "False",
        "FarFromCache",
        ("0 of 3 ready pods with a ready cache in it", "see the log of their container redis"),
        {"cache": Cache(colocate="Pod", redis=Redis())},
    ),
    Case(
        "CacheColocated",
        observed((pod("p1", "a1", ready=False),), THERE),
        "Unknown",
        "NoReadyPods",
        ("no pod is ready yet",),
        SELECTED,
        "Unknown",
    ),
    Case("InitStepsCompleted", WELL, "True", "NoInitSteps", ("there are no init steps",)),
    Case("InitStepsCompleted", WELL, "True", "StepsSucceeded", ("in 3 pods",), {"init_steps": STEPS}, "True"),
    Case("InitStepsCompleted", ZERO, "True", "ScaledToZero", ("no pod is asked for",), {"init_steps": STEPS}, "True"),
    Case(
        "InitStepsCompleted",
        observed((), THERE, deployment=deployment(3)),
        "Unknown",
        "NotYetKnown",
        ("no pod of the current revision has been seen yet",),
        {"init_steps": STEPS},
        "Unknown",
    ),
    Case(
        "InitStepsCompleted",
        observed((stepping("p1", DONE, SEEDING),), THERE),
        "Unknown",
        "StepsRunning",
        ("0 of 1 pod have come through; running: seed-data in 1 pod",),
        {"init_steps": STEPS},
    ),
    Case(
        "InitStepsCompleted",
        observed((*EVEN, stepping("p4", DONE, SEEDING)), THERE, deployment=deployment(3)),
        "True",
        "StepsRunning",
        ("3 of 4 pods have come through; running: seed-data in 1 pod",),
        {"init_steps": STEPS},
        "True",
    ),
    Case(
        "InitStepsCompleted",
        observed((*EVEN, stepping("p4", replace(LOOP, last_message="no such table"))), THERE, deployment=deployment(3)),
        "False",
        "StepFailed",
        (
            "db-migration failed (exit 3, restarted 4 times): no such table in 1 of 4 pods",
            "correct initSteps[db-migration]",
            "kubectl logs --previous -c db-migration",
        ),
        {"init_steps": STEPS},
        "False",
    ),
    Case(
        "InitStepsCompleted",
        observed((stepping("p1", replace(LOOP, state="running", reason="")),), THERE),
        "False",
        "StepFailed",
        ("db-migration failed (exit 3, restarted 4 times)",),
        {"init_steps": STEPS},
    ),
    Case(
        "InitStepsCompleted",
        observed(
            (stepping("p1", state("db-migration", state="waiting", reason="ErrImagePull", message="gone")),), THERE
        ),
        "False",
        "StepFailed",
        ("db-migration failed (ErrImagePull): gone", "correct initSteps[db-migration].image"),
        {"init_steps": STEPS},
    ),
    Case(
        "SurvivesZoneLoss",
        WELL,
        "True",
        "EnoughLeft",
        ("2 of 3 ready pods would be left without zone a", "zones.keepReady asks for 2"),
        {"zones": Zones(keep_ready="50%")},
        "True",
    ),
    Case(
        "SurvivesZoneLoss",
        SKEWED,
        "False",
        "TooFewLeft",
        ("0 of 3 ready pods would be left without zone a", "zones.keepReady asks for 2", "once all pods are ready"),
        {"zones": Zones(keep_ready=2, when_unsatisfiable="ScheduleAnyway")},
        "False",
    ),
    Case(
        "SurvivesZoneLoss",
        WELL,
        "False",
        "TooFewLeft",
        ("zones.keepReady asks for 3", "raise replicas to 5, or add a zone that the pods may use"),
        {"zones": Zones(keep_ready=3)},
        "False",
    ),
    Case(
        "SurvivesZoneLoss",
        observed(pods("a1", "b1", "c1"), (*nodes(a=1, b=1), node("c1", "c", ready=False))),
        "False",
        "TooFewLeft",
        (
            "zones.keepReady asks for 2",
            "bring back or add a zone that the pods may use, or lower zones.minDomains to 2",
        ),
        {"zones": Zones(min_domains=3, keep_ready=2)},
        "False",
    ),
    Case(
        "SurvivesZoneLoss",
        observed(pods("a1", "a2"), nodes(a=2)),
        "False",
        "TooFewLeft",
        ("zones.keepReady is not stated, 1 is looked for", "add a zone that the pods may use"),
        ready="True",
    ),
    Case(
        "SurvivesZoneLoss", ZERO, "True", "ScaledToZero", ("none can be lost",), {"zones": Zones(keep_ready=2)}, "True"
    ),
    Case(
        "SurvivesZoneLoss",
        observed((pod("p1", "n"),), (node("n", None),)),
        "Unknown",
        "ZonesUnknown",
        ("topology.kubernetes.io/zone; label the nodes",),
        ready="True",
    ),
    Case("SurvivesNodeLoss", WELL, "True", "EnoughLeft", ("2 of 3 ready pods would be left without node a1",)),
    Case(
        "SurvivesNodeLoss",
        ALONE,
        "False",
        "TooFewLeft",
        ("0 of 1 ready pod would be left without node a1", "raise replicas to 2"),
        ready="True",
    ),
    Case(
        "SurvivesNodeLoss",
        ALONE,
        "False",
        "TooFewLeft",
        ("nodes.keepReady asks for 1", "raise autoscaling.minReplicas to 2"),
        {"nodes": Nodes(keep_ready=1), "autoscaling": Autoscaling(max_replicas=5)},
        "False",
    ),
    Case(
        "SurvivesNodeLoss",
        observed((), THERE, deployment=deployment(3)),
        "Unknown",
        "NotYetKnown",
        ("no pod has been seen yet",),
    ),
    Case(
        "SurvivesNodeLoss",
        observed((pod("p1", "a1", ready=False),), THERE),
        "False",
        "TooFewLeft",
        ("no pod is ready",),
    ),
    Case("Ready", WELL, "True", "Ready", ("3 of 3 pods ready, everything required is met",)),
    Case("Ready", ZERO, "True", "ScaledToZero", ("no pod is asked for, and none runs",)),
    Case(
        "Ready",
        replace(WELL, deployment=deployment(3, observed_generation=1)),
        "Unknown",
        "DeploymentNotObserved",
        ("not been looked at by its controller yet",),
    ),
    Case("Ready", SKEWED, "False", "Skewed", ("Spread: skew 3 over zones",), {"zones": HARD}),
    Case(
        "Ready",
        replace(UNPLACED, outcome=Outcome("Forbidden", "give the operator the right to x")),
        "False",
        "Forbidden",
        ("Reconciled: give the operator the right to x; Available: 2 of 3 pods available",),
    ),
    Case("Stalled", WELL, "", "", ()),
    Case("Reconciling", WELL, "", "", ()),
    Case("Reconciling", ZERO, "", "", ()),
    *(
        Case("Stalled", replace(WELL, outcome=Outcome(reason, "what to do")), "True", reason, ("what to do",))
        for reason in ("RenderError", "InvalidSpec", "NameConflict", "Forbidden")
    ),
    Case("Stalled", replace(WELL, outcome=Outcome("Paused", "paused")), "", "", ()),
    Case("Reconciling", replace(WELL, outcome=Outcome("Paused", "paused"), deployment=None), "", "", ()),
    Case(
        "Stalled",
        replace(WELL, deployment=deployment(3, conditions=FAILED, updated=1)),
        "True",
        "ProgressDeadlineExceeded",
        ("timed out",),
    ),
    Case("Reconciling", replace(WELL, deployment=deployment(3, conditions=FAILED, updated=1)), "", "", ()),
    Case(
        "Stalled",
        replace(WELL, deployment=deployment(3, annotations=((ROLLED_BACK_ANNOTATION, BACK),))),
        "True",
        "RolledBack",
        ("did not come up",),
    ),
    Case("Reconciling", replace(WELL, outcome=Outcome("ApiError", "no answer")), "True", "Retrying", ("no answer",)),
    Case("Reconciling", replace(WELL, deployment=None), "True", "DeploymentNotFound", ("not been seen",)),
    Case(
        "Reconciling",
        replace(WELL, deployment=deployment(3, observed_generation=1)),
        "True",
        "RollingOut",
        ("not yet looked at",),
    ),
    Case(
        "Reconciling",
        replace(HELD_UP, deployment=deployment(3, observed_generation=1)),
        "True",
        "RollingOut",
        ("not yet looked at what was written",),
    ),
    *(
        Case("Reconciling", replace(WELL, deployment=seen), "True", "RollingOut", (words,), ready="True")
        for seen, words in (
            (deployment(3, updated=1), "1 of 3 pods are updated"),
            (deployment(3, replicas=4), "1 old pod to go"),
            (deployment(3, available=2), "2 of 3 pods are available"),
        )
    ),
    *(
        Case("Reconciling", held_up(by), "True", reason, ("1 of 3 pods are updated", *words), ready="True")
        for by, reason, words in (
            (PULLING, "ImagePullFailed", ("app: ImagePullBackOff: no such image; correct app.image",)),
            (state(ready=False, state="waiting", reason="CreateContainerConfigError"), "ConfigMissing", ("app.env",)),
            (state(ready=False, restarts=1, last_exit_code=1), "ContainerFailed", ("app: Failed (exit 1",)),
            (state(ready=True, restarts=1, last_exit_code=1, since=START - 59), "ContainerFailed", ("Failed (exit 1",)),
            (state(ready=True, restarts=1, last_exit_code=1, since=START - 60), "RollingOut", ()),
            (state(ready=False), "RollingOut", ("1 pod not ready: the readiness probe of app has not succeeded",)),
            (CREATING, "RollingOut", ("1 pod without a container for a minute or more: an image is being pulled",)),
        )
    ),
    Case(
        "Reconciling",
        replace(HELD_UP, deployment=replace(refused("exceeded quota: q").deployment or deployment(), replicas=4)),
        "True",
        "PodsRefused",
        ("pods are refused: exceeded quota: q; raise that ResourceQuota",),
    ),
    Case(
        "Reconciling",
        replace(HELD_UP, pods=(*HELD_UP.pods[:3], pending())),
        "True",
        "Unschedulable",
        ("1 of 3 pods are updated; 1 of 1 pod cannot be scheduled: 0/6 nodes", "see Spread"),
        {"zones": Zones(when_unsatisfiable="ScheduleAnyway")},
    ),
    Case(
        "Reconciling",
        replace(HELD_UP, pods=(*HELD_UP.pods, pending())),
        "True",
        "ImagePullFailed",
        ("no such image; 1 of 2 pods cannot be scheduled: 0/6 nodes", "correct app.image"),
        {"zones": Zones(when_unsatisfiable="ScheduleAnyway")},
    ),
    Case(
        "Reconciling",
        replace(HELD_UP, pods=(*HELD_UP.pods[:3], stepping("new1", LOOP))),
        "True",
        "StepFailed",
        ("1 of 3 pods are updated; db-migration failed (exit 3, restarted 4 times)", "see InitStepsCompleted"),
        {"init_steps": STEPS},
    ),
    Case(
        "Reconciling",
        replace(HELD_UP, pods=(*HELD_UP.pods[:3], stepping("new1", state("db-migration", started=False)))),
        "True",
        "RollingOut",
        ("1 of 3 pods are updated; 0 of 1 pod have come through; running: db-migration in 1 pod",),
        {"init_steps": STEPS},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_condition_says_what_is_so_and_what_to_change(case: Case) -> None:
    found = condition(case.kind, case.live, **case.spec)
    assert (found.get("status", ""), found.get("reason", "")) == (case.status, case.reason)
    for word in case.words:
        assert word in found["message"]
    if case.ready:
        assert ready(case.live, **case.spec) == case.ready


def test_every_reason_is_given_in_some_case() -> None:
    types = {case.kind for case in CASES}
    given = {case.reason for case in CASES}
    named = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert named - {reasons.STATUS_REFUSED} <= types | given  # of an Event alone


def test_a_revision_that_has_not_been_seen_yet_is_not_judged_by_the_one_before() -> None:
    assert ready(replace(WELL, deployment=deployment(3, revision=3))) == "Unknown"
    assert condition("Reconciling", replace(WELL, deployment=deployment(3, revision=3)))["reason"] == "RollingOut"
    assert ready(replace(WELL, deployment=deployment(3, revision=3), replica_sets=())) == "True"


def test_the_rollback_of_an_older_generation_is_past() -> None:
    old = json.dumps({"generation": 3, "revision": "1", "reason": "x"})
    live = replace(WELL, deployment=deployment(3, annotations=((ROLLED_BACK_ANNOTATION, old),)))
    assert condition("Progressing", live)["reason"] == "NewReplicaSetAvailable"


def test_a_pod_on_a_node_that_is_not_ready_is_not_ready_either() -> None:
    live = replace(WELL, nodes=(*nodes(a=2, b=2), node("c1", "c", ready=False)))
    status = assess(app(zones=Zones(min_domains=3)), live, {})
    assert status["readyReplicas"] == 2
    assert condition("Spread", live, zones=Zones(min_domains=3))["reason"] == "TooFewDomains"


def test_pods_of_an_old_revision_keep_the_app_up_and_are_not_held_against_the_new_spread() -> None:
    """Two of three are new; the old one stands in a zone that has a new one already."""
    both = (*pods("a1", "b1"), pod("old1", "a2", template_hash=OLD))
    live = observed(both, THERE, replica_sets=replica_sets(2, 1), deployment=deployment(3, updated=2))
    status = assess(app(zones=HARD), live, {})
    assert (status["readyReplicas"], status["placement"]["zoneSkew"]) == (3, 1)
    assert status["placement"]["zones"][0] == {"name": "a", "ready": 2, "total": 2}
    assert status["survives"]["zoneLoss"] == {"worstReadyLeft": 1, "worst": "a"}
    assert ready(live, zones=HARD) == "True"


def test_a_rollout_does_not_look_skewed_while_its_pods_start() -> None:
    """With a surge of three the new pods have their places, one in each zone, and two of them are ready in one."""
    new = (*pods("a1", "a2"), *pods("b1", "b2", "c1", prefix="s", ready=False))
    old = pods("a1", "b1", "c1", "a2", "b2", prefix="old", template_hash=OLD)
    live = observed((*new, *old), THERE, replica_sets=replica_sets(5, 5), deployment=deployment(5, updated=5))
    assert condition("Spread", live, zones=HARD)["status"] == "True"
    alone = replace(live, pods=new, replica_sets=replica_sets(5, 0))
    assert condition("Spread", alone, zones=HARD)["reason"] == "Skewed"


def test_a_start_within_its_budget_is_a_start_and_beyond_it_is_not() -> None:
    probes = Probes(liveness={"tcpSocket": {"port": 8080}}, start_within=300)
    for ago, words in ((10, "1 starting (at most 5m left)"), (215, "1 starting (at most 90s left)"), (301, "minimum")):
        slow = pod("p1", "a1", ready=False, containers=(state(started=False, since=START - ago),))
        down = deployment(1, conditions=UNAVAILABLE, available=0)
        live = observed((slow,), THERE, deployment=down)
        assert words in condition("Available", live, probes=probes)["message"]


def test_the_readiness_probe_that_keeps_pods_from_serving_is_named() -> None:
    hung = pod("p2", "b1", ready=False, containers=(state(ready=False), state("side", ready=True)))
    unheard = pod("p3", "c1", ready=False, containers=(state(ready=True),), init=(state("log-shipper", ready=False),))
    live = observed((pod("p1", "a1"), hung, unheard), THERE, deployment=deployment(3, conditions=UNAVAILABLE))
    said = "2 pods not ready: the readiness probe of app, log-shipper has not succeeded"
    assert said in condition("Available", live)["message"]
    assert said in assess(app(), live, {})["summary"]


@pytest.mark.parametrize(
    "there",
    [
        pod("p1", "a1", containers=(state(ready=False),)),
        pod("p1", "a1", ready=False, containers=(state(ready=True),)),
        pod("p1", "gone", ready=False, containers=(state(ready=False),)),
        pod("p1", "lost", ready=False, containers=(state(ready=False),)),
        pod("p1", "a1", ready=False, containers=(state(ready=False, last_exit_code=1),)),
        pod("p1", "a1", ready=False, containers=(state(ready=True),), init=(state("s", started=False),)),
        pod("p1", "a1", ready=False, containers=(state(started=False),)),
        pod("p1", "a1", ready=False, containers=(state(state="waiting", started=None, reason="PodInitializing"),)),
        pod("p1", "a1", ready=False, phase="Pending"),
    ],
    ids=[
        "ready by now",
        "not heard",
        "no node",
        "on a lost node",
        "failed",
        "its sidecar starts",
        "starting",
        "in its init steps",
        "not begun",
    ],
)
def test_no_readiness_probe_is_blamed_for_what_it_has_not_said(there: Pod) -> None:
    seen = (*THERE, node("lost", "a", ready=False))
    live = observed((there,), seen, deployment=deployment(1, conditions=UNAVAILABLE, available=0))
    assert "readiness probe" not in condition("Available", live)["message"]


@pytest.mark.parametrize(
    ("there", "seconds"),
    [
        (pod("p1", "a1"), None),
        (pod("p1", "a1", containers=(state(started=False),)), 10),
        (pod("p1", "a1", containers=(state(ready=True, last_exit_code=1, since=START - 20),)), 40),
        (pod("p1", "a1", containers=(state(ready=True, last_exit_code=1, since=START - 60),)), None),
        (pod("p1", "a1", created=START - 20, containers=(CREATING,)), 40),
        (pod("p1", "a1", created=START - 60, containers=(CREATING,)), None),
        (pod("p1", "", created=START - 20, containers=(CREATING,)), None),
        (pod("p1", "a1", created=START - 20, containers=(state(),)), None),
    ],
)
def test_what_time_alone_changes_is_looked_at_again(there: Pod, seconds: float | None) -> None:
    assert next_look(observed((there,), THERE)) == seconds


def test_what_is_wrong_in_most_pods_is_named() -> None:
    pulling = [
        pod(f"x{n}", "a1", ready=False, containers=(state(state="waiting", reason="ImagePullBackOff"),)) for n in (1, 2)
    ]
    crashed = pod("x3", "a1", ready=False, containers=(state(state="waiting", reason="CrashLoopBackOff", restarts=9),))
    live = observed((*pulling, crashed), THERE, deployment=deployment(3, conditions=UNAVAILABLE, available=0))
    assert "2 pods: app: ImagePullBackOff" in condition("Available", live)["message"]


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ("log-shipper", "logSidecar.image"),
        ("proxy", "correct sidecars[proxy].image"),
        ("injected", "correct injected.image"),
        ("redis", "cache.redis.image"),
    ],
)
def test_a_sidecar_that_does_not_come_up_is_named_with_its_field(container: str, words: str) -> None:
    stuck = state(container, state="waiting", reason="ImagePullBackOff")
    broken = pod("p1", "a1", ready=False, init=(stuck,))
    live = observed((broken,), THERE, deployment=deployment(1, conditions=UNAVAILABLE, available=0))
    sidecars = (Sidecar(name="proxy", container={"name": "proxy", "image": "x"}),)
    message = condition("Available", live, sidecars=sidecars)["message"]
    assert f"{container}: ImagePullBackOff" in message
    assert words in message


def test_a_container_that_starts_or_has_started_again_is_no_trouble() -> None:
    fine = (
        state(state="waiting", reason="ContainerCreating"),
        state(state="running", ready=True, restarts=3, last_exit_code=1),
        state(state="terminated", exit_code=0),
    )
    for there in fine:
        live = observed((pod("p1", "a1", containers=(there,)),), THERE)
        assert condition("Available", live)["message"] == "1 of 1 pod available"


def test_the_deployments_conditions_are_taken_as_they_are() -> None:
    odd: Deployment = deployment(3, conditions=(("Available", "Unknown", "", ""), *AVAILABLE[1:]))
    assert condition("Available", replace(WELL, deployment=odd))["status"] == "Unknown"
