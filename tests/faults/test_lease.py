"""The lease itself falters: who cannot renew it writes nothing past its end and makes way, and nothing is lost."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from tests.faults.candidates import Candidate, leads
from tests.faults.found import State
from tests.faults.operations import FULL, OPERATIONS, end_state
from tests.faults.rules import EVENTS, LEASES, Answer, Call, Fault, Hung, Rule, Swallowed, renewals, writes
from tests.faults.trial import Stage, Trial
from tests.space import Space, app

from devcluster.cluster import restart
from devcluster.shell import wait_for
from haapp.api import names
from haapp.cluster.client import CONNECTIONS
from haapp.cluster.lease import LEASE_SECONDS, RENEW_DEADLINE, REQUEST_TIMEOUT, RETRY_PERIOD

FAULTS: dict[str, tuple[Fault, Callable[[Call], bool]]] = {
    "lease: 503": (Answer(503, "ServiceUnavailable"), renewals),
    "lease: never answered": (Hung(), renewals),
    "lease: answers lost": (Swallowed(), renewals),
    "lease: neither read nor renewed": (Hung(), lambda call: call.resource == LEASES),
}
ALWAYS = 10_000
LEADER_SECONDS = 60
TAKEOVER_SECONDS = 22.0
"""From the last renewal: the lease, the standby's next look, and some for a machine that is busy with other things."""

LAST_WRITE_SECONDS = RENEW_DEADLINE + 2.0
"""From the last renewal to the last write, by the proxy's clock, which sees both a little later than the operator does.
It is less than the lease lasts."""

ENDED_SECONDS = 40.0
"""The loss of the lease, the visits in hand, and a release that is not answered."""

LONGEST_PAUSE = RENEW_DEADLINE + RETRY_PERIOD + 2 * REQUEST_TIMEOUT
"""Between two renewals of one holder: the last attempt begins in time, and is answered at the last moment."""

PACE_SECONDS = 0.3
HALFWAY = RENEW_DEADLINE - 3.0
"""Seconds from the last renewal to the beginning of operations that the leader does not live to end."""

STOPPED_SECONDS = 20.0

MANY = 40
"""Apps of seven children each."""

HELD_UP_SECONDS = 9.0
"""What a webhook may take, and the lease would not outlast twice."""


@pytest.mark.matrix(1)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_leader_that_cannot_renew_makes_way(
    stage: Stage, candidates: tuple[Candidate, Candidate], namespace: str, fault: str
) -> None:
    """Ever new apps ask for writes and Events until the standby has taken over."""
    space = Space(stage.api, namespace)
    leader, standby = candidates
    leader.start()
    wait_for(leader.leads, LEADER_SECONDS, "a leader")
    standby.start()
    wait_for(standby.operator.is_ready, LEADER_SECONDS, "a standby that has seen all there is")
    made = ever_new_apps(space)
    unharmed = next(made)
    space.wait_reconciled(unharmed)
    rule = Rule(*FAULTS[fault], times=ALWAYS)
    with leader.proxy.rule(rule):
        stage.wait(lambda: rule.applied, "a renewal")
        wait_for(
            lambda: next(made) and standby.proxy.writes(namespace),
            TAKEOVER_SECONDS,
            "the other's first write",
            every=PACE_SECONDS,
        )
        wait_for(lambda: not leader.operator.is_running(), ENDED_SECONDS, "the end of the old leader")
    renewed = last_renewal(leader.proxy.calls, rule)
    written = [call for call in leader.proxy.calls if call.mutates and call.at > renewed]
    assert {EVENTS, "deployments"} <= {call.resource for call in written}
    assert [call for call in written if call.at > renewed + LAST_WRITE_SECONDS] == []
    first = next(call.at for call in standby.proxy.calls if call.mutates)
    assert written[-1].at < first
    stage.found.takeovers.setdefault(fault, []).append(first - renewed)
    assert_all_alike(stage, space, unharmed)


@pytest.mark.matrix(1)
@pytest.mark.parametrize("fault", FAULTS)
def test_operations_outlast_a_leader_that_cannot_renew(leased_stage: Stage, fault: str) -> None:
    """They begin shortly before it has to stop. It is begun anew, as a kubelet would."""
    stage = leased_stage
    with led_trials(stage) as trials:
        rule = Rule(*FAULTS[fault], times=ALWAYS)
        with stage.proxy.rule(rule):
            stage.wait(lambda: rule.applied, "a renewal")
            renewed = last_renewal(stage.proxy.calls, rule)
            time.sleep(max(0.0, renewed + HALFWAY - time.monotonic()))
            since = len(stage.proxy.calls)
            for trial in trials:
                trial.act()
            wait_for(lambda: not stage.operator.is_running(), ENDED_SECONDS, "the end of the leader")
            written = [call for call in stage.proxy.calls[since:] if call.mutates]
            assert written
            assert [call for call in written if call.at > renewed + LAST_WRITE_SECONDS] == []
        stage.restart()
        for trial in trials:
            trial.check()
        stage.record(fault, trials, rule)


