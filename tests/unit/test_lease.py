"""Two candidates, one lease, and clocks that the test moves."""

import copy
from collections.abc import Callable
from typing import Any, cast

import pytest
from tests.clock import Clock

from haapp.cluster import lease as module
from haapp.cluster.client import Client, Request
from haapp.cluster.lease import LEASE_SECONDS, RENEW_DEADLINE, RETRY_PERIOD, Lease
from haapp.exceptions import ApiError, Conflict, NotFound, NotLeading, Unavailable


class Server:
    """Keeps one Lease as an API server does: a version for each write, and a conflict for an old one."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.fails: ApiError | None = None
        self.loses_answers = False
        self.between: Callable[[], None] = lambda: None

    async def send(self, request: Request) -> dict[str, Any]:
        if self.fails:
            raise self.fails
        if request.method == "GET":
            if self.lease is None:
                raise NotFound("none")
            found = copy.deepcopy(self.lease)
            self.between()
            return found
        return self._write(cast("dict[str, Any]", request.body), new=request.method == "POST")

    def _write(self, body: dict[str, Any], *, new: bool) -> dict[str, Any]:
        there = self.lease["metadata"]["resourceVersion"] if self.lease else None
        if (new and self.lease) or (not new and body["metadata"].get("resourceVersion") != there):
            raise Conflict("changed")
        self.version += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        if self.loses_answers:
            raise Unavailable("no answer")
        return copy.deepcopy(self.lease)

    @property
    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def candidate(server: Server, clock: Clock) -> Callable[[str], Lease]:
    client = cast("Client", server)
    return lambda name: Lease(client, namespace="system", name="operator", identity=name, clock=clock)


Candidate = Callable[[str], Lease]


async def test_the_first_one_leads_and_the_second_stands_by(server: Server, candidate: Candidate) -> None:
    first, second = candidate("first"), candidate("second")
    assert await first._try()
    assert not await second._try()
    assert (first.leading, second.leading, server.holder) == (True, False, "first")


async def test_a_lease_that_is_not_renewed_is_taken_when_it_is_over_and_no_sooner(
    server: Server, clock: Clock, candidate: Candidate
) -> None:
    first, second = candidate("first"), candidate("second")
    await first._try()
    await second._try()
    clock.now += LEASE_SECONDS - 0.1
    assert not await second._try()
    clock.now += 0.1
    assert await second._try()
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 1
    assert not await first._try()
    assert not first.leading


async def test_the_last_write_of_the_old_holder_ends_before_the_new_one_begins(
    clock: Clock, candidate: Candidate
) -> None:
    first, second = candidate("first"), candidate("second")
    await first._try()
    await second._try()
    began = clock.now
    for _ in range(200):
        clock.now += 0.1
        if first.leading:
            assert clock.now + first.time_left() <= began + LEASE_SECONDS + 1e-6
    with pytest.raises(NotLeading):
        first.time_left()


async def test_a_holder_that_cannot_renew_stops_before_the_lease_is_over(
    server: Server, clock: Clock, candidate: Candidate
) -> None:
    first = candidate("first")
    await first._try()
    server.fails = Unavailable("gone")
    clock.now += RENEW_DEADLINE - 0.1
    assert not await first._try()
    assert first.leading
    clock.now += 0.1
    assert not first.leading


async def test_a_process_that_was_stopped_past_its_lease_does_not_lead_when_it_goes_on(
    clock: Clock, candidate: Candidate
) -> None:
    first, second = candidate("first"), candidate("second")
    await first._try()
    await second._try()
    clock.now += LEASE_SECONDS + 5
    assert not first.leading
    assert await second._try()
    assert not await first._try()


async def test_a_renewal_that_was_stopped_half_way_is_not_counted(
    server: Server, clock: Clock, candidate: Candidate
) -> None:
    """The time of the renewal is that of its beginning: the answer may be seen long after."""
    first = candidate("first")
    await first._try()
    server.between = lambda: setattr(clock, "now", clock.now + LEASE_SECONDS)
    await first._try()
    assert not first.leading


async def test_who_sees_another_holder_stops_at_once(server: Server, candidate: Candidate) -> None:
    """Somebody has deleted the lease, and the other one made it anew."""
    first, second = candidate("first"), candidate("second")
    await first._try()
    server.lease = None
    await second._try()
    assert not await first._try()
    assert not first.leading


async def test_a_released_lease_is_free_at_once(server: Server, candidate: Candidate) -> None:
    first, second = candidate("first"), candidate("second")
    await first._try()
    await first.release()
    assert not first.leading
    assert await second._try()


async def test_a_renewal_whose_answer_was_lost_does_not_keep_the_lease_from_being_released(
    server: Server, candidate: Candidate
) -> None:
    first = candidate("first")
    server.loses_answers = True
    assert not await first._try()
    server.loses_answers = False
    await first.release()
    assert server.holder == ""


async def test_another_ones_lease_is_not_released(server: Server, candidate: Candidate) -> None:
    await candidate("first")._try()
    await candidate("second").release()
    assert server.holder == "first"


async def test_a_release_that_fails_is_left_to_the_leases_end(server: Server, candidate: Candidate) -> None:
    first = candidate("first")
    await first._try()
    server.fails = Unavailable("gone")
    await first.release()
    assert not first.leading


async def test_two_that_find_no_lease_do_not_both_lead(server: Server, candidate: Candidate) -> None:
    first, second = candidate("first"), candidate("second")
    await first._try()
    with pytest.raises(Conflict):
        await second._write(None)


async def test_holding_ends_with_the_lease(
    server: Server, clock: Clock, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    first = candidate("first")
    await first.acquire()
    began = clock.now
    server.fails = Unavailable("gone")
    await first.hold()
    assert RENEW_DEADLINE <= clock.now - began <= RENEW_DEADLINE + RETRY_PERIOD
