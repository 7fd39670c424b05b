"""Two operators and one lease: one works, the other stands by and takes over."""

import signal
import time
from collections.abc import Callable, Iterator

import pytest
from tests import rights
from tests.space import Object, Space, app, stays

from devcluster.cluster import Cluster
from devcluster.process import Operator

LEASE = "haapp-operator"
GRACEFUL_SECONDS = 3.0
KILLED_SECONDS = 20.0
SLACK_SECONDS = 5.0
"""For a machine that is busy with other things."""


@pytest.fixture
def pair(
    cluster: Cluster, space: Space, operator: Operator, start_operator: Callable[..., Operator]
) -> Iterator[list[Operator]]:
    """Two operators of this namespace, the leader first, and no other."""
    rights.install_lease(cluster, space.name)
    operator.stop()
    two = [
        start_operator(f"--namespace={space.name}", HAAPP_LEASE_NAMESPACE=space.name, POD_NAMESPACE=space.name)
        for _ in range(2)
    ]
    space.wait(lambda: holder(space), "a leader")
    yield sorted(two, key=is_leader, reverse=True)
    operator.start()


def holder(space: Space) -> str:
    return str((space.find("leases", LEASE) or {"spec": {}})["spec"].get("holderIdentity") or "")


def is_leader(operator: Operator) -> bool:
    return "haapp_leader 1.0" in operator.metrics()


def seconds_until_it_works(space: Space, name: str, since: float) -> float:
    """Ask for an app, and tell how long after `since` its Deployment is there."""
    space.apply(app(name, replicas=1))
    space.wait(lambda: space.has("deployments", name), f"the Deployment of {name}", 60)
    return time.monotonic() - since


def test_one_works_and_the_other_stands_by(space: Space, pair: list[Operator]) -> None:
    assert [is_leader(each) for each in pair] == [True, False]
    assert all(each.is_healthy() for each in pair)
    space.apply(app(replicas=1))
    space.wait_ready()
    first = holder(space)
    stays(lambda: holder(space) == first, 3, "the leader stays")
    assert spec(space)["leaseTransitions"] == 0


def test_a_graceful_end_hands_over_at_once(space: Space, pair: list[Operator]) -> None:
    leader, standby = pair
    before = holder(space)
    stopped = time.monotonic()
    leader.stop()
    assert seconds_until_it_works(space, "after", stopped) <= GRACEFUL_SECONDS + SLACK_SECONDS
    assert is_leader(standby)
    assert holder(space) != before
    assert spec(space)["leaseTransitions"] == 1


def test_a_killed_leader_is_replaced_when_its_lease_has_run_out(space: Space, pair: list[Operator]) -> None:
    leader, standby = pair
    killed = time.monotonic()
    leader.stop(signal.SIGKILL)
    took = seconds_until_it_works(space, "after", killed)
    assert 10 < took <= KILLED_SECONDS + SLACK_SECONDS, "not before the lease has run out, and soon after"
    assert is_leader(standby)


def test_the_end_of_the_standby_is_nothing(space: Space, pair: list[Operator]) -> None:
    leader, standby = pair
    before = spec(space)
    standby.stop()
    space.apply(app(replicas=1))
    space.wait_reconciled()
    assert spec(space)["leaseTransitions"] == before["leaseTransitions"]
    assert holder(space) == before["holderIdentity"]
    assert is_leader(leader)


def test_who_loses_the_lease_ends_and_says_so(space: Space, pair: list[Operator]) -> None:
    leader, standby = pair
    standby.stop()
    usurped = {"spec": {"holderIdentity": "somebody-else", "leaseDurationSeconds": 3600}}
    space.patch("leases", LEASE, usurped)
    space.wait(lambda: not leader.is_running(), "the leader's end", 40)
    assert "another replica takes over" in leader.log_tail()
    assert holder(space) == "somebody-else", "what is not held is not released"


def spec(space: Space) -> Object:
    found: Object = space.get("leases", LEASE)["spec"]
    return found
