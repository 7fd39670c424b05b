"""What is ours stays as asked, whoever changes it; what is not ours is left alone."""

import json

import pytest
from tests.space import Object, Space, app

from devcluster.audit import AuditLog
from haapp.api import names

pytestmark = pytest.mark.usefixtures("operator")

SOON = 10.0
"""Put right within a second on a quiet machine."""


def container(space: Space) -> Object:
    found: Object = space.get("deployments")["spec"]["template"]["spec"]["containers"][0]
    return found


def test_changed_fields_are_put_right(space: Space) -> None:
    space.apply(app(replicas=2, autoscaling={"minReplicas": 2, "maxReplicas": 3}))
    space.wait_ready()
    wrong_image = {"name": "app", "image": "intruder"}
    changes: dict[str, Object] = {
        "deployments": {"spec": {"template": {"spec": {"containers": [wrong_image]}}}},
        "services": {"spec": {"selector": {"intruder": "yes", names.LABEL_NAME: "other"}}},
        "poddisruptionbudgets": {"spec": {"maxUnavailable": 2}},
        "horizontalpodautoscalers": {"spec": {"maxReplicas": 9}},
        "serviceaccounts": {"automountServiceAccountToken": True},
    }

    def look() -> Object:
        now = {plural: space.get(plural) for plural in changes}
        return {
            "image": container(space)["image"],
            "selector": now["services"]["spec"]["selector"][names.LABEL_NAME],
            "budget": now["poddisruptionbudgets"]["spec"].get("maxUnavailable"),
            "most": now["horizontalpodautoscalers"]["spec"]["maxReplicas"],
            "token": now["serviceaccounts"]["automountServiceAccountToken"],
            "objects": {plural: obj["metadata"]["uid"] for plural, obj in now.items()},
        }

    asked = look()
    for plural, change in changes.items():
        space.patch(plural, "web", change, manager="intruder")
    space.wait_same(look, asked, SOON)
    told = space.wait(lambda: [note for reason, note in space.events() if reason == "DriftCorrected"], "an Event")
    assert any("was changed by somebody else and is put right" in note for note in told)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {names.LABEL_NAME: "other"}},
        {"labels": {names.LABEL_PART_OF: "other"}},
        {"labels": {names.LABEL_MANAGED_BY: None}},
        {"labels": {names.LABEL_COMPONENT: "other"}},
        {"ownerReferences": None},
        {"annotations": {names.HASH_ANNOTATION: "0"}},
    ],
    ids=lambda change: next(iter(next(iter(change.values())) or {"owner": 0})),
)
def test_what_makes_a_child_ours_is_put_right(space: Space, change: Object) -> None:
    space.apply(app(replicas=1))
    space.wait_reconciled()
    before = space.get("services")
    space.patch("services", "web", {"metadata": change}, manager="intruder")

    def right() -> bool:
        meta, was = space.get("services")["metadata"], before["metadata"]
        return all(meta.get(part) == was[part] for part in ("uid", "labels", "annotations", "ownerReferences"))

    space.wait(right, "the Service as it was", SOON)


def test_a_field_that_excludes_ours_gives_way(space: Space) -> None:
    """The server takes either of two fields, and somebody has put the other one in our field's place."""
    env = [{"name": "MODE", "value": "fast"}]
    space.apply(app(replicas=2, app={"image": "example/web:1", "env": env}))
    space.wait_ready()
    theirs = {"name": "MODE", "value": None, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    containers = [{"name": "app", "image": "example/web:1", "env": [theirs]}]
    swapped = {"spec": {"maxUnavailable": None, "minAvailable": 2}}

    def look() -> Object:
        return {"env": container(space)["env"], "budget": space.get("poddisruptionbudgets")["spec"]}

    asked = look()
    space.patch("deployments", "web", {"spec": {"template": {"spec": {"containers": containers}}}}, manager="intruder")
    space.patch("poddisruptionbudgets", "web", swapped, manager="intruder")
    space.wait_same(look, asked, SOON)
    space.wait_ready()


def test_deleted_children_come_back(space: Space) -> None:
    space.apply(app(replicas=2))
    space.wait_ready()
    plurals = ("services", "deployments", "poddisruptionbudgets", "serviceaccounts")
    uids = {plural: space.get(plural)["metadata"]["uid"] for plural in plurals}
    for plural in plurals:
        space.delete(plural, "web")

    def back() -> bool:
        found = [(uid, space.find(plural)) for plural, uid in uids.items()]
        return all(obj is not None and obj["metadata"]["uid"] != uid for uid, obj in found)

    space.wait(back, "new children")
    space.wait_ready()


def test_what_others_add_is_left_alone(space: Space, audit: AuditLog) -> None:
    space.apply(app(replicas=1))
    space.wait_ready()
    sidecar = {"name": "proxy", "image": "mesh"}
    pod = {"metadata": {"annotations": {"mesh/injected": "true"}}, "spec": {"containers": [sidecar]}}
    mark = audit.mark()
    space.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"team": "a"}, "annotations": {"note": "b"}},
            "spec": {"template": pod},
        },
        manager="mesh",
    )
    space.patch("services", "web", {"metadata": {"annotations": {"lb/external": "yes"}}}, manager="lb")
    space.wait_ready()
    space.wait(lambda: space.status()["updatedReplicas"] == 1, "the pod with the sidecar")
    changed = [
        r
        for r in audit.since(mark)
        if r.is_write
        and r.namespace == space.name
        and r.user_agent.startswith("haapp")
        and r.resource in ("deployments", "services")
    ]
    assert not changed
    space.apply(app(replicas=1, app={"image": "example/web:2", "ports": [{"name": "http", "containerPort": 8080}]}))
    space.wait(lambda: container(space)["image"] == "example/web:2", "the new image")
    kept = space.get("deployments")
    assert [c["name"] for c in kept["spec"]["template"]["spec"]["containers"]] == ["app", "proxy"]
    assert kept["spec"]["template"]["metadata"]["annotations"]["mesh/injected"] == "true"
    assert kept["metadata"]["labels"]["team"] == "a"
    assert kept["metadata"]["annotations"]["note"] == "b"
    assert space.get("services")["metadata"]["annotations"]["lb/external"] == "yes"


def test_a_storm_of_news_is_no_storm_of_writes(space: Space, audit: AuditLog) -> None:
    """Pods and the Deployment's status change all the time; only the status answers, and less often."""
    space.apply(app(replicas=1))
    space.wait_ready()
    mark = audit.mark()
    condition = {"type": "Noise", "status": "True", "reason": "Noise", "message": ""}
    for number in range(40):
        noise = [{**condition, "message": str(number)}]
        space.patch("deployments", "web", {"status": {"conditions": noise}}, manager="noise", subresource="status")
        space.patch("deployments", "web", {"metadata": {"annotations": {"noise": str(number)}}}, manager="noise")
    requests = [r for r in audit.since(mark) if r.namespace == space.name and r.user_agent.startswith("haapp")]
    assert {r.resource for r in requests if r.is_write} <= {f"{names.PLURAL}/status", "events"}
    assert len(requests) < 20, json.dumps([str(r) for r in requests])
