"""An object of the same name that is not the app's: never touched, told of, and waited for."""

from functools import partial

import pytest
from tests.space import Object, Space, app, owners

from haapp.api import names

pytestmark = pytest.mark.usefixtures("operator")

LOGS: Object = {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}
WAIT_SECONDS = 30.0
"""The retry's delay doubles: after a few seconds of conflict the next try comes within as many."""


def foreign(kind: str, name: str) -> Object:
    """A hand-made object."""
    labels = {"app": "theirs"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "theirs"}]}}
    content: dict[str, Object] = {
        "Service": {"spec": {"selector": labels, "ports": [{"port": 80}]}},
        "ConfigMap": {"data": {"theirs": "yes"}},
        "ServiceAccount": {},
        "PodDisruptionBudget": {"spec": {"minAvailable": 0, "selector": {"matchLabels": labels}}},
        "Deployment": {"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}},
    }
    versions = {"Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1"}
    return {"apiVersion": versions.get(kind, "v1"), "kind": kind, "metadata": {"name": name}, **content[kind]}


TAKEN = {
    "services": foreign("Service", "services"),
    "configmaps": foreign("ConfigMap", "configmaps-log-shipper-config"),
    "serviceaccounts": foreign("ServiceAccount", "serviceaccounts"),
    "poddisruptionbudgets": foreign("PodDisruptionBudget", "poddisruptionbudgets"),
    "deployments": foreign("Deployment", "deployments"),
}


def test_a_foreign_object_is_left_alone_until_it_is_gone(space: Space) -> None:
    theirs = {plural: space.create(obj) for plural, obj in TAKEN.items()}
    for plural in ("deployments", "poddisruptionbudgets"):  # their own controllers write their status
        theirs[plural] = space.wait(partial(observed, space, plural), f"the status of {plural}")
    space.apply(*(app(name, replicas=2, logSidecar=LOGS) for name in TAKEN))
    for plural, obj in TAKEN.items():
        message = space.wait_condition("Reconciled", "False", "NameConflict", name=plural)["message"]
        name = obj["metadata"]["name"]
        assert f"{obj['kind']} {name!r} exists already" in message
        assert "rename this app, or delete that object" in message
        assert space.condition("Stalled", plural)["reason"] == "NameConflict"
        assert space.condition("Ready", plural)["status"] == "False"
    for plural, obj in TAKEN.items():
        assert space.get(plural, obj["metadata"]["name"]) == theirs[plural]
    for plural, obj in TAKEN.items():
        space.delete(plural, obj["metadata"]["name"])
    for plural, obj in TAKEN.items():
        space.wait_condition("Reconciled", name=plural, timeout=WAIT_SECONDS)
        assert owners(space.get(plural, obj["metadata"]["name"])) == [f"{names.KIND}/{plural}"]


def test_another_apps_child_is_its_own(space: Space) -> None:
    space.apply(app("shop", replicas=1, cache={"redis": {}}))
    space.wait_ready("shop")
    before = space.get("services", "shop-cache")
    space.apply(app("shop-cache", replicas=1))
    message = space.wait_condition("Reconciled", "False", "NameConflict", name="shop-cache")["message"]
    assert "belongs to HighAvailabilityApp 'shop'" in message
    assert space.get("services", "shop-cache") == before
    space.wait_ready("shop")
    space.delete(names.PLURAL, "shop")
    space.wait_condition("Reconciled", name="shop-cache", timeout=60)


def test_our_label_alone_makes_nothing_ours(space: Space) -> None:
    """Somebody copied one of our objects: it is listed among our children, and is not one."""
    copied = foreign("Service", "web")
    copied["metadata"]["labels"] = {names.LABEL_NAME: "web", names.LABEL_MANAGED_BY: names.MANAGED_BY}
    other = foreign("ConfigMap", "bystander")
    other["metadata"]["labels"] = copied["metadata"]["labels"]
    theirs = [space.create(copied), space.create(other)]
    space.apply(app(replicas=1))
    message = space.wait_condition("Reconciled", "False", "NameConflict")["message"]
    assert "exists already" in message
    assert [space.get("services"), space.get("configmaps", "bystander")] == theirs
    space.delete("services", "web")
    space.wait_ready()
    assert space.get("configmaps", "bystander") == theirs[1]


def observed(space: Space, plural: str) -> Object | None:
    obj = space.get(plural, plural)
    return obj if obj.get("status", {}).get("observedGeneration") else None
