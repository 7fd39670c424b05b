"""The projections: what they keep, and that nothing an API server could send makes them fail."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haapp.placement.model import (
    MESSAGE_LIMIT,
    ContainerState,
    Deployment,
    Node,
    ReplicaSet,
    deployment_of,
    epoch,
    node_of,
    pod_of,
    replica_set_of,
    selector_text,
)
from haapp.placement.quantities import milli_cpu, whole

POD = {
    "metadata": {
        "name": "web-1",
        "uid": "u1",
        "creationTimestamp": "2030-01-01T00:00:00Z",
        "labels": {
            "app.kubernetes.io/name": "web",
            "app.kubernetes.io/component": "app",
            "pod-template-hash": "abc",
        },
        "ownerReferences": [{"uid": "x"}, {"uid": "rs", "controller": True}],
    },
    "spec": {"nodeName": "n1"},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "initContainerStatuses": [
            {
                "name": "db-migration",
                "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                "lastState": {"terminated": {"exitCode": 3, "reason": "Error", "message": "no such table"}},
            }
        ],
        "containerStatuses": [
            {
                "name": "app",
                "image": "example/web:1",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": "2030-01-01T00:00:05Z"}},
            }
        ],
    },
}


def test_a_pod_keeps_its_place_health_and_containers() -> None:
    pod = pod_of(POD)
    assert (pod.name, pod.uid, pod.owner_uid, pod.node, pod.phase) == ("web-1", "u1", "rs", "n1", "Running")
    assert (pod.ready, pod.deleting, pod.template_hash, pod.component, pod.app) == (True, False, "abc", "app", "web")
    assert pod.created == 1893456000
    assert pod.init == (
        ContainerState(
            "db-migration",
            state="waiting",
            reason="CrashLoopBackOff",
            message="back-off",
            restarts=4,
            last_exit_code=3,
            last_reason="Error",
            last_message="no such table",
        ),
    )
    assert pod.containers == (
        ContainerState("app", "example/web:1", "running", started=True, ready=True, since=1893456005),
    )


def test_a_pod_that_is_being_deleted_says_so() -> None:
    assert pod_of({"metadata": {"name": "x", "deletionTimestamp": "2030-01-01T00:00:00Z"}}).deleting


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}, "0/3 nodes"),
        ({"status": "False", "reason": "Unschedulable"}, "the scheduler found no node"),
        ({"status": "False", "reason": "SchedulingGated", "message": "gated"}, ""),
        ({"status": "True"}, ""),
    ],
)
def test_the_schedulers_own_message_is_kept(condition: dict[str, str], message: str) -> None:
    status = {"conditions": [{"type": "PodScheduled", **condition}]}
    assert pod_of({"metadata": {"name": "x"}, "status": status}).scheduled_message == message


def test_a_long_message_is_cut() -> None:
    ended = {"exitCode": 1, "finishedAt": "2030-01-01T00:00:05Z", "message": "x" * 4096}
    status = {"containerStatuses": [{"name": "app", "state": {"terminated": ended}}]}
    container = pod_of({"metadata": {"name": "x"}, "status": status}).containers[0]
    assert len(container.message) == MESSAGE_LIMIT
    assert container.message.endswith("x…")
    assert (container.exit_code, container.since) == (1, 1893456005)


def test_a_node_keeps_zone_state_taints_labels_and_room() -> None:
    node = node_of(
        {
            "metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "a", "disk": "ssd"}},
            "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "allocatable": {"cpu": "1500m", "memory": "1Gi", "pods": "110"},
            },
        }
    )
    assert node == Node(
        "n1",
        "a",
        ready=True,
        unschedulable=True,
        taints=(("k", "", "NoSchedule"),),
        labels=(("disk", "ssd"), ("topology.kubernetes.io/zone", "a")),
        allocatable=(1500, 1 << 30, 110),
    )


def test_an_unknown_node_is_not_ready() -> None:
    conditions = [{"type": "Ready", "status": "Unknown"}]
    assert not node_of({"metadata": {"name": "n"}, "status": {"conditions": conditions}}).ready


def test_a_deployment_keeps_counts_conditions_and_our_annotations() -> None:
    deployment = deployment_of(
        {
            "metadata": {
                "name": "web",
                "uid": "d",
                "generation": 7,
                "annotations": {
                    "deployment.kubernetes.io/revision": "12",
                    "highavailability.dev/desired-hash": "cafe",
                    "other/thing": "x",
                },
            },
            "spec": {"replicas": 0, "paused": True, "selector": {"matchLabels": {"b": "2", "a": "1"}}},
            "status": {
                "observedGeneration": 6,
                "replicas": 1,
                "readyReplicas": 2,
                "updatedReplicas": 3,
                "availableReplicas": 4,
                "conditions": [{"type": "Available", "status": "True", "reason": "R", "message": "M"}],
            },
        }
    )
    assert deployment == Deployment(
        "web",
        "d",
        generation=7,
        observed_generation=6,
        desired=0,
        replicas=1,
        ready=2,
        updated=3,
        available=4,
        conditions=(("Available", "True", "R", "M"),),
        revision=12,
        paused=True,
        annotations=(("highavailability.dev/desired-hash", "cafe"),),
        selector="a=1,b=2",
    )


def test_a_replica_set_keeps_its_revision_and_owner() -> None:
    replica_set = replica_set_of(
        {
            "metadata": {
                "name": "web-abc",
                "uid": "r",
                "labels": {"pod-template-hash": "abc"},
                "annotations": {"deployment.kubernetes.io/revision": "3"},
                "ownerReferences": [{"uid": "d", "controller": True}],
            },
            "spec": {"replicas": 3},
            "status": {"readyReplicas": 2, "availableReplicas": 1},
        }
    )
    assert replica_set == ReplicaSet("web-abc", "r", "d", "abc", revision=3, desired=3, ready=2, available=1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS: tuple[str, ...] = (
    "metadata",
    "spec",
    "status",
    "labels",
    "conditions",
    "initContainerStatuses",
    "containerStatuses",
    "state",
)
KEYS += ("taints", "allocatable", "ownerReferences", "annotations", "terminated", "lastState", "selector", "cpu")
objects = st.dictionaries(
    st.sampled_from(KEYS), st.dictionaries(st.sampled_from(KEYS), json_values, max_size=5) | json_values, max_size=5
)


@settings(max_examples=200, deadline=None)
@given(objects)
def test_no_object_makes_a_projection_fail(obj: dict[str, Any]) -> None:
    for project in (pod_of, node_of, deployment_of, replica_set_of):
        hash(project(obj))


@pytest.mark.parametrize("missing", [{}, {"metadata": None, "spec": None, "status": None}])
def test_missing_and_null_parts_are_as_good_as_empty(missing: dict[str, Any]) -> None:
    assert pod_of(missing).phase == "Pending"
    assert deployment_of(missing).desired is None
    assert node_of(missing).zone is None
    assert replica_set_of(missing).revision == 0


@pytest.mark.parametrize(
    ("text", "milli", "number"),
    [
        ("250m", 250, 1),
        ("1.5", 1500, 2),
        (2, 2000, 2),
        ("1Ki", 1024000, 1024),
        ("2k", 2000000, 2000),
        ("1e3", 1000000, 1000),
        ("2E", 2 * 10**21, 2 * 10**18),
        ("100n", 1, 1),
        (None, 0, 0),
        ("lots", 0, 0),
    ],
)
def test_quantities_are_read_and_rounded_up(text: object, milli: int, number: int) -> None:
    assert (milli_cpu(text), whole(text)) == (milli, number)


def test_a_selector_reads_as_kubectl_writes_it() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["x", "y"]},
        {"key": "env", "operator": "NotIn", "values": ["dev"]},
        {"key": "up", "operator": "Exists"},
        {"key": "down", "operator": "DoesNotExist"},
    ]
    text = selector_text({"matchLabels": {"app": "web"}, "matchExpressions": expressions})
    assert text == "app=web,tier in (x,y),env notin (dev),up,!down"


@pytest.mark.parametrize("stamp", [None, "", "yesterday", 7])
def test_what_is_no_time_has_no_epoch(stamp: object) -> None:
    assert epoch(stamp) is None
