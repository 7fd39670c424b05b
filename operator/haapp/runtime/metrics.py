"""What Prometheus is told: of the operator's own work, and of each app."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

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

_APP = ["namespace", "name"]
READY_REPLICAS = Gauge("haapp_app_ready_replicas", "Ready pods.", _APP)
DESIRED_REPLICAS = Gauge("haapp_app_desired_replicas", "Pods asked for.", _APP)
ZONE_SKEW = Gauge("haapp_app_zone_skew", "Pods in the fullest zone less those in the emptiest.", _APP)
SURVIVES_ZONE = Gauge("haapp_app_survives_zone_loss", "1 if the worst zone's loss leaves enough pods.", _APP)
SURVIVES_NODE = Gauge("haapp_app_survives_node_loss", "1 if the worst node's loss leaves enough pods.", _APP)
CACHE_COLOCATED = Gauge("haapp_app_cache_colocated_pods", "Ready pods that have a ready cache as near as asked.", _APP)
READY = Gauge("haapp_app_ready", "1 if the app's Ready condition is True.", _APP)
PROGRESSING = Gauge("haapp_app_progressing", "0 if the rollout is stuck or was rolled back.", _APP)
_PER_APP = (
    READY_REPLICAS,
    DESIRED_REPLICAS,
    ZONE_SKEW,
    SURVIVES_ZONE,
    SURVIVES_NODE,
    CACHE_COLOCATED,
    READY,
    PROGRESSING,
)


def observe_request(verb: str, resource: str, status: int, seconds: float) -> None:
    """Count one request; status 0 stands for no answer."""
    REQUESTS.labels(verb, resource, str(status)).inc()
    REQUEST_DURATION.labels(verb).observe(seconds)


def observe_leading(shard: Shard, leading: bool) -> None:
    """Show whether this process leads. Each shard has a leader of its own."""
    LEADER.set(leading)
    if not shard.whole:
        SHARD_LEADER.labels(str(shard)).set(leading)


def observe_app(namespace: str, name: str, status: Mapping[str, Any]) -> None:
    """Show what the app's status says; what it does not say any more ends."""
    told = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    conditions = {kind: status == "True" for kind, status in told.items()}
    placement = status.get("placement") or {}
    values = {
        READY_REPLICAS: status.get("readyReplicas"),
        DESIRED_REPLICAS: _desired(status),
        ZONE_SKEW: placement.get("zoneSkew"),
        SURVIVES_ZONE: conditions.get("SurvivesZoneLoss"),
        SURVIVES_NODE: conditions.get("SurvivesNodeLoss"),
        CACHE_COLOCATED: (status.get("cache") or {}).get("colocated"),
        READY: conditions.get("Ready"),
        # Unknown until the Deployment's controller has spoken, which is no fault.
        PROGRESSING: told["Progressing"] != "False" if "Progressing" in told else None,
    }
    for gauge, value in values.items():
        if value is None:
            _end(gauge, namespace, name)
        else:
            gauge.labels(namespace, name).set(float(value))


def forget_app(namespace: str, name: str) -> None:
    """The app is gone: its series end."""
    for gauge in _PER_APP:
        _end(gauge, namespace, name)


def _desired(status: Mapping[str, Any]) -> str | None:
    """The second number of `3/3`: `status.replicas` has the pods that there are."""
    return str((status.get("columns") or {}).get("replicas") or "").partition("/")[2] or None


def _end(gauge: Gauge, namespace: str, name: str) -> None:
    with contextlib.suppress(KeyError):
        gauge.remove(namespace, name)
