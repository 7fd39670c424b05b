"""Shards of two layouts: none works where another one does, nobody waits for ever, on clocks that the test moves."""

import copy
import random
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clock import Clock

from haapp.cluster.client import Client, Request
from haapp.cluster.lease import LEASE_SECONDS, RENEW_DEADLINE, Lease
from haapp.cluster.shard_lease import STAGE_ANNOTATION, ShardLease, lease_name
from haapp.exceptions import ApiError, Conflict, Forbidden, NotFound, NotLeading, Unavailable
from haapp.settings import Settings
from haapp.sharding import parse

BASE = "haapp-operator"
COLLECTION = "/apis/coordination.k8s.io/v1/namespaces/system/leases"


class Server:
    """Keeps Leases as an API server does. `before` is called with each request."""

    def __init__(self) -> None:
        self.leases: dict[str, dict[str, Any]] = {}
        self.version = 0
        self.before: Callable[[Request], object] = lambda _: None
        self.lists = 0

    async def send(self, request: Request) -> dict[str, Any]:
        self.before(request)
        name = request.path.removeprefix(COLLECTION).strip("/")
        if request.method == "GET" and not name:
            self.lists += 1
            return {"items": copy.deepcopy(list(self.leases.values()))}
        if request.method == "GET":
            if name not in self.leases:
                raise NotFound("none")
            return copy.deepcopy(self.leases[name])
        return self._write(cast("dict[str, Any]", request.body), new=request.method == "POST")

    def _write(self, body: dict[str, Any], *, new: bool) -> dict[str, Any]:
        name = body["metadata"]["name"]
        there = self.leases.get(name)
        version = there["metadata"]["resourceVersion"] if there else None
        if (new and there) or (not new and body["metadata"].get("resourceVersion") != version):
            raise Conflict("changed")
        self.version += 1
        self.leases[name] = copy.deepcopy(body)
        self.leases[name]["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.leases[name])

    def stage(self, name: str) -> str:
        return str(self.leases[name]["metadata"]["annotations"][STAGE_ANNOTATION])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Candidate = Callable[..., ShardLease]


def candidate_of(server: Server, clock: Clock) -> Candidate:
    def make(shard: str, identity: str = "") -> ShardLease:
        settings = Settings(lease_namespace="system", shard=parse(shard), identity=identity or f"holder of {shard}")
        return ShardLease(cast("Client", server), settings, clock)

    return make


@pytest.fixture
def candidate(server: Server, clock: Clock) -> Candidate:
    return candidate_of(server, clock)


def test_without_shards_the_lease_is_called_as_ever() -> None:
    assert lease_name(BASE, parse("0/1")) == BASE
    assert lease_name(BASE, parse("1/3")) == "haapp-operator-shard-1-of-3"
    assert lease_name(BASE, parse("1/3:server")) == "haapp-operator-server-shard-1-of-3"


async def test_without_others_one_list_is_all_that_is_added(server: Server, candidate: Candidate) -> None:
    alone = candidate("0/1")
    for _ in range(3):
        assert await alone._try()
    assert (alone.leading, server.lists, list(server.leases), server.stage(BASE)) == (True, 1, [BASE], "working")


async def test_all_of_one_layout_work_and_each_has_a_standby(server: Server, candidate: Candidate) -> None:
    first, second, standby = candidate("0/2"), candidate("1/2"), candidate("0/2", "standby")
    assert await first._try()
    assert await second._try()
    assert not await standby._try()
    await first.release()
    assert await standby._try()


@pytest.mark.parametrize(("old", "new"), [("0/2", "0/3"), ("0/2", "1/3"), ("0/1", "1/2"), ("1/2", "0/1")])
async def test_the_new_layout_waits_for_the_old_one(server: Server, candidate: Candidate, old: str, new: str) -> None:
    works, waits = candidate(old), candidate(new)
    assert await works._try()
    for _ in range(3):
        assert not await waits._try()
        assert await works._try()
    assert server.stage(waits._name) == "waiting"
    with pytest.raises(NotLeading):
        waits.time_left()
    await works.release()
    assert await waits._try()
    assert server.stage(waits._name) == "claiming", "it says that it works with its next renewal"
    await waits._try()
    assert server.stage(waits._name) == "working"


async def test_who_has_nothing_in_common_waits_for_nobody(candidate: Candidate) -> None:
    assert await candidate("0/2")._try()
    assert await candidate("2/3")._try()


async def test_the_same_parts_by_another_hash_are_other_ones(candidate: Candidate) -> None:
    works, waits = candidate("0/2"), candidate("1/2:server")
    assert await works._try()
    assert not await waits._try()
    await works.release()
    assert await waits._try()


async def test_who_only_waits_is_in_nobodys_way(candidate: Candidate) -> None:
    """1/3 has something in common with both halves: one of them comes back while it waits for the other."""
    lower, upper, waits = candidate("0/2"), candidate("1/2"), candidate("1/3")
    assert await lower._try()
    assert await upper._try()
    assert not await waits._try()
    await lower.release()
    assert not await waits._try()
    assert await candidate("0/2", "comes back")._try()


async def test_a_dead_one_is_waited_for_until_its_lease_is_over(clock: Clock, candidate: Candidate) -> None:
    dead, waits = candidate("0/2"), candidate("0/3")
    assert await dead._try()
    for _ in range(LEASE_SECONDS):
        assert not await waits._try()
        assert not (dead.leading and waits.leading)
        clock.now += 1
    assert await waits._try()
    assert not dead.leading


@pytest.mark.parametrize(("wrote", "leads"), [("2020-01-01T00:00:00.000000Z", True), ("?", False), (None, False)])
async def test_a_lease_of_long_ago_is_not_waited_for(
    server: Server, candidate: Candidate, wrote: str | None, leads: bool
) -> None:
    """Its layout is no more, so nobody else takes it, and nobody has seen how long it has not changed."""
    assert await candidate("0/2")._try()
    server.leases["haapp-operator-shard-0-of-2"]["spec"]["renewTime"] = wrote
    assert await candidate("0/3")._try() is leads


async def test_who_knows_no_stages_works(server: Server, clock: Clock, candidate: Candidate) -> None:
    """An operator of a version from before there were any."""
    old = Lease(cast("Client", server), namespace="system", name=BASE, identity="old", clock=clock)
    assert await old._try()
    assert not await candidate("0/2")._try()


async def test_of_two_that_claim_at_once_the_one_with_fewer_shards_stays(server: Server, candidate: Candidate) -> None:
    fewer, more = candidate("0/2"), candidate("0/3")

    async def claims(one: ShardLease) -> None:
        assert await Lease._try(one)

    await claims(fewer)
    await claims(more)
    assert not await fewer._clear()
    assert not await more._clear()
    assert await more._try() is False
    assert await fewer._try()
    assert not await more._try()


async def test_a_holder_whose_lease_had_lapsed_looks_again_before_it_writes(
    server: Server, clock: Clock, candidate: Candidate
) -> None:
    """Nobody has taken its own lease: that of another layout was taken meanwhile."""
    stopped, other = candidate("0/2"), candidate("0/3")
    assert await stopped._try()
    assert not await other._try()
    clock.now += LEASE_SECONDS
    assert await other._try()
    assert not await stopped._try()
    assert not stopped.leading
    assert other.leading


async def test_a_holder_whose_renewal_took_too_long_looks_again(
    server: Server, clock: Clock, candidate: Candidate
) -> None:
    slow = candidate("0/2")
    assert await slow._try()
    seen = server.lists
    clock.now += RENEW_DEADLINE - 1
    server.before = lambda request: setattr(clock, "now", clock.now + 1) if request.method == "PUT" else None
    await slow._try()
    assert server.lists == seen + 1


async def test_a_holder_whose_lease_was_deleted_looks_again(server: Server, candidate: Candidate) -> None:
    works, other = candidate("0/2"), candidate("0/3")
    assert await works._try()
    server.leases.clear()
    assert await other._try()
    assert not await works._try()
    assert not works.leading


async def test_nothing_is_begun_while_the_others_are_not_known(server: Server, candidate: Candidate) -> None:
    one = candidate("0/2")

    def fail(request: Request) -> None:
        if request.path == COLLECTION and request.method == "GET":
            raise Unavailable("gone")

    server.before = fail
    assert not await one._try()
    server.before = lambda _: None
    assert await one._try()


@pytest.mark.parametrize(("shard", "leads"), [("0/1", True), ("0/2", False)])
async def test_without_the_right_to_list_there_are_no_shards(
    server: Server, candidate: Candidate, shard: str, leads: bool
) -> None:
    def forbid(request: Request) -> None:
        if request.path == COLLECTION and request.method == "GET":
            raise Forbidden("no")

    server.before = forbid
    assert await candidate(shard)._try() is leads


@pytest.mark.parametrize("name", ["another", "haapp-operator-x", "haapp-operator-shard-2-of-2", "x-haapp-operator"])
async def test_leases_of_others_are_none_of_ours(server: Server, candidate: Candidate, name: str) -> None:
    spec = {"holderIdentity": "somebody", "renewTime": "now", "leaseDurationSeconds": 3600}
    server.leases[name] = {"metadata": {"name": name}, "spec": spec}
    assert await candidate("0/3")._try()


class Machine:
    """Processes of several layouts, each with its own pace and stops, one request at a time in any order."""

    def __init__(self, seed: int, *shards: str) -> None:
        self.chance = random.Random(seed)  # noqa: S311  (the same for each run)
        self.server, self.clock = Server(), Clock()
        make = candidate_of(self.server, self.clock)
        self.leases = [make(shard, f"{number} {shard}") for number, shard in enumerate(shards)]
        self.steps: dict[int, Iterator[object]] = {}

    def step(self, number: int) -> None:
        """Let one process go as far as its next request, which may be lost before or after it was done."""
        running = self.steps.get(number) or _steps(self, self.leases[number])
        if next(running, None) is None:
            self.steps.pop(number, None)
        else:
            self.steps[number] = running

    def nobody_works_beside_another(self) -> None:
        for one, other in combinations(self.leases, 2):
            if one.leading and other.leading:
                assert not one._shard.overlaps(other._shard), (one._identity, other._identity)
        for one in self.leases:
            if one.leading:
                end = self.clock.now + one.time_left()
                assert end <= one._renewed + LEASE_SECONDS + 1e-6


class _Paused:
    """A client whose requests each wait for their turn."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    async def send(self, request: Request) -> dict[str, Any]:
        await _Turn()
        if self.machine.chance.random() < 0.05:
            raise Unavailable("not sent")
        answer: dict[str, Any] | ApiError
        try:
            answer = await self.machine.server.send(request)
        except ApiError as error:
            answer = error
        await _Turn()
        if isinstance(answer, ApiError):
            raise answer
        if self.machine.chance.random() < 0.05:
            raise Unavailable("the answer was lost")
        return answer


class _Turn:
    def __await__(self) -> Iterator[object]:
        yield self


def _steps(machine: Machine, lease: ShardLease) -> Iterator[object]:
    lease._client = cast("Client", _Paused(machine))
    coroutine = lease._try()
    while True:
        try:
            yield coroutine.send(None)
        except StopIteration:
            return


LAYOUTS = [("0/2", "0/3", "1/2", "1/3"), ("0/1", "1/2", "0/3"), ("0/2", "0/2:server")]


@given(st.integers(0, 2**32), st.sampled_from(LAYOUTS))
def test_in_any_order_of_their_requests_no_two_work_on_the_same(seed: int, shards: tuple[str, ...]) -> None:
    machine = Machine(seed, *shards, shards[0])
    asleep: dict[int, float] = {}
    for _ in range(400):
        machine.clock.now += machine.chance.choice((0.0, 0.01, 0.2, 1.0))
        number = machine.chance.randrange(len(machine.leases))
        if machine.chance.random() < 0.01:
            asleep[number] = machine.clock.now + machine.chance.choice((5.0, 12.0, 20.0, 60.0))
        if machine.clock.now >= asleep.get(number, 0.0):
            machine.step(number)
        machine.nobody_works_beside_another()


@pytest.mark.parametrize("seed", range(5))
async def test_whoever_is_left_alone_works_in_the_end(seed: int) -> None:
    """The old layout goes one by one, in any order; those of the new one are there all along."""
    server, clock, chance = Server(), Clock(), random.Random(seed)  # noqa: S311  (see above)
    make = candidate_of(server, clock)
    old, new = [make(f"{i}/2") for i in range(2)], [make(f"{i}/3") for i in range(3)]
    for lease in chance.sample(old, 2) + chance.sample(new, 3):
        await lease._try()
    for leaving in chance.sample(old, 2):
        await leaving.release()
        old.remove(leaving)
        for _ in range(5):
            clock.now += 1
            for lease in chance.sample([*old, *new], len(old) + len(new)):
                await lease._try()
            pairs = [(a._shard, b._shard) for a, b in combinations([*old, *new], 2) if a.leading and b.leading]
            assert not any(a.overlaps(b) for a, b in pairs)
            assert all(lease.leading for lease in old)
    assert all(lease.leading for lease in new)
