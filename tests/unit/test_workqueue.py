"""The queue's promises: one worker a key, nothing forgotten, backoff that doubles."""

import asyncio
import time

import pytest
from tests.clock import Clock

from haapp.runtime.workqueue import (
    BASE_DELAY,
    CROWD,
    CROWD_SECONDS,
    MAX_DELAY,
    OVERDUE_SECONDS,
    SPARE_TIMERS,
    WorkQueue,
)


async def take(queue: WorkQueue[str], timeout: float = 1.0) -> str | None:
    return await asyncio.wait_for(queue.get(), timeout)


async def nothing(queue: WorkQueue[str], within: float = 0.03) -> bool:
    try:
        await asyncio.wait_for(queue.get(), within)
    except TimeoutError:
        return True
    return False


async def test_a_key_added_twice_is_taken_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert await nothing(queue)


async def test_a_key_is_never_worked_on_twice_at_a_time_and_not_forgotten() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    assert await take(queue) == "a"
    queue.add("a")
    assert await nothing(queue)
    queue.done("a")
    assert await take(queue) == "a"


async def test_a_busy_key_does_not_hold_back_others() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.add("b")
    assert await take(queue) == "b"


async def test_what_stands_behind_comes_last_and_is_not_forgotten() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("old", "edited", "older"):
        queue.add_behind(key)
    queue.add("new")
    queue.add("edited")
    queue.add_behind("new")
    assert queue.ready == 4
    assert [await take(queue) for _ in range(4)] == ["new", "edited", "old", "older"]
    queue.add_behind("old")
    assert await nothing(queue), "a worker has it"
    queue.done("old")
    assert await take(queue) == "old"
    queue.done("old")
    queue.add_behind("old")
    queue.discard("old")
    assert queue.ready == 0


async def test_what_comes_first_is_taken_before_the_others() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_behind("settled")
    queue.add("news")
    queue.add("edited")
    queue.add_first("new")
    queue.add_first("edited")
    queue.add("new")
    assert queue.ready == 4
    assert [await take(queue) for _ in range(4)] == ["new", "edited", "news", "settled"]


async def test_what_is_overdue_gets_every_other_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    queue: WorkQueue[str] = WorkQueue()
    for number in range(2):
        queue.add(f"news {number}")
    for number in range(3):
        queue.add_first(f"new {number}")
    assert await queue.get() == "new 0"
    clock.now += OVERDUE_SECONDS + 1
    assert [await queue.get() for _ in range(4)] == ["news 0", "new 1", "news 1", "new 2"]


async def test_it_is_crowded_while_many_first_ones_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    queue: WorkQueue[str] = WorkQueue()
    for number in range(CROWD):
        assert not queue.crowded()
        queue.add_first(str(number))
        await queue.get()
    assert queue.crowded()
    clock.now += CROWD_SECONDS
    assert not queue.crowded()


async def test_a_waiting_worker_is_woken_for_what_stands_behind() -> None:
    queue: WorkQueue[str] = WorkQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add_behind("a")
    assert await asyncio.wait_for(waiting, 1) == "a"


async def test_a_waiting_worker_is_woken() -> None:
    queue: WorkQueue[str] = WorkQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    assert await asyncio.wait_for(waiting, 1) == "a"


async def test_the_sooner_of_two_delays_counts() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    queue.add_after("a", 60)
    assert await take(queue) == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_settling_waits_for_quiet_and_ends_at_most_later() -> None:
    queue: WorkQueue[str] = WorkQueue()
    began = time.monotonic()
    while not queue.ready and time.monotonic() - began < 2:
        queue.add_settled("a", quiet=0.2, at_most=0.3)
        await asyncio.sleep(0.02)
        await nothing(queue, 0.001) if queue.ready == 0 else None
        if not len(queue):
            break
    assert 0.25 <= time.monotonic() - began < 1.5


async def test_an_urgent_key_does_not_wait_to_settle() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_settled("a", quiet=60, at_most=60)
    queue.add("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_backoff_doubles_to_its_limit_and_starts_again_after_success() -> None:
    queue: WorkQueue[str] = WorkQueue()
    delays = [queue.add_failed("a") for _ in range(20)]
    assert delays[:3] == pytest.approx([BASE_DELAY, 2 * BASE_DELAY, 4 * BASE_DELAY])
    assert delays[-1] == MAX_DELAY
    queue.forget_failures("a")
    assert queue.add_failed("a") == pytest.approx(BASE_DELAY)
    assert queue.add_failed("a", at_least=7) == 7


async def test_a_discarded_key_leaves_nothing_behind() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add("b")
    queue.discard("a")
    queue.discard("b")
    assert await nothing(queue, 0.05)
    assert len(queue) == 0


async def test_timers_that_were_overtaken_or_discarded_do_not_pile_up() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for number in range(1000):
        queue.add_after("busy", 1000.0 - number / 10)
        queue.add_after(f"gone-{number}", 300.0)
        queue.discard(f"gone-{number}")
    assert len(queue._timers) <= SPARE_TIMERS + 3
    assert list(queue._armed) == ["busy"]
    queue.add_after("busy", 0.0)
    assert await take(queue) == "busy"


async def test_a_closed_queue_lets_its_workers_go() -> None:
    queue: WorkQueue[str] = WorkQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.close()
    assert await asyncio.wait_for(waiting, 1) is None


async def test_a_long_queue_is_not_stalled_while_keys_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("haapp.runtime.workqueue.time.monotonic", lambda: now[0])
    queue: WorkQueue[str] = WorkQueue()
    assert queue.stalled == 0
    now[0] += 500
    for key in "abc":
        queue.add(key)
    assert queue.stalled == 0, "it has waited for nothing"
    now[0] += 60
    assert await queue.get() == "a"
    assert (queue.age, queue.stalled) == (60, 0)
    now[0] += 60
    assert (queue.age, queue.stalled) == (120, 60)
