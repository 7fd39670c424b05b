"""What keeps pods from coming up is named: in its condition, in Ready, in the summary and in one Event; and it ends."""

import re
from collections.abc import Iterator
from typing import Any

import pykube
import pytest
from tests.space import Object, Space, app
from tests.timeline import Timeline, condition_of, new_space

from devcluster.cluster import Cluster
from devcluster.process import Operator

TEST = "test.highavailability.dev"
STEPS = [
    {"name": "db-migration", "image": "example/sql:1", "script": "migrate up"},
    {"name": "seed-data", "image": "example/sql:1", "script": "seed"},
]
PROBES = {"startup": {"tcpSocket": {"port": "http"}, "periodSeconds": 10}, "startWithin": "1m"}
ROOT_STEP = {
    "name": "permissions",
    "image": "example/tools:1",
    "script": "chown 1001 /data",
    "securityContext": {"runAsUser": 0, "runAsNonRoot": False},
}


def misbehaving(**annotations: str) -> Object:
    return {"annotations": {f"{TEST}/{name.replace('_', '-')}": value for name, value in annotations.items()}}


MIGRATION = misbehaving(
    fail_init="db-migration",
    fail_init_code="3",
    fail_init_message='relation "orders" exists',
    fail_init_times="6",
    backoff_seconds="2",
)
APPS: dict[str, Object] = {
    "migrate": {"initSteps": STEPS, "pod": MIGRATION},
    "slow": {"probes": PROBES, "pod": misbehaving(start_seconds="45")},
    "crash": {"pod": misbehaving(crash="app", crash_code="7", crash_message="no config", backoff_seconds="1")},
    "pull": {"pod": misbehaving(pull_error="app")},
    "secret": {"pod": misbehaving(config_error="app")},
    "nowhere": {"pod": {"nodeSelector": {"disk": "fast"}}},
    "crowded": {"replicas": 7, "nodes": {"antiAffinity": "Required"}},
}


@pytest.fixture(scope="module")
def timeline(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Timeline]:
    if cluster.folder is None:
        pytest.skip("needs the embedded cluster, whose pods can be told to fail")
    with new_space(cluster, api) as space, Timeline(cluster, space, "highavailabilityapps") as told:
        space.apply(*(app(name, **{"replicas": 2, **spec}) for name, spec in APPS.items()))
        yield told


@pytest.fixture(scope="module")
def space(timeline: Timeline) -> Space:
    return timeline.space


def seen(timeline: Timeline, name: str, kind: str, status: str, *says: str) -> Object:
    """The app as it was when a condition first had all of `says` in its reason and message."""

    def holds(obj: Object) -> bool:
        found = condition_of(obj, kind)
        text = f"{found.get('reason')}: {found.get('message')}"
        return bool(
            obj["metadata"]["name"] == name and found.get("status") == status and all(part in text for part in says)
        )

    return timeline.when(f"{name}: {kind}={status} {says}", holds).obj


def events(space: Space, name: str, reason: str) -> list[Object]:
    found = [item for item in space.items("events") if item["regarding"]["name"] == name and item["reason"] == reason]
    assert all(item["type"] == "Warning" for item in found)
    return found


def test_a_failing_step_is_named_until_it_succeeds(timeline: Timeline, space: Space) -> None:
    failed = "db-migration failed (exit 3"
    obj = seen(timeline, "migrate", "InitStepsCompleted", "False", "StepFailed", failed, 'relation "orders" exists')
    assert condition_of(obj, "Ready")["reason"] == "StepFailed"
    assert failed in condition_of(obj, "Ready")["message"]
    assert failed in obj["status"]["summary"]
    migration, seed = obj["status"]["initSteps"]
    assert 1 <= migration["failed"] + migration["running"] <= 2
    assert (migration["failed"] > 0, seed["failed"], migration["succeeded"]) == (True, 0, 0)
    assert migration["message"].endswith('relation "orders" exists')
    seen(timeline, "migrate", "InitStepsCompleted", "False", "(exit 3, restarted ", " times)")
    space.wait_ready("migrate")
    assert space.condition("InitStepsCompleted", "migrate")["reason"] == "StepsSucceeded"
    assert [(step["succeeded"], step["message"]) for step in space.status("migrate")["initSteps"]] == [(2, "")] * 2
    space.wait(lambda: len(events(space, "migrate", "StepFailed")) == 1, "one Event")


