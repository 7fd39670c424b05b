"""A visit as a whole: what it reports, when it looks again, and what it never does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.plain_cluster import KEY, UID, PlainCluster, app_object

from haapp import exceptions
from haapp.reconcile.pipeline import FAULT, FAULT_SECONDS, MISSING_API_SECONDS, Reconciler, Visit
from haapp.render import ALL_OPTIONAL_APIS


class Clock:
    now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def reconciler(cluster: PlainCluster, clock: Clock) -> Reconciler:
    return Reconciler(cluster, cluster, clock)  # type: ignore[arg-type]


def condition(cluster: PlainCluster, kind: str) -> tuple[str, str, str]:
    found = next(c for c in cluster.statuses[-1]["conditions"] if c["type"] == kind)
    return found["status"], found["reason"], found["message"]


async def test_an_app_is_written_and_reported(clock: Clock) -> None:
    cluster = PlainCluster(app_object(generation=3))
    visit = await reconciler(cluster, clock).visit(KEY)
    assert not visit.failure
    assert cluster.made()
    assert cluster.statuses[-1]["observedGeneration"] == 3
    assert condition(cluster, "Reconciled")[:2] == ("True", "Reconciled")
    assert cluster.writes[-1] == "status", "what was written is known before it is reported"


async def test_nothing_new_is_no_write(clock: Clock) -> None:
    cluster = PlainCluster(app_object())
    subject = reconciler(cluster, clock)
    await subject.visit(KEY)
    cluster.writes.clear()
    clock.tick(100)
    await subject.visit(KEY)
    assert not {"status", *cluster.made()} & set(cluster.writes)


async def test_an_app_that_is_gone_is_forgotten(clock: Clock) -> None:
    cluster = PlainCluster(None)
    assert await reconciler(cluster, clock).visit(KEY) == Visit(gone=True)
    assert not cluster.writes


async def test_an_app_that_is_being_deleted_is_left_to_the_garbage_collector(clock: Clock) -> None:
    obj = app_object()
    obj["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    cluster = PlainCluster(obj)
    assert await reconciler(cluster, clock).visit(KEY) == Visit()
    assert not cluster.writes


async def test_what_a_deletion_lets_go_of_is_not_taken_back(clock: Clock) -> None:
    """`--cascade=orphan` takes the owner off the children, and their watches may tell of it before that of the app."""
    cluster = PlainCluster(app_object())
    subject = reconciler(cluster, clock)
    await subject.visit(KEY)
    for key, child in cluster.stored.items():
        cluster.stored[key] = replace(child, owner_uid="")
    cluster.writes.clear()
    cluster.refuse["confirm"] = exceptions.NotFound("it has been deleted, which its watch has not told yet")
    with pytest.raises(exceptions.NotFound):
        await subject.visit(KEY)
    assert cluster.made() == []
    cluster.refuse.clear()
    await subject.visit(KEY)
    assert {child.owner_uid for child in cluster.stored.values()} == {UID}, "a reference that somebody else removed"


async def test_what_a_newer_spec_brings_is_made_without_asking_for_the_app(clock: Clock) -> None:
    """Only what was there and is missing looks like the end of the app."""
    cluster = PlainCluster(app_object())
    subject = reconciler(cluster, clock)
    await subject.visit(KEY)
    newer = app_object(networkPolicy={"from": [{"podSelector": {}}]})
    newer["metadata"]["generation"] = 2
    cluster.stored_app = newer | {"status": cluster.statuses[-1]}
    await subject.visit(KEY)
    assert "create NetworkPolicy" in cluster.writes
    assert "confirm" not in cluster.writes
    clock.tick(60)
    await subject.visit(KEY)
    assert cluster.statuses[-1]["observedGeneration"] == 2
    cluster.stored = {key: child for key, child in cluster.stored.items() if child.kind != "NetworkPolicy"}
    await subject.visit(KEY)
    assert cluster.writes[-2:] == ["confirm", "create NetworkPolicy"]


async def test_an_app_that_cannot_be_read_is_told_of_and_waits_for_its_change(clock: Clock) -> None:
    cluster = PlainCluster(app_object(zones={"maxSkew": 0}))
    visit = await reconciler(cluster, clock).visit(KEY)
    assert (visit.failure, visit.again_in) == ("", None)
    assert not cluster.made()
    status, reason, message = condition(cluster, "Reconciled")
    assert (status, reason) == ("False", "InvalidSpec")
    assert "maxSkew" in message
    assert [reason for reason, _ in cluster.events] == ["InvalidSpec"]


async def test_a_fault_is_told_of_and_tried_again_without_haste(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = PlainCluster(app_object())

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("haapp.reconcile.pipeline.assess", broken)
    visit = await reconciler(cluster, clock).visit(KEY)
    assert (visit.failure, visit.retry_after) == (FAULT, FAULT_SECONDS)
    assert "ZeroDivisionError: oops" in condition(cluster, "Reconciled")[2]


@pytest.mark.parametrize("what", ["discover", "list configs"])
async def test_what_cannot_be_asked_is_not_guessed(clock: Clock, what: str) -> None:
    """Pods whose configs are not known for now must not be rolled."""
    cluster = PlainCluster(app_object(pod={"volumes": [{"name": "c", "configMap": {"name": "settings"}}]}))
    cluster.refuse[what] = exceptions.Throttled("later", retry_after=9)
    visit = await reconciler(cluster, clock).visit(KEY)
    assert (visit.failure, visit.retry_after) == ("ApiError", 9)
    assert not cluster.made()
    assert condition(cluster, "Reconciled")[:2] == ("False", "ApiError")


async def test_a_status_that_cannot_be_written_is_a_failure_of_the_visit(clock: Clock) -> None:
    cluster = PlainCluster(app_object())
    cluster.refuse["status"] = exceptions.Unavailable("down")
    with pytest.raises(exceptions.Unavailable):
        await reconciler(cluster, clock).visit(KEY)
    assert cluster.made(), "what is asked for is written all the same"
    assert [reason for reason, _ in cluster.events] == ["Created"], "and nothing is told that is not written"


@pytest.mark.parametrize(
    ("spec", "waits"),
    [
        ({"route": {"parentRefs": [{"name": "g"}]}}, True),
        ({"monitoring": {"port": "http", "podMonitor": True}}, True),
        ({"monitoring": {"port": "http"}}, False),
        ({}, False),
    ],
)
async def test_an_api_that_is_missing_is_looked_for_again(clock: Clock, spec: dict[str, Any], waits: bool) -> None:
    cluster = PlainCluster(app_object(**spec))
    visit = await reconciler(cluster, clock).visit(KEY)
    assert visit.again_in == (MISSING_API_SECONDS if waits else None)
    assert not visit.failure
    cluster.apis = ALL_OPTIONAL_APIS
    assert (await reconciler(cluster, clock).visit(KEY)).again_in is None


async def test_a_number_may_wait_and_a_clock_that_is_set_back_holds_nothing(clock: Clock) -> None:
    cluster = PlainCluster(app_object())
    subject = reconciler(cluster, clock)
    await subject.visit(KEY)
    assert cluster.stored_app is not None
    clock.tick(0.5)
    cluster.stored_app["status"] = {**cluster.stored_app["status"], "readyReplicas": 7}
    waits = (await subject.visit(KEY)).again_in
    assert waits is not None
    assert 0 < waits < 10
    assert len(cluster.statuses) == 1
    clock.tick(-3600)
    await subject.visit(KEY)
    assert len(cluster.statuses) == 2


async def test_the_deployments_controller_keeps_the_time_that_it_was_given_once(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hearing(*_: Any, crowded: bool) -> float:
        return 20.0 if crowded else 5.0

    monkeypatch.setattr("haapp.reconcile.pipeline.hearing", hearing)
    cluster, crowd = PlainCluster(app_object()), [False]
    subject = Reconciler(cluster, cluster, clock, crowded=lambda: crowd[0])  # type: ignore[arg-type]
    assert (await subject.visit(KEY)).again_in == 5.0
    crowd[0] = True
    clock.tick(4)
    assert (await subject.visit(KEY)).again_in == 16.0
    crowd[0] = False
    clock.tick(15)
    assert (await subject.visit(KEY)).again_in == 1.0
    assert not cluster.statuses
    clock.tick(1)
    await subject.visit(KEY)
    assert cluster.statuses
