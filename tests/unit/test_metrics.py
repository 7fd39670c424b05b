"""What Prometheus is told of an app follows its status, and ends with what it tells of."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from haapp.runtime.metrics import APPS

NAME = {"namespace": "shop", "name": "metrics-web"}
STATUS: dict[str, Any] = {
    "replicas": 2,
    "readyReplicas": 1,
    "columns": {"replicas": "1/3"},
    "placement": {"zoneSkew": 1},
    "cache": {"colocated": 1, "total": 1},
    "conditions": [{"type": "Ready", "status": "False"}, {"type": "SurvivesZoneLoss", "status": "True"}],
}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    APPS.forget(**NAME)


def value(name: str) -> float | None:
    return REGISTRY.get_sample_value(name, NAME)


def test_it_follows_the_status() -> None:
    APPS.observe(**NAME, status=STATUS)
    told = {
        "haapp_app_ready_replicas": 1,
        "haapp_app_desired_replicas": 3,
        "haapp_app_zone_skew": 1,
        "haapp_app_cache_colocated_pods": 1,
        "haapp_app_ready": 0,
        "haapp_app_survives_zone_loss": 1,
        "haapp_app_survives_node_loss": None,
    }
    assert {name: value(name) for name in told} == told


@pytest.mark.parametrize(("status", "shown"), [("True", 1), ("Unknown", 1), ("False", 0)])
def test_a_rollout_that_is_not_known_to_be_stuck_is_not(status: str, shown: float) -> None:
    APPS.observe(**NAME, status={"conditions": [{"type": "Progressing", "status": status}]})
    assert value("haapp_app_progressing") == shown


def test_what_the_status_no_longer_tells_ends() -> None:
    APPS.observe(**NAME, status=STATUS)
    APPS.observe(**NAME, status={"conditions": [{"type": "Ready", "status": "False"}]})
    assert value("haapp_app_ready") == 0
    assert value("haapp_app_cache_colocated_pods") is None
    assert value("haapp_app_zone_skew") is None


def test_an_app_that_is_gone_has_no_series() -> None:
    APPS.observe(**NAME, status=STATUS)
    APPS.forget(**NAME)
    assert value("haapp_app_ready") is None
    assert value("haapp_app_desired_replicas") is None
