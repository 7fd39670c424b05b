"""What the operator tells of itself and of each app over HTTP, and how seldom it writes a status."""

import time
from collections.abc import Iterator

import pykube
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.space import Space, app, stays
from tests.timeline import Timeline, is_ready, new_space

from devcluster.audit import AuditLog, audit_log
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names
from haapp.status.pace import PROGRESS_SECONDS

Labels = dict[str, str]
PER_APP = {
    "haapp_app_ready_replicas": 10,
    "haapp_app_desired_replicas": 10,
    "haapp_app_ready": 1,
    "haapp_app_survives_zone_loss": 1,
    "haapp_app_survives_node_loss": 1,
    "haapp_app_zone_skew": 1,
}


def samples(operator: Operator, series: str, **labels: str) -> list[tuple[Labels, float]]:
    """The samples of one series with (at least) these labels."""
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(operator.metrics())
        for sample in family.samples
        if sample.name == series and labels.items() <= sample.labels.items()
    ]


def total(operator: Operator, series: str, **labels: str) -> float:
    return sum(value for _, value in samples(operator, series, **labels))


class Grown:
    """An app of ten pods that has just come up, and what it took."""

    def __init__(self, space: Space, audit: AuditLog, mark: int, seconds: float) -> None:
        self.space, self.audit, self.mark, self.seconds = space, audit, mark, seconds

    def status_writes(self, mark: int, name: str = "web") -> int:
        resource = f"{names.PLURAL}/status"
        return sum(
            request.is_write
            and (request.resource, request.namespace, request.name) == (resource, self.space.name, name)
            for request in self.audit.since(mark)
        )


@pytest.fixture(scope="module")
def grown(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Grown]:
    if cluster.folder is None:
        pytest.skip("needs the audit log of an embedded cluster")
    audit = audit_log(cluster)
    with new_space(cluster, api) as space, Timeline(cluster, space, "pods"):
        mark, began = audit.mark(), time.monotonic()
        slow_steps = {"annotations": {"test.highavailability.dev/init-seconds": "0.7"}}
        steps = [{"name": f"step-{number}", "image": "example/step:1"} for number in (1, 2, 3)]
        space.apply(app(replicas=10, initSteps=steps, pod=slow_steps))
        space.wait_ready()
        space.wait(lambda: space.status()["readyReplicas"] == 10, "ten ready pods in the status")
        yield Grown(space, audit, mark, time.monotonic() - began)


def test_ten_pods_that_come_up_take_few_writes(grown: Grown) -> None:
    assert grown.status_writes(grown.mark) <= 3 + grown.seconds // PROGRESS_SECONDS


def test_a_settled_app_takes_none(grown: Grown) -> None:
    assert sum(map(is_ready, grown.space.items("pods"))) == 10
    stays(lambda: grown.space.condition("Ready")["status"] == "True", 1, "it is not settled")
    mark = grown.audit.mark()
    stays(lambda: True, 3, "")
    written = [r for r in grown.audit.since(mark) if r.is_write and r.namespace == grown.space.name]
    assert [r for r in written if "haapp" in r.user_agent] == []


def test_the_operators_own_work_is_counted(grown: Grown, operator: Operator) -> None:
    assert total(operator, "haapp_reconcile_total", result="ok") > 0
    assert total(operator, "haapp_reconcile_duration_seconds_count") > 0
    assert samples(operator, "haapp_queue_depth")
    assert samples(operator, "haapp_queue_oldest_seconds")
    applied = {"verb": "PATCH", "resource": "deployments", "code": "201"}
    assert total(operator, "haapp_api_requests_total", **applied) > 0
    assert total(operator, "haapp_api_requests_total", verb="PATCH", resource=f"{names.PLURAL}/status", code="200") > 0
    assert total(operator, "haapp_leader") == 1


def test_each_app_is_told_of_until_it_is_gone(grown: Grown, operator: Operator) -> None:
    space, labels = grown.space, {"namespace": grown.space.name, "name": "web"}
    assert {name: total(operator, name, **labels) for name in PER_APP} == PER_APP
    space.apply(app("near", replicas=2, cache={"redis": {}, "colocate": "Pod"}))
    space.wait_ready("near")
    assert total(operator, "haapp_app_cache_colocated_pods", namespace=space.name, name="near") == 2
    assert samples(operator, "haapp_app_cache_colocated_pods", **labels) == []
    for name in ("web", "near"):
        space.delete(names.PLURAL, name)

    def left() -> list[str]:
        series = [*PER_APP, "haapp_app_cache_colocated_pods"]
        return [name for name in series if samples(operator, name, namespace=space.name)]

    space.wait(lambda: not left(), "the end of their series")


def test_failures_are_counted_by_reason(grown: Grown, operator: Operator) -> None:
    space = grown.space
    before = total(operator, "haapp_reconcile_errors_total", reason="NameConflict")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "taken"}}
    space.create(account)
    space.apply(app("taken", replicas=1))
    space.wait_condition("Reconciled", "False", "NameConflict", name="taken")
    space.wait(lambda: total(operator, "haapp_reconcile_errors_total", reason="NameConflict") > before, "an error")

    def told() -> list[dict[str, object]]:
        return [e for e in space.items("events") if (e["regarding"]["name"], e["reason"]) == ("taken", "NameConflict")]

    space.wait(told, "the Event, which is sent after the status")
    assert len(told()) == 1
    assert told()[0]["type"] == "Warning"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_probes_answer(operator: Operator, path: str) -> None:
    assert operator.ask(operator.health_port, path) == "ok\n"
