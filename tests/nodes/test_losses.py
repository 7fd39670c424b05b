"""Nodes that fail while requests come in: one that is lost, one that is cut off, one that reboots.

No drain can help here: requests to a pod that cannot be reached fail until the control plane takes it out.
"""

import pytest
from tests.nodes.figures import told
from tests.nodes.lab import Object, Space, seconds_until
from tests.nodes.traffic import RATE, failed, pod_on, requests, serve

from devcluster.nodes import ready_nodes
from devnodes.control_plane import LOST_AFTER_SECONDS
from devnodes.node import Node

PATIENCE = 2.0
CALM = 15
"""Seconds that the client goes on after all is said to be well."""


@pytest.fixture
def served(space: Space) -> Space:
    serve(space)
    return space


def wait_lost(space: Space, node: str) -> float:
    """Seconds until the control plane knows that the node is gone; then its pod leaves the Service, and the status says
    what is left of the app."""
    lost = seconds_until(lambda: node not in ready_nodes(space.lab.cluster), f"{node} not Ready")
    space.wait(lambda: sum(space.endpoints("web").values()) == 2, "two ready pods in the Service")
    space.wait(lambda: space.status("web")["readyReplicas"] == 2, "two ready pods in the status")
    return lost


def wait_calm(space: Space) -> None:
    space.shell("client", f"sleep {CALM}", container="client")


def assert_calm(result: Object) -> None:
    """Requests failed, and in the end no more."""
    assert 0 < result["failed"] < result["sent"] / 2, result
    assert result["seconds"][-1][0] < result["sent"] / RATE - CALM / 3, f"requests still failed at the end: {result}"


def container(pod: Object) -> tuple[str, int]:
    """Which container runs in the pod, and how often it was restarted."""
    (state,) = pod["status"]["containerStatuses"]
    return str(state.get("containerID")), int(state["restartCount"])


def test_a_lost_node_fails_requests_until_its_pod_is_out_and_comes_back(served: Space, faults: dict[str, Node]) -> None:
    with requests(served, PATIENCE) as result:
        faults["zone-c"].lose()
        lost = wait_lost(served, "zone-c")
        wait_calm(served)
    assert_calm(result)
    faults["zone-c"].start()
    back = seconds_until(lambda: "zone-c" in ready_nodes(served.lab.cluster), "zone-c Ready again")
    served.wait_ready("web")
    told(
        "node loss",
        f"NotReady after {lost:.0f} s (the grace period is {LOST_AFTER_SECONDS} s); {failed(result)}, until the dead "
        f"pod was out of the Service; the status said 2 ready; Ready {back:.0f} s after it was switched on",
    )


def test_what_runs_on_a_node_that_is_cut_off_goes_on_and_is_taken_in_again(
    served: Space, faults: dict[str, Node]
) -> None:
    before = pod_on(served, "zone-c")
    with requests(served, PATIENCE) as result:
        faults["zone-c"].partition()
        lost = wait_lost(served, "zone-c")
        wait_calm(served)
        faults["zone-c"].reconnect()
        back = seconds_until(lambda: served.status("web")["readyReplicas"] == 3, "three ready pods again")
        wait_calm(served)
    assert_calm(result)
    after = pod_on(served, "zone-c")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert container(after) == container(before)
    told(
        "partition",
        f"NotReady after {lost:.0f} s; {failed(result)}; the status said 2 ready; {back:.0f} s after the cable was "
        "back, 3: the same container, never restarted",
    )


def test_a_node_that_reboots_starts_its_pods_again(served: Space, faults: dict[str, Node]) -> None:
    before = pod_on(served, "zone-c")

    def restarted() -> bool:
        now = pod_on(served, "zone-c")
        assert now["metadata"]["uid"] == before["metadata"]["uid"]
        return container(now) != container(before) and served.endpoints("web").get(now["metadata"]["name"], False)

    with requests(served, PATIENCE) as result:
        faults["zone-c"].reboot()
        took = seconds_until(restarted, "the same pod in a new container, in the Service")
        wait_calm(served)
    assert_calm(result)
    served.wait_ready("web")
    told("reboot", f"{took:.0f} s after it was on again the same pod served, in a new container; {failed(result)}")
