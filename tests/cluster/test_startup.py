"""What can be wrong when the operator starts: it says so in one line and ends, or waits and goes on."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.space import Object, Space, app

from devcluster.cluster import Cluster
from devcluster.process import Operator, free_port
from haapp.api import names

PROGRAM = Path(sys.executable).with_name("haapp-operator")
CRD = Path(__file__).parents[2] / "crds"


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """The exit code of an operator that cannot start, and what it said."""
    done = subprocess.run(
        [str(PROGRAM), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def ports(health: int = 0, metrics: int = 0) -> list[str]:
    return ["--all-namespaces", "--no-leader-election", f"--health-port={health}", f"--metrics-port={metrics}"]


def test_a_port_in_use(cluster: Cluster) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104
        taken.listen()
        port = taken.getsockname()[1]
        for arguments in (ports(health=port), ports(metrics=port)):
            code, said = run(*arguments, KUBECONFIG=str(cluster.kubeconfig))
            assert code == 1
            assert f"{port}): " in said
            assert "in use" in said
            assert "Traceback" not in said
            assert len(said.splitlines()) == 1, said


def test_no_cluster_is_named(tmp_path: Path) -> None:
    code, said = run(*ports(), KUBECONFIG=str(tmp_path / "none"), HOME=str(tmp_path))
    assert code == 1
    assert "haapp-operator: no cluster to work in: set KUBECONFIG" in said
    assert "Traceback" not in said


def test_a_log_for_machines_says_it_as_json(tmp_path: Path) -> None:
    code, said = run(*ports(), "--log-format=json", KUBECONFIG=str(tmp_path / "none"), HOME=str(tmp_path))
    assert code == 1
    last = [json.loads(line) for line in said.splitlines()][-1]
    assert last["message"].startswith("no cluster to work in: set KUBECONFIG")
    assert last["severity"] == "error"


def kubeconfig(cluster: Cluster, path: Path, change: Callable[[Object], None]) -> str:
    """The cluster's kubeconfig with a change, as a file."""
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
    change(config)
    path.write_text(json.dumps(config))
    return str(path)


def test_credentials_that_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    def forget(config: Object) -> None:
        config["users"][0]["user"] = {"token": "wrong"}

    code, said = run(*ports(), KUBECONFIG=kubeconfig(cluster, tmp_path / "kubeconfig", forget))
    assert code == 1
    assert said.startswith("haapp-operator: ")
    assert "Unauthorized" in said
    assert len(said.splitlines()) == 1, said


def test_an_api_server_that_is_not_there_yet_is_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    def elsewhere(config: Object) -> None:
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"

    with subprocess.Popen(
        [str(PROGRAM), *ports()],
        env={**os.environ, "KUBECONFIG": kubeconfig(cluster, tmp_path / "kubeconfig", elsewhere)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            assert all("The API server does not answer" in process.stderr.readline() for _ in range(2))
            assert process.poll() is None
        finally:
            process.kill()


@pytest.fixture
def no_crd(cluster: Cluster, operator: Operator) -> Iterator[Callable[[], None]]:
    """The cluster without our CRD, until the function is called (or the test ends)."""
    operator.stop()
    cluster.kubectl("delete", "crd", f"{names.PLURAL}.{names.GROUP}", "--timeout=60s")
    install = [False]

    def back() -> None:
        if not install[0]:
            cluster.install_crds(*sorted(CRD.glob("*.yaml")))
        install[0] = True

    yield back
    back()
    operator.start()


@pytest.mark.parametrize("everywhere", [True, False], ids=["all namespaces", "one namespace"])
def test_the_crd_may_come_later(
    space: Space, no_crd: Callable[[], None], start_operator: Callable[..., Operator], everywhere: bool
) -> None:
    where = "--all-namespaces" if everywhere else f"--namespace={space.name}"
    running = start_operator(where, "--no-leader-election")
    space.wait(lambda: f"{names.PLURAL}.{names.GROUP} is not installed yet" in running.log_tail(), "what it waits for")
    assert running.is_running()
    no_crd()
    space.apply(app(replicas=1))
    space.wait_ready()
    assert len([line for line in running.log_tail().splitlines() if "not installed yet" in line]) == 1
