"""What Prometheus is told: of the operator's own work, and of each app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from haapp.sharding import Shard

RECONCILES = Counter("haapp_reconcile_total", "Visits of an app.", ["result"])
ERRORS = Counter("haapp_reconcile_errors_total", "Visits that did not reach their end, by reason.", ["reason"])
DURATION = Histogram(
    "haapp_reconcile_duration_seconds",
    "How long a visit took.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
QUEUE_DEPTH = Gauge("haapp_queue_depth", "Apps that wait for a worker.")
QUEUE_AGE = Gauge("haapp_queue_oldest_seconds", "How long the oldest of them has been waiting.")
REQUESTS = Counter("haapp_api_requests_total", "Requests to the API server.", ["verb", "resource", "code"])
REQUEST_DURATION = Histogram("haapp_api_request_duration_seconds", "How long the API server took.", ["verb"])
LEADER = Gauge("haapp_leader", "1 while this process holds the lease.")
SHARD_LEADER = Gauge("haapp_shard_leader", "The same for each shard, where there are several.", ["shard"])


class Apps(Collector):
    """The series of all apps: a row of numbers for each, made into text only when somebody asks. A Gauge would keep an
    object and a lock for each series of each app."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[float | None, ...]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What Prometheus asks for; a number that an app does not have is left out."""
        rows = sorted(self._rows.items())
        for number, (name, what) in enumerate(_PER_APP.items()):
            family = GaugeMetricFamily(name, what, labels=["namespace", "name"])
            for app, values in rows:
                value = values[number]
                if value is not None:
                    family.add_metric(app, value)
            yield family

    def observe(self, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Show what the app's status says; what it does not say any more ends."""
        self._rows[namespace, name] = _row(status)

    def forget(self, namespace: str, name: str) -> None:
        """The app is gone: its series end."""
        self._rows.pop((namespace, name), None)


_PER_APP = {
    "haapp_app_ready_replicas": "Ready pods.",
    "haapp_app_desired_replicas": "Pods asked for.",
    "haapp_app_zone_skew": "Pods in the fullest zone less those in the emptiest.",
    "haapp_app_survives_zone_loss": "1 if the worst zone's loss leaves enough pods.",
    "haapp_app_survives_node_loss": "1 if the worst node's loss leaves enough pods.",
    "haapp_app_cache_colocated_pods": "Ready pods that have a ready cache as near as asked.",
    "haapp_app_ready": "1 if the app's Ready condition is True.",
    "haapp_app_progressing": "0 if the rollout is stuck or was rolled back.",
}
APPS = Apps()
REGISTRY.register(APPS)


def observe_request(verb: str, resource: str, status: int, seconds: float) -> None:
    """Count one request; status 0 stands for no answer."""
    number, duration = _series(verb, resource, status)
    number.inc()
    duration.observe(seconds)


@lru_cache(maxsize=1024)
def _series(verb: str, resource: str, status: int) -> tuple[Counter, Histogram]:
    """To look them up takes the library longer than to count."""
    return REQUESTS.labels(verb, resource, str(status)), REQUEST_DURATION.labels(verb)


def observe_leading(shard: Shard, leading: bool) -> None:
    """Show whether this process leads. Each shard has a leader of its own."""
    LEADER.set(leading)
    if not shard.whole:
        SHARD_LEADER.labels(str(shard)).set(leading)


def _row(status: Mapping[str, Any]) -> tuple[float | None, ...]:
    """The numbers of `_PER_APP`, in its order."""
    told = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    conditions = {kind: state == "True" for kind, state in told.items()}
    values = (
        status.get("readyReplicas"),
        _desired(status),
        (status.get("placement") or {}).get("zoneSkew"),
        conditions.get("SurvivesZoneLoss"),
        conditions.get("SurvivesNodeLoss"),
        (status.get("cache") or {}).get("colocated"),
        conditions.get("Ready"),
        # Unknown until the Deployment's controller has spoken, which is no fault.
        told["Progressing"] != "False" if "Progressing" in told else None,
    )
    return tuple(None if value is None else float(value) for value in values)


def _desired(status: Mapping[str, Any]) -> str | None:
    """The second number of `3/3`: `status.replicas` has the pods that there are."""
    return str((status.get("columns") or {}).get("replicas") or "").partition("/")[2] or None
