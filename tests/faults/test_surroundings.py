"""The cluster itself falters: its API server, its store, the CRD, a namespace."""

import os
import signal
import time

import pytest
from tests.cluster.conftest import CRDS
from tests.faults.operations import FULL, OPERATIONS
from tests.faults.rules import Answer, Rule
from tests.faults.trial import Stage
from tests.space import app

from devcluster.cluster import restart
from haapp.api.names import GROUP, PLURAL

STOPPED_SECONDS = 20.0
PATIENCE = 120.0


@pytest.mark.matrix(0)
def test_the_api_server_is_killed_and_started_again(stage: Stage) -> None:
    folder = stage.folder()
    stage.expected("create")
    with stage.trials(*OPERATIONS) as trials:
        for trial in trials:
            trial.act()
        restart(folder, "kube-apiserver")
        stage.wait(lambda: stage.cluster.is_served("nodes"), "the API server's answer", PATIENCE)
        for trial in trials:
            trial.check(patience=PATIENCE)
        stage.record("API server restarted", trials, 1)


@pytest.mark.matrix(0)
def test_etcd_stands_still(stage: Stage) -> None:
    pid = int((stage.folder() / "pids" / "etcd.pid").read_text())
    stage.expected("create")
    with stage.trials(*OPERATIONS) as trials:
        for trial in trials:
            trial.act()
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(STOPPED_SECONDS)
        finally:
            os.kill(pid, signal.SIGCONT)
        for trial in trials:
            trial.check(patience=PATIENCE)
        stage.record("etcd stopped for 20 s", trials, 1)


@pytest.mark.matrix(1)
@pytest.mark.parametrize("status", [429, 500])
def test_a_start_outlasts_a_server_that_is_not_ready(stage: Stage, status: int) -> None:
    """Every request of the start is refused at first, discovery and lists too."""
    stage.expected("create")
    stage.operator.stop()
    rule = Rule(Answer(status, retry_after="1" if status == 429 else None), lambda call: not call.is_write, each=True)
    with stage.proxy.rule(rule), stage.trials("create") as (trial,):
        trial.act()
        trial.check()
        assert rule.applied > 10
        stage.record(f"{status} at the start", [trial], [rule])


def test_the_crd_goes_and_comes_back(stage: Stage) -> None:
    """Every app goes with it, and what they had made; those that come back are served, by the same process."""
    stage.expected("create")
    with stage.trials("delete", "create") as (before, after):
        process = stage.operator.pid_file.read_text()
        stage.cluster.kubectl("delete", "crd", f"{PLURAL}.{GROUP}", timeout=120)
        stage.wait(
            lambda: "haapp_app_ready{" not in stage.operator.metrics(), "the end of every app's series", PATIENCE
        )
        stage.cluster.install_crds(*CRDS)
        after.act()
        after.check(patience=PATIENCE)
        before.wait_until_gone()
        assert stage.operator.is_running()
        assert stage.operator.pid_file.read_text() == process
        stage.record("CRD deleted and recreated", [before, after], 1)


def test_a_namespace_that_is_deleted_while_work_is_done_goes(stage: Stage) -> None:
    """Nothing of ours keeps it, and nothing is written to it for ever."""
    with stage.trials("create") as (trial,):
        trial.space.apply(*(app(f"web-{number}", **FULL) for number in range(5)))
        stage.wait(lambda: len(stage.proxy.writes(trial.space.name)) > 3, "the first writes")
        stage.cluster.kubectl("delete", "namespace", trial.space.name, timeout=120)
        trial.wait_quiet()
        assert "haapp_app_ready{" not in stage.operator.metrics() or trial.space.name not in stage.operator.metrics()
        stage.record("namespace deleted", [trial], 1)
