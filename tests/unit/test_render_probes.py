"""Probes of the main container, and the start-up budget."""

from typing import Any

import pytest
from tests.render_support import main_of

HTTP = {"httpGet": {"path": "/healthz", "port": 8080, "httpHeaders": [{"name": "X-Probe", "value": "1"}]}}
TCP = {"tcpSocket": {"port": 8080}}


@pytest.mark.parametrize(
    "probe",
    [
        {**HTTP, "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 3, "failureThreshold": 3},
        TCP,
        {"exec": {"command": ["cat", "/ok"]}},
        {"grpc": {"port": 9000, "service": "live"}},
    ],
)
@pytest.mark.parametrize("kind", ["liveness", "readiness", "startup"])
def test_a_probe_is_passed_whole(kind: str, probe: dict[str, Any]) -> None:
    assert main_of({"probes": {kind: probe}})[f"{kind}Probe"] == probe
    assert main_of({"app": {f"{kind}Probe": probe}})[f"{kind}Probe"] == probe


@pytest.mark.parametrize(
    ("startup", "budget", "failures"),
    [
        ({**TCP, "periodSeconds": 10}, "5m", 30),
        (TCP, "5m", 30),
        ({**TCP, "periodSeconds": 7}, "1m", 9),
        ({**TCP, "periodSeconds": 60}, "10s", 1),
    ],
)
def test_the_budget_is_counted_in_periods_rounded_up(startup: dict[str, Any], budget: str, failures: int) -> None:
    probe = main_of({"probes": {"startup": startup, "startWithin": budget}})["startupProbe"]

    assert probe == {**startup, "failureThreshold": failures}


def test_without_a_startup_probe_the_liveness_handler_is_asked() -> None:
    liveness = {**HTTP, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 3, "initialDelaySeconds": 60}
    main = main_of({"probes": {"liveness": liveness, "readiness": TCP, "startWithin": "1m"}})

    assert main["startupProbe"] == {**HTTP, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 12}
    assert main["livenessProbe"] == liveness


def test_without_a_liveness_probe_the_readiness_handler_is_asked() -> None:
    assert main_of({"probes": {"readiness": TCP, "startWithin": "1m"}})["startupProbe"] == {
        **TCP,
        "failureThreshold": 6,
    }


def test_the_budget_also_holds_for_a_startup_probe_on_the_container() -> None:
    spec = {"app": {"startupProbe": TCP}, "probes": {"startWithin": "1m"}}

    assert main_of(spec)["startupProbe"] == {**TCP, "failureThreshold": 6}
