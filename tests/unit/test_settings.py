"""Flags and the environment: what is read, what wins, and what is refused with which words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from haapp import main, settings
from haapp.settings import Settings, from_environment
from haapp.sharding import Shard


def test_the_environment_carries_all_that_the_flags_said() -> None:
    told = Settings(
        namespaces=("a", "b"),
        shard=Shard(1, 3, by_server=True),
        leader_election=False,
        lease_namespace="ops",
        health_port=1,
        metrics_port=0,
        log_format="json",
        admission=settings.Admission(port=2, certificate="c", key="k", host="h"),
        nodes=False,
    )
    read = from_environment(told.environment())
    assert read == Settings(
        **{f: getattr(told, f) for f in Settings.__slots__ if f != "identity"}, identity=read.identity
    )


def test_nothing_said_is_the_default() -> None:
    read = from_environment({})
    assert read == Settings(identity=read.identity, lease_namespace=settings.own_namespace({}))


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("HAAPP_HEALTH_PORT", "http", "a port number from 0 to 65535"),
        ("HAAPP_METRICS_PORT", "65536", "a port number from 0 to 65535"),
        ("HAAPP_METRICS_PORT", "-1", "a port number from 0 to 65535"),
        ("HAAPP_LEADER_ELECTION", "0", "write true or false"),
        ("HAAPP_LOG_FORMAT", "xml", "write plain or json"),
        ("HAAPP_NODES", "no", "write true or false"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, value: str, advice: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*{advice}"):
        from_environment({name: value})


def test_a_variable_that_cannot_be_read_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAAPP_LOG_FORMAT", "xml")
    assert main.main(["--all-namespaces"]) == 1
    assert capsys.readouterr().err == "haapp-operator: HAAPP_LOG_FORMAT is 'xml': write plain or json\n"


BREAKS = """
import sys
import kopf
from haapp import main

async def no_nodes():
    return False

def breaks(**options):
    raise ZeroDivisionError("oops")

main.nodes_may_be_watched, kopf.run = no_nodes, breaks
sys.exit(main.main(sys.argv[1:]))
"""
"""The operator as a process of its own, which a fault ends."""


def broken(*arguments: str) -> str:
    """What such a process writes before it ends with 1."""
    command = [sys.executable, "-c", BREAKS, "--all-namespaces", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_a_fault_that_ends_the_operator_is_told_with_its_traceback() -> None:
    (line,) = broken("--log-format=json").splitlines()
    told = json.loads(line)
    assert "ZeroDivisionError('oops')" in told["message"]
    assert told["severity"] == "fatal"
    assert "in breaks" in told["exc_info"]
    assert broken("--log-format=plain").splitlines()[-1] == "ZeroDivisionError: oops"


@pytest.mark.parametrize(
    "arguments",
    [[], ["--all-namespaces", "--namespace=a"], ["--all-namespaces", "--health-port=70000"], ["--all-namespaces", "x"]],
)
def test_arguments_that_make_no_sense_end_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.parse(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: haapp-operator")


def test_flags_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAAPP_NAMESPACES", "a,b")
    monkeypatch.setenv("HAAPP_HEALTH_PORT", "1")
    assert main.parse([]).namespaces == ("a", "b")
    assert main.parse(["--all-namespaces"]).namespaces == ()
    told = main.parse(["--namespace=c", "--namespace=d", "--health-port=2", "--no-leader-election"])
    assert (told.namespaces, told.health_port, told.leader_election) == (("c", "d"), 2, False)


def test_the_lease_is_in_the_operators_own_namespace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert from_environment({"POD_NAMESPACE": "ops"}).lease_namespace == "ops"
    assert from_environment({"POD_NAMESPACE": "ops", "HAAPP_LEASE_NAMESPACE": "here"}).lease_namespace == "here"
    mounted = tmp_path / "namespace"
    mounted.write_text("pod\n")
    monkeypatch.setattr(settings, "_NAMESPACE_FILE", mounted)
    assert from_environment({}).lease_namespace == "pod"
    mounted.unlink()
    assert from_environment({}).lease_namespace == "default"


def test_each_process_is_another() -> None:
    assert Settings().identity != Settings().identity
