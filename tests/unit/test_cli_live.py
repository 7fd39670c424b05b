"""`map` and `explain` on made-up apps, and the one sentence that each command gives for each mistake."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.live_cases import deployment, node, pod, replica_sets, state
from tests.render_support import app_of

from haapp.cli import map as map_command
from haapp.cli.causes import Cause, causes
from haapp.cli.explain import _chain, lines
from haapp.cli.live import LiveApp, when
from haapp.cli.main import COMMANDS, main
from haapp.cli.picture import picture
from haapp.cli.terminal import plain
from haapp.placement.model import Pod

NODES = tuple(node(f"{zone}{at}", zone) for zone in "ab" for at in (1, 2))


def live(
    pods: Iterable[Pod], caches: Iterable[Pod] = (), conditions: Iterable[dict[str, Any]] = (), **spec: Any
) -> LiveApp:
    status = {"conditions": list(conditions), "summary": "as it is", "observedGeneration": 1}
    meta = {"name": "shop", "namespace": "store", "generation": 1}
    obj = {"kind": "HighAvailabilityApp", "metadata": meta, "status": status}
    return LiveApp(obj, app_of(spec), deployment(3), replica_sets(), tuple(pods), tuple(caches), NODES)


def condition(kind: str, status: str = "False", reason: str = "Why", message: str = "because") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def test_the_map_in_columns() -> None:
    down = replace(NODES[3], ready=False)
    found = live(
        [
            pod("p1", "a1"),
            pod("p2", "b1", ready=False),
            pod("p3", "a1", template_hash="old11"),
            pod("p4", "b2"),
            pod("p5", ""),
        ],
        [pod("c1", "a1"), pod("c2", "b1", ready=False)],
    )
    found = replace(found, nodes=(*NODES[:3], down))
    assert plain(map_command.lines(picture(found))) == (
        "shop  as it is\n"
        "  a         b\n"
        "  a1 ●◐◆    b1 ○◇\n"
        "  a2        b2 (down) ○\n"
        "  without a node: ○ p5\n"
        "  skew: zones 2 above 1, nodes 2 above 1\n"
        "  survives: without a 0 of 2 are left; without a1 0 of 2 are left\n"
    )


def test_a_watch_shows_each_change_once_and_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [[picture(live([pod("p1", on)]))] for on in ("a1", "a1", "b1")]
    monkeypatch.setattr(map_command, "connect", lambda _: None)
    monkeypatch.setattr(map_command, "_pictures", lambda *_: shown.pop(0))

    def sleep(_: float) -> None:
        if not shown:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    assert main(["map", "shop", "--watch"]) == 0
    assert capsys.readouterr().out.count("shop  as it is") == 2


def told(found: LiveApp, events: dict[str, list[dict[str, Any]]] | None = None) -> list[Cause]:
    return list(causes(found, lambda name: (events or {}).get(name, [])))


def test_pods_with_the_same_trouble_are_told_once() -> None:
    crashed = [
        state(state="waiting", reason="CrashLoopBackOff", last_exit_code=3, restarts=n, ready=False) for n in (2, 5)
    ]
    pods = [pod(f"p{at}", "a1", ready=False, containers=(it,)) for at, it in enumerate(crashed)]
    (cause,) = told(live(pods))
    assert (cause.pod, cause.alike, cause.field) == ("p0", 1, "spec.app")
    assert "exit 3" in cause.what


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("0/4 nodes are available: 4 node(s) didn't match pod topology spread constraints.", "spec.zones"),
        ("0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules.", "spec.nodes.antiAffinity"),
        ("0/4 nodes are available: 4 node(s) didn't match pod affinity rules.", "spec.cache"),
        ("0/4 nodes are available: 4 Insufficient cpu.", "spec.app.resources.requests"),
        ("0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector.", "spec.pod.nodeSelector"),
        ("0/4 nodes are available: 4 node(s) had untolerated taint(s).", "spec.pod.tolerations"),
    ],
)
def test_what_the_scheduler_says_leads_to_a_field(message: str, field: str) -> None:
    (cause,) = told(live([pod("p", "", ready=False, scheduled_message=message)]))
    assert cause.what == f"the scheduler: {message}"
    assert cause.field == field
    assert cause.change


def test_what_the_kubelet_says_of_a_probe_leads_to_that_probe() -> None:
    running = pod("p", "a1", ready=False, containers=(state(ready=False),))
    said = {"reason": "Unhealthy", "message": "Startup probe failed: 503"}
    (cause,) = told(live([running]), {"p": [{"reason": "Started"}, said]})
    assert (cause.what, cause.field) == ("Startup probe failed: 503", "spec.probes.startup")
    (cause,) = told(live([running]))
    assert cause.field == "spec.probes.readiness"


def test_a_lost_node_and_a_cache_that_does_not_start() -> None:
    found = live(
        [pod("p", "gone")],
        [pod("c", "a1", ready=False, containers=(state("redis", state="waiting", reason="ErrImagePull"),))],
    )
    lost, cache = told(found)
    assert (lost.what, lost.field) == ("node gone is gone", "")
    assert cache.field == "spec.cache.redis"
    assert cache.about[0] == "CacheColocated"


def test_a_cause_stands_under_the_condition_that_it_is_nearest_to() -> None:
    bad = [
        condition("Ready", message="Available: because"),
        condition("Available"),
        condition("Spread"),
        condition("Stalled", "True"),
    ]
    found = live([pod("p", "", ready=False, scheduled_message="4 Insufficient cpu")], conditions=bad)
    chain = {step["condition"]: step for step in _chain(found, told(found))}
    assert list(chain) == ["Available", "Spread", "Stalled"]
    assert [it["pod"] for it in chain["Spread"]["pods"]] == ["p"]
    assert not chain["Available"]["pods"]
    assert chain["Available"]["holdsReadyBack"]


def test_the_chain_for_people() -> None:
    step = {
        "condition": "Spread",
        "status": "False",
        "reason": "Unschedulable",
        "message": "1 pod waits",
        "holdsReadyBack": True,
    }
    cause = Cause("p", "", "the scheduler: no", "spec.zones", "add nodes", ("Spread",), alike=2).as_json()
    other = {
        "condition": "Reconciling",
        "status": "True",
        "reason": "R",
        "message": "m",
        "holdsReadyBack": False,
        "pods": [],
    }
    event = {"time": "12:00", "reason": "Bad", "message": "news"}
    told = {
        "name": "shop",
        "ready": "False",
        "message": "2 of 3",
        "chain": [{**step, "pods": [cause]}, other],
        "events": [event],
    }
    assert plain(lines(told)) == (
        "shop is not Ready: 2 of 3\n"
        "  Spread=False (Unschedulable): 1 pod waits\n"
        "    pod p and 2 more like it: the scheduler: no\n"
        "      spec.zones: add nodes\n"
        "  also Reconciling=True (R): m\n"
        "  12:00 Bad: news\n"
    )


def test_the_time_of_an_event() -> None:
    made = {"metadata": {"creationTimestamp": "1"}}
    assert when(made) == "1"
    assert when({**made, "eventTime": "2"}) == "2"
    assert when({**made, "eventTime": "2", "lastTimestamp": "3"}) == "3"
    assert when({**made, "lastTimestamp": "3", "series": {"lastObservedTime": "4"}}) == "4"


# Mistakes

NOWHERE = ["--kubeconfig", "nowhere.yaml"]
READS_FILES = ["render", "check", "diff", "simulate"]
ASKS_A_CLUSTER = {
    "map": ["map"],
    "explain": ["explain", "shop"],
    "report": ["report", "shop"],
    "diff": ["diff", "-f", "app.yaml"],
    "check": ["check", "-f", "app.yaml", "--context", "x"],
    "simulate": ["simulate", "-f", "app.yaml", "--context", "x"],
}
APP = """\
apiVersion: highavailability.dev/v1alpha1
kind: HighAvailabilityApp
metadata: {name: a}
spec: {app: {image: "a:1"}}
"""
NODE = "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {
        "app.yaml": APP,
        "nodes.yaml": NODE,
        "broken.yaml": "a: [1\nb: 2",
        "other.yaml": "kind: Secret\nmetadata: {name: s}",
        "version.yaml": APP.replace("v1alpha1", "v9"),
        "invalid.yaml": APP.replace("spec: {", "spec: {replicas: -1, "),
    }.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", READS_FILES)
@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("none.yaml", "none.yaml: no such file"),
        ("broken.yaml", "broken.yaml: line 2: broken YAML: "),
        ("other.yaml", "there is no HighAvailabilityApp in other.yaml: only Secret was found"),
        ("version.yaml", "apiVersion highavailability.dev/v9 is unknown; write highavailability.dev/v1alpha1"),
    ],
)
def test_a_file_that_is_no_use(command: str, file: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    needed = ["--nodes", "nodes.yaml"] if command == "simulate" else []
    assert main([command, "-f", file, *needed]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert sentence in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["check", "simulate"])
def test_a_file_of_nodes_that_is_no_use(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for file, sentence in (("none.yaml", "no such file"), ("other.yaml", "there is no Node in other.yaml")):
        assert main([command, "-f", "app.yaml", "--nodes", file]) == 2
        assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("command", ASKS_A_CLUSTER)
def test_no_cluster(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKS_A_CLUSTER[command], *NOWHERE]) == 2
    assert capsys.readouterr().err == "error: there is no cluster to ask: nowhere.yaml: no such kubeconfig file\n"


def test_every_command_is_among_these() -> None:
    assert set(COMMANDS) == {*READS_FILES, *ASKS_A_CLUSTER, "completion"}
