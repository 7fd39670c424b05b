"""Which app an event is about, and that nothing is kept of what is gone."""

from typing import Any

import pytest

from haapp.cluster.overlay import Overlay
from haapp.reconcile.ports import Key
from haapp.runtime.triggers import Triggers
from haapp.runtime.workqueue import WorkQueue

KEY = Key("shop", "web")
LABELS = {"app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "web"}


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
def triggers(queue: WorkQueue[Key], overlay: Overlay) -> Triggers:
    return Triggers(queue, overlay)


async def taken(queue: WorkQueue[Key]) -> list[Key]:
    keys = []
    while queue.ready:
        key = await queue.get()
        assert key is not None
        queue.done(key)
        keys.append(key)
    return keys


async def test_news_of_a_pod_is_news_of_a_known_app_alone(queue: WorkQueue[Key], triggers: Triggers) -> None:
    triggers.dependent(event("ADDED", "web-1"))
    assert len(queue) == 0
    triggers.app(event("ADDED"))
    assert await taken(queue) == [KEY]
    triggers.dependent(event("ADDED", "web-1"))
    assert len(queue) == 1


async def test_the_end_of_an_old_app_does_not_hide_a_new_one_of_its_name(
    queue: WorkQueue[Key], triggers: Triggers
) -> None:
    triggers.app(event("ADDED", uid="old"))
    triggers.app(event("ADDED", uid="new"))
    triggers.app(event("DELETED", uid="old"))
    await taken(queue)
    triggers.dependent(event("MODIFIED", "web-1"))
    assert len(queue) == 1


async def test_a_child_told_of_by_no_more_than_its_name_is_gone(queue: WorkQueue[Key], triggers: Triggers) -> None:
    """As when a later list lacks it: nothing but its metadata is known then."""
    for kind in ("Deployment", "Service"):
        triggers.child(kind, event("ADDED", uid=kind, spec={"replicas": 1}))
        await taken(queue)
        triggers.child(kind, event("DELETED", uid=kind))
        assert await taken(queue) == [KEY]
    assert triggers._children == {}


def test_nothing_is_kept_of_apps_children_and_nodes_that_are_gone(triggers: Triggers) -> None:
    for number in range(100):
        name = f"n{number}"
        triggers.app(event("ADDED", name, name))
        triggers.child("Deployment", event("ADDED", name, f"c{number}"))
        triggers.node(event("ADDED", name, name))
    for number in range(100):
        name = f"n{number}"
        triggers.app(event("DELETED", name, name))
        triggers.child("Deployment", event("DELETED", name, f"c{number}"))
        triggers.node(event("DELETED", name, name))
    assert (triggers._apps, triggers._children, triggers._nodes) == ({}, {}, {})
