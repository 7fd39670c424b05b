"""Two operators: however the leader falters, the other one takes over soon, and the old one writes nothing more."""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import rights
from tests.faults.proxy import Proxy
from tests.faults.trial import Stage
from tests.space import Space, app

from devcluster.process import Operator
from devcluster.shell import wait_for
from haapp.api.names import PLURAL

LEASE_SECONDS = 15.0
TAKEOVER = {signal.SIGKILL: 20.0, signal.SIGSTOP: 20.0, signal.SIGTERM: 3.0}
SLACK_SECONDS = 5.0
"""For a machine that is busy with other things."""


class Candidate:
    """An operator with a proxy of its own, so that its writes are told from the other one's."""

    def __init__(self, stage: Stage, folder: Path, name: str) -> None:
        (folder / name).mkdir()
        self.proxy = Proxy(stage.cluster, folder / name, user=rights.ACCOUNT)
        self.proxy.start()
        environment = {"KUBECONFIG": str(self.proxy.kubeconfig), "POD_NAMESPACE": rights.NAMESPACE}
        self.operator = Operator(stage.cluster, folder / name, name, ("--all-namespaces",), environment)

    def start(self) -> None:
        self.operator.stop(signal.SIGKILL)
        self.operator.start()

    def stop(self) -> None:
        if self.operator.is_running():
            self.signal(signal.SIGCONT)
        self.operator.stop(signal.SIGKILL)
        self.proxy.stop()

    def signal(self, how: signal.Signals) -> None:
        os.kill(int(self.operator.pid_file.read_text()), how)

    def leads(self) -> bool:
        return "haapp_leader 1.0" in self.operator.metrics()


@pytest.fixture
def candidates(stage: Stage, tmp_path: Path) -> Iterator[tuple[Candidate, Candidate]]:
    stage.operator.stop()
    two = Candidate(stage, tmp_path, "one"), Candidate(stage, tmp_path, "two")
    try:
        yield two
    finally:
        for candidate in two:
            candidate.stop()


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
    assert [call for call in leader.proxy.calls[ended_or_woken:] if call.is_write] == []
    last = standby.proxy.writes(namespace)[0].at
    assert all(call.at < last for call in leader.proxy.writes(namespace))


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
