"""What is ours of a child, and what has to be written: told from managedFields alone."""

from typing import Any

import orjson
import pytest

from haapp.api.names import API_VERSION, FIELD_MANAGER, HASH_ANNOTATION, KIND
from haapp.children import Child, child_of, plan
from haapp.children.ownership import first_missing

UID = "app-uid"

DESIRED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "labels": {"a": "1"},
        "annotations": {HASH_ANNOTATION: "h1"},
        "ownerReferences": [{"uid": UID}],
    },
    "spec": {
        "replicas": 3,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "app",
                        "args": ["-v"],
                        "ports": [{"containerPort": 80}],
                        "resources": {"limits": {"cpu": 1}},
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }
        },
    },
}

OWNED: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:a": {}}, "f:annotations": {f"f:{HASH_ANNOTATION}": {}}, "f:ownerReferences": {}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"app"}': {
                        ".": {},
                        "f:name": {},
                        "f:args": {},
                        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                        "f:resources": {"f:limits": {"f:cpu": {}}},
                    }
                },
                "f:volumes": {'k:{"name":"tmp"}': {".": {}, "f:emptyDir": {}, "f:name": {}}},
            }
        },
    },
}


def without(*path: str) -> dict[str, Any]:
    """What the server says after the field at `path` was taken: parents that hold nothing else are gone with it."""
    fields: dict[str, Any] = orjson.loads(orjson.dumps(OWNED))
    for depth in range(len(path), 0, -1):
        parent = fields
        for step in path[: depth - 1]:
            parent = parent[step]
        if depth == len(path) or not parent[path[depth - 1]]:
            del parent[path[depth - 1]]
    return fields


def live(fields: dict[str, Any], *, digest: str = "h1", uid: str = "c1", owner: str = UID) -> Child:
    return child_of(
        "Deployment",
        {
            "metadata": {
                "name": "web",
                "namespace": "shop",
                "uid": uid,
                "resourceVersion": "7",
                "annotations": {HASH_ANNOTATION: digest},
                "ownerReferences": [{"apiVersion": API_VERSION, "kind": KIND, "uid": owner, "controller": True}]
                if owner
                else [],
                "managedFields": [
                    {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}},
                    {"manager": FIELD_MANAGER, "operation": "Update", "subresource": "status", "fieldsV1": {"f:x": {}}},
                    {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": fields},
                ],
            }
        },
    )


def test_all_fields_held_means_no_request() -> None:
    assert not plan([DESIRED], [live(OWNED)], UID)


CONTAINER = ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"app"}')


@pytest.mark.parametrize(
    ("lost", "path"),
    [
        (("f:spec", "f:replicas"), "spec.replicas"),
        (("f:metadata", "f:labels", "f:a"), "metadata.labels"),
        (CONTAINER, "spec.template.spec.containers"),
        ((*CONTAINER, "f:args"), "spec.template.spec.containers[0].args"),
        ((*CONTAINER, "f:resources", "f:limits", "f:cpu"), "spec.template.spec.containers[0].resources"),
        (("f:spec", "f:template", "f:spec", "f:volumes", 'k:{"name":"tmp"}'), "spec.template.spec.volumes"),
    ],
)
def test_a_field_taken_by_somebody_else_is_put_right(lost: tuple[str, ...], path: str) -> None:
    child = live(without(*lost))
    planned = plan([DESIRED], [child], UID)
    assert [c.uid for _, c in planned.updates] == ["c1"]
    assert planned.drifted == (child,)
    assert (first_missing(DESIRED, child.owned) or "").startswith(path)


def test_members_of_a_set_are_ours_one_by_one() -> None:
    fields: dict[str, Any] = {**OWNED, "f:metadata": {**OWNED["f:metadata"], "f:finalizers": {'v:"a"': {}, "v:1": {}}}}

    def lost(finalizers: list[Any]) -> str | None:
        wanted = {**DESIRED, "metadata": {**DESIRED["metadata"], "finalizers": finalizers}}
        return first_missing(wanted, live(fields).owned)

    assert lost(["a", 1]) is None
    assert lost(["a", "b"]) == "metadata.finalizers[1]"
    assert lost([]) is None


@pytest.mark.parametrize("nothing", [{}, [], None])
def test_what_asks_for_nothing_cannot_be_missing(nothing: Any) -> None:
    wanted = {**DESIRED, "spec": {**DESIRED["spec"], "strategy": nothing}}
    assert first_missing(wanted, live(OWNED).owned) is None


@pytest.mark.parametrize("whole", [{"a": "b"}, ["a"], [{"a": "b"}]])
def test_a_map_or_list_that_is_owned_as_a_whole_is_not_looked_into(whole: Any) -> None:
    fields = {**OWNED, "f:spec": {**OWNED["f:spec"], "f:selector": {}}}
    wanted = {**DESIRED, "spec": {**DESIRED["spec"], "selector": whole}}
    assert first_missing(wanted, live(fields).owned) is None
    assert first_missing(wanted, live(OWNED).owned) == "spec.selector"


def test_an_item_that_is_not_ours_is_told_by_its_place() -> None:
    more = {"name": "log", "image": "log:1"}
    template = DESIRED["spec"]["template"]["spec"]
    wanted = {
        **DESIRED,
        "spec": {"template": {"spec": {**template, "containers": [*template["containers"], more]}}},
    }

    assert first_missing(wanted, live(OWNED).owned) == "spec.template.spec.containers[1]"


def test_a_changed_intent_is_an_update_and_not_drift() -> None:
    planned = plan([DESIRED], [live(OWNED, digest="h0")], UID)
    assert len(planned.updates) == 1
    assert not planned.drifted


def test_a_lost_owner_reference_is_put_right() -> None:
    assert len(plan([DESIRED], [live(OWNED, owner="")], UID).updates) == 1


def test_another_apps_child_is_a_conflict_and_left_alone() -> None:
    planned = plan([DESIRED], [live(OWNED, owner="other")], UID)
    assert len(planned.conflicts) == 1
    assert not planned


def test_an_object_that_only_carries_our_label_is_a_conflict() -> None:
    foreign = child_of("Deployment", {"metadata": {"name": "web", "namespace": "shop", "uid": "f"}})
    planned = plan([DESIRED], [foreign], UID)
    assert planned.conflicts == (foreign,)
    assert not planned


def test_what_is_missing_is_created_and_what_is_not_asked_for_deleted() -> None:
    assert plan([DESIRED], [], UID).creates == (DESIRED,)
    assert [c.uid for c in plan([], [live(OWNED)], UID).deletes] == ["c1"]
    assert not plan([], [live(OWNED, owner="other")], UID).deletes


def test_status_writes_and_owner_references_do_not_show_in_what_is_owned() -> None:
    assert live(OWNED).owned == live(without("f:metadata", "f:ownerReferences")).owned