@pytest.mark.matrix(0)
def test_writes_that_are_held_up_cost_the_lease_nothing(leased_stage: Stage, namespace: str) -> None:
    """As by a slow admission webhook: they take every connection there is, and more wait for one."""
    stage = leased_stage
    space = Space(stage.api, namespace)
    stage.restart()
    wait_for(lambda: leads(stage.operator), LEADER_SECONDS, "a leader")
    held_up = Rule(Hung(HELD_UP_SECONDS), writes(namespace), times=ALWAYS)
    apps = [f"web-{number:04}" for number in range(MANY)]
    since = len(stage.proxy.calls)
    with stage.proxy.rule(held_up):
        space.apply(*(app(name, **FULL | {"replicas": 0}) for name in apps))
        time.sleep(2 * LEASE_SECONDS)
    assert held_up.applied > CONNECTIONS
    assert stage.operator.is_running()
    assert longest_pause(stage.proxy.calls[since:]) < RENEW_DEADLINE
    space.wait_reconciled(*apps)


def stop_etcd(stage: Stage) -> None:
    """For longer than a lease lasts."""
    pid = int((stage.folder() / "pids" / "etcd.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(STOPPED_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)


def restart_api_server(stage: Stage) -> None:
    restart(stage.folder(), "kube-apiserver")


def stop_and_restart(stage: Stage) -> None:
    stop_etcd(stage)
    restart_api_server(stage)


OUTAGES: dict[str, Callable[[Stage], None]] = {
    "with a lease: API server restarted": restart_api_server,
    "with a lease: etcd stopped for 20 s": stop_etcd,
    "with a lease: etcd stopped, API server restarted": stop_and_restart,
}


@pytest.mark.matrix(1)
@pytest.mark.parametrize("outage", OUTAGES)
def test_operations_outlast_an_outage_with_a_lease(leased_stage: Stage, outage: str) -> None:
    """A leader that could not renew for too long has resigned, and is begun anew."""
    stage = leased_stage
    with led_trials(stage) as trials:
        since = len(stage.proxy.calls)
        stage.wait(lambda: renewing(stage, since), "a renewal")
        for trial in trials:
            trial.act()
        OUTAGES[outage](stage)
        stage.wait(lambda: stage.cluster.is_served("nodes"), "the API server's answer")
        served = len(stage.proxy.calls)
        wait_for(
            lambda: not stage.operator.is_running() or renewing(stage, served), ENDED_SECONDS, "a renewal, or none"
        )
        calls = stage.proxy.calls[since:]
        resigned = not stage.operator.is_running()
        assert resigned or longest_pause(calls) < LONGEST_PAUSE
        assert resigned or OUTAGES[outage] is restart_api_server
        stage.ensure_running()
        for trial in trials:
            trial.check()
        assert unfenced(stage.proxy.calls, since) == []
        stage.record(outage, trials, 1)


@contextmanager
def led_trials(stage: Stage) -> Iterator[list[Trial]]:
    """All operations prepared, and the operator holds the lease."""
    with stage.trials(*OPERATIONS) as trials:
        wait_for(lambda: leads(stage.operator), LEADER_SECONDS, "a leader")
        yield trials


def ever_new_apps(space: Space) -> Iterator[str]:
    """Makes one with each step; its name."""
    for number in range(ALWAYS):
        name = f"web-{number:04}"
        space.apply(app(name, replicas=0))
        yield name


def assert_all_alike(stage: Stage, space: Space, unharmed: str) -> None:
    """Every app has what the unharmed one has, and there is nothing beside."""
    apps = [obj["metadata"]["name"] for obj in space.items(names.PLURAL)]
    space.wait_reconciled(*apps)
    state = end_state(space)
    pods = state.pop("pods")
    like = nameless(state, unharmed)
    differing = {name: stage.found.compare(like, nameless(state, name)) for name in apps}
    assert not any(differing.values()), differing
    assert (len(state), pods) == (len(like) * len(apps), 0)


def nameless(state: State, name: str) -> State:
    """What is there of one app, as if it had no name."""
    of_app = {key: value for key, value in state.items() if name in key}
    plain: State = json.loads(json.dumps(of_app).replace(name, "NAME"))
    return plain


def granted_renewals(calls: Iterable[Call]) -> list[float]:
    """When those began that the server granted."""
    return [call.at for call in calls if renewals(call) and call.granted]


def last_renewal(calls: Iterable[Call], rule: Rule) -> float:
    """When the last one began that was granted before the rule met the lease."""
    return max(at for at in granted_renewals(calls) if at < rule.seen[0].at)


def renewing(stage: Stage, since: int) -> bool:
    """Whether the lease was renewed after so many calls."""
    return bool(granted_renewals(stage.proxy.calls[since:]))


def longest_pause(calls: Iterable[Call]) -> float:
    """Seconds between two renewals."""
    return max(after - before for before, after in pairwise(granted_renewals(calls)))


def unfenced(calls: list[Call], since: int) -> list[Call]:
    """The writes, of the calls from number `since` on, that nobody had renewed the lease for."""
    renewed = granted_renewals(calls)
    return [
        call
        for call in calls[since:]
        if call.mutates and not any(0 <= call.at - at <= LAST_WRITE_SECONDS for at in renewed)
    ]
