"""The operator's own writes are seen at once, and believed no longer than until the watch tells otherwise."""

from dataclasses import replace

from haapp.children import Child
from haapp.cluster.overlay import PATIENCE, Overlay
from haapp.reconcile.ports import Key

KEY = Key("shop", "web")
CHILD = Child("Service", "shop", "web", "u1", "10", "owner", "h", b"{}", False)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


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
    clock = Clock()
    overlay = Overlay(clock)
    overlay.written(KEY, CHILD)
    overlay.deleted(Key("shop", "b"), replace(CHILD, uid="u9"))
    clock.now = PATIENCE + 1
    assert overlay.children(KEY, []) == ()
    assert len(overlay.children(Key("shop", "b"), [replace(CHILD, uid="u9")])) == 1


def test_the_newer_status_is_used() -> None:
    overlay = Overlay()
    seen = {"metadata": {"uid": "a", "resourceVersion": "5"}}
    written = {"metadata": {"uid": "a", "resourceVersion": "6"}}
    overlay.app_written(KEY, written)
    assert overlay.app(KEY, seen) is written
    later = {"metadata": {"uid": "a", "resourceVersion": "7"}}
    assert overlay.app(KEY, later) is later
    assert overlay.app(KEY, seen) is seen
    overlay.app_written(KEY, written)
    assert overlay.app(KEY, None) is None
