"""Requests through the Service while pods are replaced in order: none may fail."""

import pytest
from tests.nodes.figures import told
from tests.nodes.lab import Space, seconds_until
from tests.nodes.traffic import failed, requests, serve, web

from devnodes.node import Node

PATIENCE = 10.0
"""Seconds. None is lost that is answered late, by a machine that has much else to do."""


@pytest.fixture
def served(space: Space) -> Space:
    serve(space)
    return space


def replaced(space: Space, before: set[str]) -> bool:
    """Whether three ready pods are there and none of those from before."""
    found = space.get("pods", "--selector=app.kubernetes.io/name=web")["items"]
    names = {str(pod["metadata"]["name"]) for pod in found}
    return not before & names and len(names) == space.status("web").get("readyReplicas") == 3


def test_a_rolling_update_loses_no_request(served: Space) -> None:
    before = {str(pod["metadata"]["name"]) for pod in served.pods("web")}
    with requests(served, PATIENCE) as result:
        served.apply(web("green"))
        took = seconds_until(lambda: replaced(served, before), "three new pods and no old one")
    told("rolling update", f"**{failed(result)}** while all three pods were replaced ({took:.0f} s)")
    assert result["failed"] == 0, result


def test_a_node_drain_loses_no_request(served: Space, faults: dict[str, Node]) -> None:
    drain = ["drain", "zone-b", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=240s"]
    with requests(served, PATIENCE) as result:
        served.lab.kubectl(*drain, "--pod-selector=app.kubernetes.io/name=web", timeout=250)
        assert all(pod["spec"]["nodeName"] != "zone-b" for pod in served.pods("web"))
        served.wait(lambda: served.status("web")["readyReplicas"] == 3, "three ready pods again")
    told("node drain", f"**{failed(result)}**")
    assert result["failed"] == 0, result
