"""What a worker does with how a visit ended: when it looks again, what it counts, and what it says."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from haapp.exceptions import NotLeading, Refused, Throttled, Unavailable
from haapp.reconcile.pipeline import FAULT_SECONDS, Visit
from haapp.reconcile.ports import Key
from haapp.runtime import workers as module
from haapp.runtime.workers import Workers
from haapp.runtime.workqueue import WorkQueue

KEY = Key("shop", "web")


class Queue(WorkQueue[Key]):
    """A queue that remembers when it was asked to look again."""

    def __init__(self) -> None:
        super().__init__()
        self.again: list[float] = []

    def add_after(self, key: Key, delay: float) -> None:
        self.again.append(round(delay, 3))


async def until(reached: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if reached():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def work(queue: Queue, *ends: Visit | Exception) -> Workers:
    """Visit the key once for each of the ends; the workers, which have stopped."""
    left = list(ends)
    done = asyncio.Event()

    async def visit(key: Key) -> Visit:
        end = left.pop(0)
        if not left:
            done.set()
        if isinstance(end, Exception):
            raise end
        return end

    running = Workers(queue, visit, 1)
    running.start()
    for _ in ends:
        queue.add(KEY)
        await until(lambda: queue.ready == 0 and KEY not in queue._busy)
    await asyncio.wait_for(done.wait(), 1)
    await running.stop()
    return running


async def test_success_is_left_until_there_is_news() -> None:
    queue = Queue()
    await work(queue, Visit())
    assert queue.again == []


async def test_a_visit_may_ask_for_the_next_one() -> None:
    queue = Queue()
    await work(queue, Visit(again_in=7))
    assert queue.again == [7]


async def test_failures_in_a_row_wait_twice_as_long_until_one_succeeds() -> None:
    queue = Queue()
    failed = Visit(failure="ApiError", message="no")
    await work(queue, failed, Unavailable("down"), failed, Visit(), failed)
    assert queue.again == [0.005, 0.01, 0.02, 0.005]


async def test_the_server_says_when_to_come_back() -> None:
    queue = Queue()
    await work(queue, Throttled("later", retry_after=9), Visit(failure="ApiError", retry_after=8))
    assert queue.again == [9, 8]


async def test_what_else_a_failed_visit_waits_for_does_not_hold_back_its_retry() -> None:
    queue = Queue()
    await work(queue, Visit(failure="ApiError", again_in=65))
    assert min(queue.again) == 0.005
    queue = Queue()
    await work(queue, Visit(failure="ApiError", again_in=1, retry_after=9))
    assert min(queue.again) == 9, "and it does not come sooner than the server allows"


async def test_who_does_not_lead_tries_again_without_haste() -> None:
    queue = Queue()
    await work(queue, NotLeading("no"))
    assert queue.again == [module.NOT_LEADING_DELAY]


async def test_a_fault_is_logged_whole_and_the_worker_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue()
    await work(queue, ZeroDivisionError("oops"), Visit(again_in=3))
    assert queue.again == [FAULT_SECONDS, 3]
    assert "ZeroDivisionError" in caplog.text


async def test_a_failure_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    taken = Visit(failure="NameConflict", message="taken")
    with caplog.at_level(logging.WARNING):
        await work(Queue(), taken, taken, taken, Visit(failure="NameConflict", message="also taken"), Visit(), taken)
    assert [record.args[2] for record in caplog.records if isinstance(record.args, tuple)] == [
        "taken",
        "also taken",
        "taken",
    ]


@pytest.mark.parametrize("end", [Refused("x" * 10**6), Visit(failure="ApiError", message="x" * 10**6)])
async def test_a_long_message_is_neither_logged_nor_kept_whole(
    caplog: pytest.LogCaptureFixture, end: Visit | Exception
) -> None:
    with caplog.at_level(logging.WARNING):
        workers = await work(Queue(), end, end)
    (record,) = caplog.records
    assert len(record.getMessage()) < 4200
    assert len(workers._told[KEY]) == 4096


async def test_nothing_is_kept_of_an_app_that_is_gone() -> None:
    queue = Queue()
    await work(queue, Visit(failure="ApiError", message="no"), Visit(gone=True))
    assert not queue._failures


@pytest.mark.parametrize(("seconds", "how"), [(0.05, "whole"), (60, "cut short")])
async def test_a_stop_waits_for_the_visit_in_hand(monkeypatch: pytest.MonkeyPatch, seconds: float, how: str) -> None:
    ended: list[str] = []

    async def visit(key: Key) -> Visit:
        try:
            await asyncio.sleep(seconds)
            ended.append("whole")
        except asyncio.CancelledError:
            ended.append("cut short")
            raise
        return Visit()

    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    queue = Queue()
    running = Workers(queue, visit, 1)
    running.start()
    queue.add(KEY)
    await until(lambda: bool(queue._busy))
    await running.stop()
    await until(lambda: bool(ended))
    assert ended == [how]


async def test_many_visits_that_wait_for_nothing_leave_time_for_all_else() -> None:
    """After a restart there is one for each app; the lease, the watches and the probes go on meanwhile."""
    queue: WorkQueue[Key] = WorkQueue()
    visited: list[Key] = []

    async def visit(key: Key) -> Visit:
        visited.append(key)
        return Visit()

    for number in range(1000):
        queue.add(Key("shop", f"app-{number}"))
    workers = Workers(queue, visit, number=4)
    workers.start()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(visited) < 20
    await until(lambda: len(visited) == 1000)
    await workers.stop()


async def test_a_visit_that_waits_for_an_answer_does_not_wait_for_a_visit_of_every_worker() -> None:
    """After a restart a new app's writes go on while fifteen workers visit all others."""
    queue: WorkQueue[Key] = WorkQueue()
    between: list[int] = []
    visited = 0

    async def visit(key: Key) -> Visit:
        nonlocal visited
        for _ in range(10 if key == KEY else 0):
            before = visited
            await asyncio.sleep(0)
            between.append(visited - before)
        visited += 1
        return Visit()

    for number in range(1000):
        queue.add(Key("shop", f"app-{number}"))
    queue.add_first(KEY)
    workers = Workers(queue, visit, number=16)
    workers.start()
    await until(lambda: visited == 1001)
    await workers.stop()
    assert len(between) == 10
    assert max(between) <= 1
