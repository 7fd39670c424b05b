"""The operator's own writes are seen at once, and believed no longer than until the watch tells otherwise."""

from dataclasses import replace
from typing import Any

from tests.clock import Clock

from haapp.children import Child
from haapp.cluster.overlay import PATIENCE, Overlay
from haapp.cluster.seen import seen_app
from haapp.reconcile.ports import Key

KEY = Key("shop", "web")
CHILD = Child("Service", "shop", "web", "u1", "10", "owner", "h", b"{}", False)


def test_a_write_is_seen_before_the_watch_shows_it() -> None:
    overlay = Overlay()
    overlay.written(KEY, CHILD)
    assert overlay.children(KEY, []) == (CHILD,)
    old = replace(CHILD, resource_version="9")
    assert overlay.children(KEY, [old]) == (CHILD,)


def test_the_watch_wins_once_it_has_caught_up() -> None:
    overlay = Overlay()
    overlay.written(KEY, CHILD)
    newer = replace(CHILD, resource_version="11", owned=b'{"f:a":{}}')
    assert overlay.children(KEY, [newer]) == (newer,)
    assert overlay.children(KEY, []) == ()


def test_versions_are_compared_as_numbers() -> None:
    overlay = Overlay()
    overlay.written(KEY, replace(CHILD, resource_version="10"))
    older = replace(CHILD, resource_version="9")
    assert overlay.children(KEY, [older])[0].resource_version == "10"


def test_a_deletion_is_seen_before_the_watch_shows_it() -> None:
    overlay = Overlay()
    overlay.deleted(KEY, CHILD)
    assert overlay.children(KEY, [CHILD]) == ()
    recreated = replace(CHILD, uid="u2", resource_version="12")
    assert overlay.children(KEY, [recreated]) == (recreated,)


def test_an_answer_that_comes_after_the_objects_end_is_not_believed() -> None:
    overlay = Overlay()
    overlay.gone(KEY, "u1")
    overlay.written(KEY, CHILD)
    assert overlay.children(KEY, []) == ()


def test_a_child_deleted_by_somebody_else_is_gone() -> None:
    overlay = Overlay()
    overlay.written(KEY, CHILD)
    overlay.gone(KEY, "u1")
    assert overlay.children(KEY, []) == ()


def test_nothing_is_believed_for_ever() -> None:
    clock = Clock(0.0)
    overlay = Overlay(clock)
    overlay.written(KEY, CHILD)
    overlay.deleted(Key("shop", "b"), replace(CHILD, uid="u9"))
    clock.now = PATIENCE + 1
    assert overlay.children(KEY, []) == ()
    assert len(overlay.children(Key("shop", "b"), [replace(CHILD, uid="u9")])) == 1


def app(version: str) -> dict[str, Any]:
    return {"metadata": {"uid": "a", "resourceVersion": version}}


def test_the_newer_status_is_used() -> None:
    overlay = Overlay()
    overlay.app_written(KEY, app("6"))
    assert overlay.app(KEY, seen_app(app("5"))) == app("6")
    assert overlay.app(KEY, seen_app(app("7"))) == app("7")
    assert overlay.app(KEY, seen_app(app("5"))) == app("5"), "forgotten once the watch has shown a later one"


def test_the_answer_to_another_app_of_the_same_name_is_not_used() -> None:
    overlay = Overlay()
    overlay.app_written(KEY, {"metadata": {"uid": "old", "resourceVersion": "6"}})
    assert overlay.app(KEY, seen_app(app("5"))) == app("5")


def test_nothing_is_kept_of_a_status_that_the_watch_has_shown() -> None:
    overlay = Overlay()
    overlay.app_written(KEY, app("6"))
    assert not overlay.has_shown_app(KEY, seen_app(app("5")))
    assert overlay.has_shown_app(KEY, seen_app(app("6")))
    assert not overlay._apps


def test_what_is_kept_of_an_app_is_all_but_its_managed_fields() -> None:
    obj = {"metadata": {"uid": "a", "generation": 2, "managedFields": [{}]}, "spec": {}}
    assert seen_app(obj).body() == {"metadata": {"uid": "a", "generation": 2}, "spec": {}}
    assert not seen_app(obj).told
    assert not seen_app(obj | {"status": {"observedGeneration": 1}}).told
    assert seen_app(obj | {"status": {"observedGeneration": 2}}).told
