"""Two operators: however the leader falters, the other one takes over soon, and the old one writes nothing more."""

import itertools
import signal
import time
from collections.abc import Callable

import pytest
from tests.faults.candidates import Candidate
from tests.faults.trial import Stage
from tests.space import Space, app

from devcluster.shell import wait_for
from haapp.api.names import PLURAL

TAKEOVER = {signal.SIGKILL: 20.0, signal.SIGSTOP: 20.0, signal.SIGTERM: 3.0}
SLACK_SECONDS = 5.0
"""For a machine that is busy with other things."""


@pytest.mark.matrix(1)
@pytest.mark.parametrize(("how", "number"), [(how, n) for how in TAKEOVER for n in range(4)])
def test_the_other_one_takes_over(
    stage: Stage, candidates: tuple[Candidate, Candidate], namespace: str, how: signal.Signals, number: int
) -> None:
    space = Space(stage.api, namespace)
    leader, standby = candidates
    leader.start()
    wait_for(leader.leads, 60, "a leader")
    standby.start()
    space.apply(*(app(f"web-{n}", replicas=1) for n in range(5)))
    space.wait_ready(*(f"web-{n}" for n in range(5)))
    wait_for(standby.operator.is_ready, 60, "a standby that has seen all there is")
    assert not standby.leads()
    change = changes(space)
    for _ in range(number * 3):
        change()
    began = time.monotonic()
    leader.signal(how)
    wait_for(
        lambda: change() or standby.proxy.writes(namespace), TAKEOVER[how] + SLACK_SECONDS, "the other's first write"
    )
    seconds = standby.proxy.writes(namespace)[0].at - began
    stage.found.takeovers.setdefault(how.name, []).append(seconds)
    ended_or_woken = woken(leader, change) if how == signal.SIGSTOP else len(leader.proxy.calls)
    wait_for(lambda: not leader.operator.is_running(), 30, "the end of the old leader")
    assert [call for call in leader.proxy.calls[ended_or_woken:] if call.mutates] == []
    first = next(call.at for call in standby.proxy.calls if call.mutates)
    assert all(call.at < first for call in leader.proxy.calls if call.mutates)


def changes(space: Space) -> Callable[[], None]:
    """Asks for another number of pods of another app each time."""
    turns = itertools.count()

    def change() -> None:
        turn = next(turns)
        space.patch(PLURAL, f"web-{turn % 5}", {"spec": {"replicas": 1 + turn // 5 % 3}})

    return change


def woken(leader: Candidate, change: Callable[[], None]) -> int:
    """Let the old leader go on, long after its lease; the number of its calls until then."""
    for _ in range(10):
        change()
    before = len(leader.proxy.calls)
    leader.signal(signal.SIGCONT)
    for _ in range(10):
        change()
    return before
