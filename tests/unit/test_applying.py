"""One round of writes: in which order, what a failure holds back, and what is told of it."""

from dataclasses import replace
from typing import Any

import pytest
from tests.plain_cluster import KEY, PlainCluster, app_object

from haapp import exceptions
from haapp.api import parse_app
from haapp.reconcile.applying import REFUSED_SECONDS, Applier, Written
from haapp.reconcile.ports import Foreign
from haapp.render import Environment

LOGS = {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}


async def apply(cluster: PlainCluster, **spec: Any) -> Written:
    obj = app_object(**spec)
    return await Applier(cluster, cluster).apply(KEY, parse_app(obj), obj, Environment())  # type: ignore[arg-type]


@pytest.fixture
def cluster() -> PlainCluster:
    return PlainCluster()


async def test_what_pods_use_is_there_before_them(cluster: PlainCluster) -> None:
    written = await apply(cluster, logSidecar=LOGS)
    assert written.outcome.ok
    assert set(cluster.made()[:2]) == {"create ServiceAccount", "create ConfigMap"}
    assert {"create Service", "create Deployment", "create PodDisruptionBudget"} == set(cluster.made()[2:])
    assert [reason for reason, _ in cluster.events] == ["Created"]


async def test_nothing_is_written_twice(cluster: PlainCluster) -> None:
    await apply(cluster)
    before = cluster.made()
    assert (await apply(cluster)).outcome.ok
    assert cluster.made() == before


async def test_what_comes_first_and_fails_holds_back_what_needs_it(cluster: PlainCluster) -> None:
    cluster.refuse["create ConfigMap"] = exceptions.Unavailable("down")
    assert (await apply(cluster, logSidecar=LOGS)).failure == "ApiError"
    assert set(cluster.made()) == {"create ServiceAccount", "create ConfigMap"}
    assert not cluster.events


async def test_what_does_not_depend_on_a_failure_is_written(cluster: PlainCluster) -> None:
    cluster.refuse["create Service"] = exceptions.Unavailable("down")
    await apply(cluster)
    assert {"create Deployment", "create PodDisruptionBudget"} <= set(cluster.made())


async def test_what_is_no_longer_asked_for_is_deleted_last_and_only_after_success(cluster: PlainCluster) -> None:
    await apply(cluster, ingress={"host": "a.example.com"})
    cluster.writes.clear()
    cluster.refuse["update Deployment"] = exceptions.Unavailable("down")
    await apply(cluster, generation=2, app={"image": "nginx:2"})
    assert not cluster.made(["delete"])
    cluster.refuse.clear()
    cluster.writes.clear()
    await apply(cluster, generation=3, app={"image": "nginx:2"})
    assert cluster.made()[0] == "update Deployment"
    assert set(cluster.made(["delete"])) == {"delete Ingress", "delete Service"}
    (text,) = [text for reason, text in cluster.events if reason == "Deleted"]
    assert text == "Deleted Service web, Ingress web: no longer asked for."


async def test_a_paused_app_is_looked_at_and_left(cluster: PlainCluster) -> None:
    await apply(cluster)
    cluster.writes.clear()
    written = await apply(cluster, generation=2, paused=True, app={"image": "nginx:2"})
    assert written.outcome.reason == "Paused"
    assert "2 changes wait" in written.outcome.message
    assert not cluster.made()


async def test_an_autoscaled_app_begins_at_the_autoscalers_floor(cluster: PlainCluster) -> None:
    await apply(cluster, replicas=9, autoscaling={"minReplicas": 4, "maxReplicas": 12})
    assert cluster.replicas["Deployment"] == 4
    other = PlainCluster()
    await apply(other, replicas=9)
    assert other.replicas["Deployment"] is None


@pytest.mark.parametrize(
    ("error", "reason", "failure"),
    [
        (Foreign("Service", "web", "exists already"), "NameConflict", "NameConflict"),
        (exceptions.Forbidden("no right"), "Forbidden", "Forbidden"),
        (exceptions.Refused("spec.ports: too many"), "InvalidSpec", ""),
        (exceptions.Unavailable("down"), "ApiError", "ApiError"),
        (exceptions.Conflict("changed"), "ApiError", "ApiError"),
        (exceptions.NotFound("no such namespace"), "ApiError", "ApiError"),
        (exceptions.Throttled("later", retry_after=9), "ApiError", "ApiError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_each_error_has_its_reason(cluster: PlainCluster, error: Exception, reason: str, failure: str) -> None:
    cluster.refuse["create Service"] = error
    written = await apply(cluster)
    assert (written.outcome.reason, written.failure) == (reason, failure)
    assert str(error) in written.outcome.message
    assert written.retry_after == getattr(error, "retry_after", 0)


async def test_what_is_refused_is_tried_again_some_day(cluster: PlainCluster) -> None:
    """A policy of the cluster may have refused it, and policies change."""
    cluster.refuse["create Service"] = exceptions.Refused("denied by policy")
    assert (await apply(cluster)).again_in == REFUSED_SECONDS


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("Deployment", 'highavailability.dev/adopt: "true"'),
        ("Service", "spec.service.enabled: false"),
        ("ServiceAccount", "spec.pod.serviceAccountName"),
        ("PodDisruptionBudget", "delete that object"),
    ],
)
async def test_a_taken_name_comes_with_what_to_do(cluster: PlainCluster, kind: str, advice: str) -> None:
    cluster.refuse[f"create {kind}"] = Foreign(kind, "web", "exists already (made by kubectl)")
    message = (await apply(cluster)).outcome.message
    assert f"{kind} 'web' exists already (made by kubectl)" in message
    assert "rename this app, or delete that object" in message
    assert advice in message


async def test_what_only_looks_like_a_child_is_not_written(cluster: PlainCluster) -> None:
    await apply(cluster)
    key = ("Service", "web")
    cluster.writes.clear()
    cluster.stored[key] = replace(cluster.stored[key], owner_uid="another-app")
    assert "belongs to another app" in (await apply(cluster)).outcome.message
    cluster.stored[key] = replace(cluster.stored[key], owner_uid="", owned=b"{}")
    assert "exists already" in (await apply(cluster)).outcome.message
    assert not cluster.made()


async def test_drift_is_told_by_the_field(cluster: PlainCluster) -> None:
    await apply(cluster)
    cluster.events.clear()
    key = ("ServiceAccount", "web")
    cluster.stored[key] = replace(cluster.stored[key], owned=b"{}")
    await apply(cluster)
    assert cluster.events == [
        ("DriftCorrected", "ServiceAccount web: metadata was changed by somebody else and is put right.")
    ]


async def test_a_lost_lease_ends_the_round(cluster: PlainCluster) -> None:
    cluster.refuse["create Service"] = exceptions.NotLeading("lost")
    with pytest.raises(exceptions.NotLeading):
        await apply(cluster)
