"""One operation with one disturbance: begun, disturbed, waited for, and held against the undisturbed one."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pykube
import pytest
from tests.faults.found import Found
from tests.faults.operations import OPERATIONS, Operation, end_state, nothing_left, revisions
from tests.faults.proxy import Proxy
from tests.faults.rules import Rule
from tests.space import Space, app

from devcluster.cluster import Cluster
from devcluster.process import Operator
from devcluster.shell import ClusterError, wait_for

DONE_SECONDS = 180.0
"""Many times what it takes on a quiet machine."""

EVICTIONS = "pods/eviction"

QUIET_SECONDS = 2.0
READY_SECONDS = 180.0


@dataclass
class Stage:
    """What all trials of a session share: the cluster, the proxy in front of it, the operator behind the proxy."""

    cluster: Cluster
    api: pykube.HTTPClient
    proxy: Proxy
    operator: Operator
    undisturbed: dict[str, "Result"] = field(default_factory=dict)
    found: Found = field(default_factory=Found)

    @contextmanager
    def trials(self, *names: str, operator: Operator | None = None) -> Iterator[list["Trial"]]:
        """Operations that are prepared: what was there before is there, and the operator (or another one) runs."""
        if operator is None:
            self.ensure_running()
        else:
            operator.start()
        trials = [Trial(self, OPERATIONS[name]) for name in names]
        try:
            for trial in trials:
                trial.begin()
            for trial in trials:
                trial.wait_begun()
            yield trials
        finally:
            for trial in trials:
                trial.end()

    def expected(self, name: str) -> "Result":
        """What comes of the operation when nothing goes wrong. All of them are found out at once."""
        if not self.undisturbed:
            with self.trials(*OPERATIONS) as trials:
                for trial in trials:
                    trial.act()
                self.undisturbed = {trial.operation.name: trial.wait() for trial in trials}
        return self.undisturbed[name]

    def restart(self) -> None:
        """Begin a new process where the old one has ended."""
        self.operator.stop(signal.SIGKILL)
        self.operator.start()

    def signal(self, how: signal.Signals) -> None:
        """Send the operator's process a signal."""
        os.kill(self.operator.pid, how)

    def record(self, fault: str, trials: "list[Trial]", injected: list[Rule] | Rule | int) -> None:
        """Note how often the fault was injected while each of these operations ran: by a rule for each of them, or by
        one for all (or so often), which counts once."""
        names = [trial.operation.name for trial in trials]
        if isinstance(injected, list):
            self.found.injected(fault, {name: rule.applied for name, rule in zip(names, injected, strict=True)})
        else:
            times = injected if isinstance(injected, int) else injected.applied
            self.found.injected(fault, dict.fromkeys(names, times), once=times)

    def ensure_running(self) -> None:
        if not self.operator.is_running():
            self.restart()

    def folder(self) -> Path:
        """The embedded cluster's folder; skips the test on a cluster of somebody else's."""
        if self.cluster.folder is None:
            pytest.skip(f"{self.cluster.context} is not ours to break")
        return self.cluster.folder

    def wait(self, predicate: Callable[[], Any], what: str, timeout: float = READY_SECONDS) -> None:
        wait_for(predicate, timeout, what)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an operation."""

    state: dict[str, Any]
    writes: int
    revisions: dict[str, str]
    evictions: int


class Trial:
    """One operation in a namespace of its own."""

    def __init__(self, stage: Stage, operation: Operation) -> None:
        self.stage = stage
        self.operation = operation
        self.space = Space(stage.api, f"fault-{uuid.uuid4().hex[:8]}")
        self._since = 0

    def begin(self) -> None:
        self.stage.cluster.kubectl("create", "namespace", self.space.name)
        self.stage.cluster.kubectl("create", "configmap", "settings", "-n", self.space.name, "--from-literal=a=b")
        self.stage.cluster.kubectl("create", "secret", "generic", "keys", "-n", self.space.name, "--from-literal=a=b")
        self.operation.prepare(self.stage.cluster)
        if self.operation.before is not None:
            self.space.apply(app(**self.operation.before))

    def wait_begun(self) -> None:
        if self.operation.before is not None:
            self.space.wait_ready(timeout=READY_SECONDS)
            self.wait_quiet()

    def act(self) -> None:
        """Ask for it."""
        self._since = len(self.stage.proxy.calls)
        self.operation.act(self.space, self.stage.cluster)

    def wait(self, patience: float = DONE_SECONDS) -> Result:
        """Wait until it has come about and the operator has nothing more to write; what is there then."""
        self.space.wait(self._done, f"the end of {self.operation.name}", patience)
        told = end_state(self.space)
        self.wait_quiet()
        self._done()
        state = end_state(self.space)
        if self.operation.told_by_status:
            early = self.stage.found.compare(state, told)
            assert not early, f"{self.operation.name} was called done too early: (then, when said) = {early}"
        writes = self.stage.proxy.writes(self.space.name, self._since)
        evictions = sum(call.resource == EVICTIONS and call.granted for call in writes)
        return Result(state, len(writes), revisions(self.space), evictions)

    def wait_quiet(self) -> None:
        """Wait until the operator has written nothing for a while."""
        self.space.wait(self._quiet, "no more writes", DONE_SECONDS)

    def wait_until_gone(self) -> None:
        """Wait until nothing is left of the app and of what was made for it."""
        self.space.wait(lambda: nothing_left(self.space), "the end of all objects", DONE_SECONDS)

    def check(self, patience: float = DONE_SECONDS) -> None:
        """The end state is that of the undisturbed operation, and the way there had no storm, and no more rollouts and
        evictions."""
        expected, came = self.stage.expected(self.operation.name), self.wait(patience)
        differing = self.stage.found.compare(expected.state, came.state)
        assert not differing, f"{self.operation.name}: (expected, came) = {differing}"
        rolled = expected.revisions, came.revisions
        assert came.revisions == expected.revisions, f"{self.operation.name}: rollouts (expected, came) = {rolled}"
        assert came.evictions <= expected.evictions, f"{self.operation.name}: {came.evictions} pods were evicted"
        assert came.writes <= 3 * expected.writes + 10, f"{self.operation.name}: {came.writes} writes"

    def end(self) -> None:
        self.stage.cluster.kubectl("delete", "namespace", self.space.name, "--wait=false", "--ignore-not-found")
        if self.operation.name == "rebalance":
            self.operation.act(self.space, self.stage.cluster)

    def _done(self) -> bool:
        self.operation.done(self.space)
        return True

    def is_done(self) -> bool:
        """Whether it has come about, and nothing more is written."""
        try:
            return self._done() and self._quiet()
        except ClusterError:
            return False

    def _quiet(self) -> bool:
        writes = self.stage.proxy.writes(self.space.name)
        return not writes or time.monotonic() - writes[-1].at > QUIET_SECONDS


def carry_out(trials: list[Trial], patience: float = DONE_SECONDS) -> None:
    """Ask for all operations at once, and check what has come of each."""
    for trial in trials:
        trial.act()
    for trial in trials:
        trial.check(patience)
