"""The way of one change, from the edit to the status, and what stops it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.space import Object, Space, app, managers

from devcluster.audit import AuditLog
from devcluster.cluster import Cluster
from devcluster.shell import ClusterError, wait_for
from haapp.api import names

pytestmark = pytest.mark.usefixtures("operator")

CRD = f"{names.PLURAL}.{names.GROUP}"


def image(tag: int) -> Object:
    return {"app": {"image": f"example/web:{tag}", "ports": [{"name": "http", "containerPort": 8080}]}}


def running_image(space: Space) -> str:
    return str(space.get("deployments")["spec"]["template"]["spec"]["containers"][0]["image"])


def test_an_app_becomes_ready_and_an_edit_reaches_its_pods(space: Space) -> None:
    space.apply(app(**image(1)))
    space.wait_ready()
    status = space.status()
    assert (status["replicas"], status["readyReplicas"], status["updatedReplicas"]) == (3, 3, 3)
    assert status["observedGeneration"] == 1
    assert status["summary"].startswith("3/3 ready")
    space.apply(app(**image(2)))
    space.wait(lambda: running_image(space) == "example/web:2", "the new image")
    space.wait_ready()
    space.wait(lambda: space.status()["replicas"] == space.status()["updatedReplicas"] == 3, "the end of the rollout")
    pods = space.items("pods", status["selector"])
    assert {pod["spec"]["containers"][0]["image"] for pod in pods if not pod["metadata"].get("deletionTimestamp")} == {
        "example/web:2"
    }
    assert space.status()["observedGeneration"] == 2
    assert {"Reconciling", "Stalled"}.isdisjoint(c["type"] for c in space.status()["conditions"])


def test_nothing_but_the_status_is_written_on_the_app(space: Space) -> None:
    written = app(replicas=1)
    space.apply(written)
    space.wait_ready()
    obj = space.get(names.PLURAL)
    assert "finalizers" not in obj["metadata"]
    assert "annotations" not in obj["metadata"]
    assert "labels" not in obj["metadata"]
    assert obj["metadata"]["generation"] == 1
    by_whom = managers(obj)
    assert by_whom.pop("user") == {"spec"}
    assert list(by_whom.values()) == [{"status"}]
    assert all(who.endswith("/status") for who in by_whom)


def test_the_order_works_the_first_time(space: Space, audit: AuditLog) -> None:
    logs = {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}
    mark = audit.mark()
    space.apply(app(replicas=1, logSidecar=logs, cache={"redis": {}}))
    space.wait_ready()
    writes = [r for r in audit.since(mark) if r.namespace == space.name and r.user_agent.startswith("haapp")]
    made = [r.resource for r in writes if r.resource in {"serviceaccounts", "configmaps", "deployments"}]
    assert set(made[:2]) == {"serviceaccounts", "configmaps"}
    assert made[2:] == ["deployments", "deployments"]
    assert all(r.code < 300 for r in writes), writes


def test_hostile_text_reaches_the_pods_as_it_is(space: Space) -> None:
    texts = [
        "\u0085 \u2028  \u2029",
        "\U0001f600",
        "\ufeff\x7f",
        "---\nkind: x",
        "{{ a }} *b &c !d",
        "'\"\\#:\t",
        "\u00e9\n ",
    ]
    env = [{"name": f"TEXT_{number}", "value": text} for number, text in enumerate(texts)]
    space.create(app(replicas=1, app={"image": "example/web:1", "env": env}))
    space.wait_ready()
    assert space.get("deployments")["spec"]["template"]["spec"]["containers"][0]["env"] == env


def test_a_paused_app_is_only_reported(space: Space, audit: AuditLog) -> None:
    space.apply(app(replicas=1, paused=True, **image(1)))
    space.wait_condition("Reconciled", "False", "Paused")
    assert not space.has("deployments")
    space.apply(app(replicas=1, **image(1)))
    space.wait_ready()
    mark = audit.mark()
    space.apply(app(replicas=2, paused=True, **image(2)))
    message = space.wait_condition("Reconciled", "False", "Paused")["message"]
    assert "spec.paused is true" in message
    space.delete("services", "web")
    space.wait(lambda: "changes wait" in space.condition("Reconciled")["message"], "what waits")
    writes = [
        r for r in audit.since(mark) if r.namespace == space.name and r.is_write and r.user_agent.startswith("haapp")
    ]
    assert {r.resource for r in writes} <= {f"{names.PLURAL}/status", "events"}
    assert running_image(space) == "example/web:1"
    assert not space.has("services")
    space.apply(app(replicas=2, **image(2)))
    space.wait_ready()
    assert running_image(space) == "example/web:2"
    assert space.has("services")


def test_what_contradicts_itself_names_the_field_and_recovers(space: Space) -> None:
    space.apply(app(replicas=1, service={"annotations": {"highavailability.dev/mine": "x"}}))
    condition = space.wait_condition("Reconciled", "False", "RenderError")
    assert "spec.service.annotations: highavailability.dev/mine is" in condition["message"]
    assert space.condition("Stalled")["status"] == "True"
    assert not space.has("deployments")
    assert "RenderError" in space.wait(lambda: [reason for reason, _ in space.events()], "an Event")
    space.apply(app(replicas=1))
    space.wait_ready()
    assert not space.condition("Stalled")


def test_what_the_server_refuses_is_told_and_recovers(space: Space) -> None:
    def asks(limit: str) -> Object:
        resources = {"requests": {"cpu": "500m"}, "limits": {"cpu": limit}}
        return app(replicas=1, app={"image": "example/web:1", "resources": resources})

    space.apply(asks("100m"))
    condition = space.wait_condition("Reconciled", "False", "InvalidSpec")
    assert "must be less than or equal to cpu limit" in condition["message"]
    assert space.condition("Ready")["status"] == "False"
    space.apply(asks("1"))
    space.wait_ready()


@pytest.fixture
def loose_crd(cluster: Cluster) -> Iterator[Callable[[], None]]:
    """The CRD without its rules, until the function is called (or the test ends)."""
    strict = cluster.get("crd", CRD)
    for key in ("resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"):
        strict["metadata"].pop(key, None)
    strict.pop("status")
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(without_rules(strict)))
    yield lambda: replace(cluster, strict)
    replace(cluster, strict)


def replace(cluster: Cluster, crd: Object) -> None:
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(crd))


def without_rules(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: without_rules(value) for key, value in schema.items() if key != "x-kubernetes-validations"}
    return [without_rules(item) for item in schema] if isinstance(schema, list) else schema


def test_an_app_stored_before_a_rule_existed(
    space: Space, cluster: Cluster, loose_crd: Callable[[], None], kubectl: Callable[..., str]
) -> None:
    bad = app(replicas=1, zones={"minDomains": 2, "whenUnsatisfiable": "ScheduleAnyway"})
    dry_run = ["apply", "--server-side", "--dry-run=server", "-f", "-"]
    wait_for(lambda: kubectl(*dry_run, stdin=json.dumps(bad)), 30, "the loosened CRD")
    space.apply(bad)
    loose_crd()

    def refused() -> bool:
        try:
            kubectl(*dry_run, stdin=json.dumps(app("other", **bad["spec"])))
        except ClusterError:
            return True
        return False

    wait_for(refused, 30, "the strict CRD")
    condition = space.wait_condition("Reconciled", "False", "InvalidSpec")
    assert "minDomains" in condition["message"]
    assert space.condition("Stalled")["status"] == "True"
    assert space.status()["observedGeneration"] == 1
    assert "InvalidSpec" in space.wait(lambda: [reason for reason, _ in space.events()], "an Event")
    assert not space.has("deployments")
    space.apply(app(replicas=1))
    space.wait_ready()
