"""Which app an event is about, and that nothing is kept of what is gone."""

from typing import Any

import pytest

from haapp.children import Child, child_of
from haapp.cluster.overlay import Overlay
from haapp.cluster.view import Indices
from haapp.reconcile.ports import Key
from haapp.runtime.feed import sinks
from haapp.runtime.triggers import Triggers
from haapp.runtime.workqueue import WorkQueue

KEY = Key("shop", "web")
LABELS = {"app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "web"}


APPS, NODES = ("highavailability.dev", "highavailabilityapps"), ("", "nodes")
PODS, DEPLOYMENTS, SERVICES = ("", "pods"), ("apps", "deployments"), ("", "services")
Sinks = dict[tuple[str, str], Any]


def event(kind: str | None, name: str = "web", uid: str = "u1", **more: Any) -> dict[str, Any]:
    meta = {"namespace": "shop", "name": name, "uid": uid, "resourceVersion": "5", "labels": LABELS}
    return {"type": kind, "object": {"metadata": meta, **more}}


@pytest.fixture
def queue() -> WorkQueue[Key]:
    return WorkQueue()


@pytest.fixture
def overlay() -> Overlay:
    return Overlay()


@pytest.fixture
def indices() -> Indices:
    return Indices()


class Lists:
    """Whether the first lists are whole."""

    whole = True


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def feed(queue: WorkQueue[Key], overlay: Overlay, indices: Indices, lists: Lists) -> Sinks:
    return sinks(indices, Triggers(queue, overlay, indices.apps, lambda: lists.whole))


async def taken(queue: WorkQueue[Key]) -> list[Key]:
    keys = []
    while queue.ready:
        key = await queue.get()
        assert key is not None
        queue.done(key)
        keys.append(key)
    return keys


async def test_news_of_a_pod_is_news_of_a_known_app_alone(queue: WorkQueue[Key], feed: Sinks) -> None:
    feed[PODS](event("ADDED", "web-1"))
    assert len(queue) == 0
    feed[APPS](event("ADDED"))
    assert await taken(queue) == [KEY]
    feed[PODS](event("ADDED", "web-1", status={"phase": "Running"}))
    assert len(queue) == 1


async def test_the_end_of_an_old_app_does_not_hide_a_new_one_of_its_name(queue: WorkQueue[Key], feed: Sinks) -> None:
    feed[APPS](event("ADDED", uid="old"))
    feed[APPS](event("ADDED", uid="new"))
    feed[APPS](event("DELETED", uid="old"))
    await taken(queue)
    feed[PODS](event("MODIFIED", "web-1"))
    assert len(queue) == 1


async def test_a_child_told_of_by_no_more_than_its_uid_is_gone(
    queue: WorkQueue[Key], feed: Sinks, indices: Indices
) -> None:
    """As when a later list lacks it."""
    feed[APPS](event("ADDED"))
    for kind in (DEPLOYMENTS, SERVICES):
        feed[kind](event("ADDED", uid=str(kind), spec={"replicas": 1}))
        assert await taken(queue) == [KEY]
        feed[kind]({"type": "DELETED", "object": {"metadata": {"uid": str(kind)}}})
        assert await taken(queue) == [KEY]
    assert len(indices.children) == 0


async def test_what_a_watch_shows_is_in_the_index_before_its_app_is_due(
    queue: WorkQueue[Key], feed: Sinks, indices: Indices, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed[APPS](event("ADDED"))
    await taken(queue)
    seen: list[int] = []
    monkeypatch.setattr(queue, "add", lambda key: seen.append(len(indices.children.get(key))))
    feed[SERVICES](event("ADDED"))
    feed[SERVICES](event("DELETED"))
    assert seen == [1, 0]


async def test_in_a_list_those_come_first_that_ask_for_something(queue: WorkQueue[Key], feed: Sinks) -> None:
    for name, generation, status in (("settled", 1, 1), ("edited", 2, 1), ("new", 1, None)):
        listed = event(None, name, name, **({"status": {"observedGeneration": status}} if status else {}))
        listed["object"]["metadata"]["generation"] = generation
        feed[APPS](listed)
    assert [key.name for key in await taken(queue)] == ["edited", "new", "settled"]


@pytest.mark.parametrize("edit", [{"generation": 2}, {"annotations": {"a": "b"}}, {"labels": LABELS | {"a": "b"}}])
async def test_an_edit_is_seen_that_a_status_of_ours_has_overtaken(
    queue: WorkQueue[Key], feed: Sinks, overlay: Overlay, edit: dict[str, Any]
) -> None:
    """The watch shows nothing but the state that our write of the status left."""
    feed[APPS](event("ADDED"))
    await taken(queue)
    edited = event("MODIFIED")
    edited["object"]["metadata"] |= {"resourceVersion": "7", **edit}
    overlay.app_written(KEY, edited["object"])
    feed[APPS](edited)
    assert await taken(queue) == [KEY]


async def test_our_own_status_is_no_news(queue: WorkQueue[Key], feed: Sinks, overlay: Overlay) -> None:
    feed[APPS](event("ADDED"))
    await taken(queue)
    told = event("MODIFIED")
    told["object"]["metadata"]["resourceVersion"] = "7"
    overlay.app_written(KEY, told["object"])
    feed[APPS](told)
    assert len(queue) == 0


async def test_an_edited_app_comes_before_news_of_others(queue: WorkQueue[Key], feed: Sinks) -> None:
    for name in ("other", "web"):
        feed[APPS](event("ADDED", name, name))
    await taken(queue)
    feed[APPS](event("MODIFIED", "other", "other"))
    edited = event("MODIFIED", "web", "web")
    edited["object"]["metadata"]["generation"] = 2
    feed[APPS](edited)
    assert [key.name for key in await taken(queue)] == ["web", "other"]


async def test_the_first_list_of_nodes_is_no_change(queue: WorkQueue[Key], feed: Sinks, lists: Lists) -> None:
    lists.whole = False
    feed[APPS](event(None))
    await taken(queue)
    node = {"metadata": {"name": "n1", "uid": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    feed[NODES]({"type": None, "object": node})
    assert len(queue) == 0
    lists.whole = True
    feed[NODES]({"type": None, "object": node})
    assert len(queue) == 0
    feed[NODES]({"type": None, "object": node | {"status": {}}})
    assert len(queue) == 1, "a later list has it otherwise"


async def test_a_node_that_comes_or_goes_is_news(queue: WorkQueue[Key], feed: Sinks) -> None:
    feed[APPS](event("ADDED"))
    await taken(queue)
    feed[NODES](event("ADDED", "n1", "n1"))
    assert len(queue) == 1
    queue.discard(KEY)
    feed[NODES](event("DELETED", "n1", "n1"))
    assert len(queue) == 1


async def test_an_app_is_not_due_before_it_was_heard_of(queue: WorkQueue[Key], feed: Sinks, indices: Indices) -> None:
    feed[SERVICES](event(None))
    assert len(queue) == 0
    assert len(indices.children.get(KEY)) == 1


async def test_only_what_is_ours_of_a_child_is_news(queue: WorkQueue[Key], feed: Sinks) -> None:
    feed[APPS](event("ADDED"))
    feed[SERVICES](event("ADDED"))
    await taken(queue)
    feed[SERVICES](event("MODIFIED", status={"loadBalancer": {}}))
    assert len(queue) == 0
    deleting = event("MODIFIED")
    deleting["object"]["metadata"] = {**deleting["object"]["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
    feed[SERVICES](deleting)
    assert await taken(queue) == [KEY]


async def test_the_status_of_a_deployment_is_news_that_may_settle(queue: WorkQueue[Key], feed: Sinks) -> None:
    feed[APPS](event("ADDED"))
    feed[DEPLOYMENTS](event("ADDED"))
    await taken(queue)
    feed[DEPLOYMENTS](event("MODIFIED"))
    assert len(queue) == 0
    feed[DEPLOYMENTS](event("MODIFIED", status={"readyReplicas": 1}))
    assert (queue.ready, len(queue)) == (0, 1)


async def test_the_answer_to_a_write_of_ours_is_no_news_when_the_watch_shows_it(
    queue: WorkQueue[Key], feed: Sinks, overlay: Overlay
) -> None:
    feed[APPS](event("ADDED"))
    await taken(queue)
    overlay.written(KEY, written(event("ADDED")))
    feed[SERVICES](event("ADDED"))
    assert len(queue) == 0
    feed[SERVICES](event("DELETED"))
    assert await taken(queue) == [KEY]


async def test_what_somebody_made_of_a_write_of_ours_is_news(
    queue: WorkQueue[Key], feed: Sinks, overlay: Overlay
) -> None:
    feed[APPS](event("ADDED"))
    await taken(queue)
    overlay.written(KEY, written(event("ADDED")))
    changed = event("MODIFIED")
    changed["object"]["metadata"] = {**changed["object"]["metadata"], "resourceVersion": "6"}
    feed[SERVICES](changed)
    assert await taken(queue) == [KEY]


async def test_an_object_whose_label_somebody_changes_leaves_its_app_which_looks_at_it(
    queue: WorkQueue[Key], feed: Sinks, indices: Indices
) -> None:
    feed[APPS](event("ADDED"))
    feed[SERVICES](event("ADDED"))
    await taken(queue)
    moved = event("MODIFIED")
    moved["object"]["metadata"] = {**moved["object"]["metadata"], "labels": {"app.kubernetes.io/part-of": "other"}}
    feed[SERVICES](moved)
    assert len(indices.children.get(KEY)) == 0
    assert len(indices.children.get(Key("shop", "other"))) == 1
    assert await taken(queue) == [KEY]


def test_an_object_that_cannot_be_read_hides_no_other(
    feed: Sinks, indices: Indices, caplog: pytest.LogCaptureFixture
) -> None:
    feed[PODS]({"type": "ADDED", "object": {"metadata": {"uid": "odd", "labels": 5}}})
    feed[PODS](event("ADDED"))
    assert len(indices.pods.get(KEY)) == 1
    assert "odd: an event could not be read" in caplog.text


def test_nothing_is_kept_of_apps_children_and_nodes_that_are_gone(feed: Sinks, indices: Indices) -> None:
    for number in range(100):
        name = f"n{number}"
        feed[APPS](event("ADDED", name, name))
        feed[DEPLOYMENTS](event("ADDED", name, f"c{number}"))
        feed[NODES](event("ADDED", name, name))
    for number in range(100):
        name = f"n{number}"
        feed[APPS](event("DELETED", name, name))
        feed[DEPLOYMENTS](event("DELETED", name, f"c{number}"))
        feed[NODES](event("DELETED", name, name))
    for index in (indices.apps, indices.nodes, indices.children):
        assert (index._values, index._keys) == ({}, {})


def written(answer: dict[str, Any]) -> Child:
    """The projection of what the API server answered."""
    return child_of("Service", answer["object"])