def test_a_slow_start_counts_down(timeline: Timeline, space: Space) -> None:
    obj = seen(timeline, "slow", "Available", "False", "2 starting (at most ")
    first = time_left(condition_of(obj, "Available")["message"])
    assert first is not None
    assert 40 <= first <= 60
    assert time_left(condition_of(obj, "Ready")["message"]) == first
    assert time_left(obj["status"]["summary"]) == first
    space.wait_ready("slow")
    assert time_left(space.status("slow")["summary"]) is None
    summaries = [
        change.obj.get("status", {}).get("summary", "") for change in timeline.changes if change.name == "slow"
    ]
    told = [left for left in map(time_left, summaries) if left is not None]
    assert told == sorted(told, reverse=True)
    assert len(set(told)) > 1, "it does not count down"


def time_left(text: str) -> int | None:
    found = re.search(r"starting \(at most (\d+)s left\)", text)
    return int(found[1]) if found else None


FAILURES = {
    "crash": ("ContainerFailed", "app: ", "(exit 7", "): no config", "kubectl logs"),
    "pull": ("ImagePullFailed", 'app: ImagePullBackOff: Back-off pulling image "example/web:1"', "correct app.image"),
    "secret": ("ConfigMissing", 'app: CreateContainerConfigError: secret "absent" not found', "create what is missing"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failing_container_is_named(timeline: Timeline, space: Space, name: str) -> None:
    reason, what, *more = FAILURES[name]
    obj = seen(timeline, name, "Available", "False", reason, "0 of 2 pods available", what, *more)
    assert condition_of(obj, "Ready")["reason"] == reason
    assert what in condition_of(obj, "Ready")["message"]
    assert what in obj["status"]["summary"]
    space.wait(lambda: len(events(space, name, reason)) == 1, "one Event")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "nowhere",
            ("2 of 2 pods cannot be scheduled: 0/6 nodes are available: 6 node(s) didn't match", "nodeSelector"),
        ),
        (
            "crowded",
            ("1 of 7 pods cannot be scheduled: 0/6 nodes are available: 6 node(s) didn't match", "antiAffinity"),
        ),
    ],
)
def test_a_pod_without_a_place_is_told_with_the_schedulers_words(
    timeline: Timeline, space: Space, name: str, says: tuple[str, ...]
) -> None:
    obj = seen(timeline, name, "Spread", "False", "Unschedulable", *says)
    assert says[0] in obj["status"]["summary"]
    (waiting, *_) = [pod for pod in space.items("pods") if not pod["spec"].get("nodeName") and owned(pod, name)]
    scheduled: Any = next(c["message"] for c in waiting["status"]["conditions"] if c["type"] == "PodScheduled")
    assert scheduled.removesuffix(".") in condition_of(obj, "Spread")["message"]
    space.wait(lambda: len(events(space, name, "Unschedulable")) == 1, "one Event")


def owned(pod: Object, name: str) -> bool:
    return bool(pod["metadata"]["labels"]["app.kubernetes.io/name"] == name)


def test_pod_security_that_refuses_is_named(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> None:
    with new_space(cluster, api) as space:
        cluster.kubectl("label", "namespace", space.name, "pod-security.kubernetes.io/enforce=restricted")
        space.apply(app(replicas=2, initSteps=[ROOT_STEP], security={"profile": "Baseline", "runAsUser": 1001}))
        refused = space.wait_condition("Available", "False", "PodsRefused")["message"]
        assert '0 of 2 pods available; pods are refused: violates PodSecurity "restricted:latest": ' in refused
        assert 'container "permissions" must not set runAsUser=0' in refused
        assert "pod-security.kubernetes.io/enforce" in refused
        assert 'violates PodSecurity "restricted:latest"' in space.condition("Ready")["message"]
        assert 'violates PodSecurity "restricted:latest"' in space.status()["summary"]
        space.wait(lambda: len(events(space, "web", "PodsRefused")) == 1, "one Event")
        cluster.kubectl("label", "namespace", space.name, "pod-security.kubernetes.io/enforce=baseline", "--overwrite")
        space.patch("highavailabilityapps", "web", {"spec": {"replicas": 3}})
        space.wait_ready()


def test_a_failure_that_repeats_is_told_once(timeline: Timeline, space: Space) -> None:
    """By now the crashing app has crashed many times, and the others have been tried again and again."""
    told: dict[tuple[str, str], int] = {}
    for item in space.items("events"):
        if item["type"] == "Warning" and item["regarding"]["kind"] == "HighAvailabilityApp":
            who = item["regarding"]["name"], item["reason"]
            told[who] = told.get(who, 0) + 1
    assert set(told) >= {("crash", "ContainerFailed"), ("pull", "ImagePullFailed"), ("nowhere", "Unschedulable")}
    assert {who: count for who, count in told.items() if count > 1} == {}
