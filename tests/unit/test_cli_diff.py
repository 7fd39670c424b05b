"""Objects compared by field, and the patch that `kubectl apply` would send."""

from typing import Any

import pytest

from haapp.cli.applying import _manager, _patch
from haapp.cli.children_diff import Change
from haapp.cli.diff import _change_as_json, replaces_pods
from haapp.cli.differences import ABSENT, Difference, compare, described


def fields(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(it.path, it.before, it.after) for it in compare({"spec": before}, {"spec": after})]


CASES: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, Any, Any]]]] = [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": 2}, [("spec.a", 1, 2)]),
    ({"a": 1}, {"a": True}, [("spec.a", 1, True)]),
    ({"a": 1}, {}, [("spec.a", 1, ABSENT)]),
    ({}, {"a": {"b": 1}}, [("spec.a", ABSENT, {"b": 1})]),
    ({"x.y/z": 1}, {"x.y/z": 2}, [("spec[x.y/z]", 1, 2)]),
    (
        {"c": [{"name": "a", "v": 1}, {"name": "b"}]},
        {"c": [{"name": "a", "v": 2}, {"name": "d"}]},
        [("spec.c[a].v", 1, 2), ("spec.c[b]", {"name": "b"}, ABSENT), ("spec.c[d]", ABSENT, {"name": "d"})],
    ),
    ({"p": [{"port": 1}]}, {"p": [{"port": 1, "x": 2}]}, [("spec.p[1].x", ABSENT, 2)]),
    ({"c": [1, 2]}, {"c": [1, 3]}, [("spec.c[1]", 2, 3)]),
    (
        {"c": [{"name": "a"}, {"name": "b"}]},
        {"c": [{"name": "b"}, {"name": "a"}]},
        [("spec.c (order)", ["a", "b"], ["b", "a"])],
    ),
    ({"c": [{"name": "a"}, {"name": "a"}]}, {"c": [{"name": "a"}]}, [("spec.c[1]", {"name": "a"}, ABSENT)]),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_fields_that_differ(
    before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, Any, Any]]
) -> None:
    assert fields(before, after) == expected


def test_what_others_keep_is_no_difference() -> None:
    before = {
        "metadata": {
            "name": "a",
            "uid": "1",
            "resourceVersion": "1",
            "generation": 1,
            "managedFields": [],
            "annotations": {"highavailability.dev/desired-hash": "1"},
        },
        "status": {"replicas": 1},
    }
    after = {"metadata": {"name": "a", "annotations": {"deployment.kubernetes.io/revision": "2"}}, "status": {}}
    assert compare(before, after) == ()
    (found,) = compare(before, {"metadata": {"name": "a", "annotations": {"mine": "1"}}})
    assert found.path == "metadata.annotations"


def test_differences_as_people_read_them() -> None:
    assert list(described(Difference("a", 1, 2))) == [("~", "a: 1 -> 2")]
    assert list(described(Difference("a", ABSENT, "x"))) == [("+", 'a: "x"')]
    assert list(described(Difference("a", None, ABSENT))) == [("-", "a: null")]
    assert list(described(Difference("a", "one\ntwo\n", "one\n2\n"))) == [
        ("~", "a:"),
        (" ", "  @@ -1,2 +1,2 @@"),
        (" ", "   one"),
        (" ", "  -two"),
        (" ", "  +2"),
    ]
    ((_, text),) = described(Difference("a", ABSENT, "x" * 500))
    assert len(text) < 120


def test_json_leaves_out_the_side_that_is_not_there() -> None:
    assert Difference("a", ABSENT, None).as_json() == {"path": "a", "after": None}
    change = Change("Deployment", "x", "change", (Difference("spec.template.spec.nodeName", "a", ABSENT),))
    assert replaces_pods(change)
    assert _change_as_json(change) == {
        "kind": "Deployment",
        "name": "x",
        "action": "change",
        "fields": [{"path": "spec.template.spec.nodeName", "before": "a"}],
        "replacesPods": True,
    }


def test_what_was_applied_before_and_is_asked_for_no_longer_is_taken_away() -> None:
    last = {"spec": {"replicas": 3, "zones": {"maxSkew": 1, "keepReady": 2}, "gone": {"a": 1}}}
    new = {"spec": {"replicas": 3, "zones": {"maxSkew": 2}}}
    assert _patch(last, new) == {
        "spec": {"replicas": 3, "zones": {"maxSkew": 2, "keepReady": None}, "gone": None},
    }


@pytest.mark.parametrize(
    ("entry", "manager"),
    [
        ({"manager": "argocd", "operation": "Apply", "fieldsV1": {"f:spec": {}}}, "argocd"),
        ({"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {}}}, None),
        ({"manager": "x", "operation": "Apply", "fieldsV1": {"f:metadata": {}}}, None),
        ({"manager": "ha-operator", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}}, None),
    ],
)
def test_who_applies_the_app(entry: dict[str, Any], manager: str | None) -> None:
    assert _manager({"metadata": {"managedFields": [entry]}}) == manager
