"""`simulate`: the command, its forms and its exit codes, on files and on what a cluster has."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.simulation_cases import ROOMY, node, node_objects

from haapp.cli.documents import Document
from haapp.cli.main import main
from haapp.cli.simulation_report import Question, report
from haapp.cli.simulation_text import percent
from haapp.cli.surroundings import Surroundings
from haapp.simulation.availability import Rates

EXAMPLES = Path(__file__).parents[2] / "manifests" / "examples"
SCENARIOS = sorted(EXAMPLES.glob("*.yaml"))


@pytest.fixture
def nodes(tmp_path: Path) -> Path:
    return written(tmp_path / "nodes.json", node_objects())


def written(file: Path, objects: list[dict[str, Any]]) -> Path:
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return file


def app_file(tmp_path: Path, **spec: Any) -> Path:
    return written(tmp_path / "app.json", [app(**spec)])


def app(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "highavailability.dev/v1alpha1",
        "kind": "HighAvailabilityApp",
        "metadata": {"name": "shop"},
        "spec": {"app": {"image": "shop:1"}, **spec},
    }


def simulated(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = main(["simulate", *map(str, words), "-o", "json"])
    (told,) = json.loads(capsys.readouterr().out)["apps"]
    return code, told


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_every_scenario_fits_survives_and_can_be_rolled_out(
    file: Path, nodes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = simulated(capsys, "-f", file, "--nodes", nodes, "--rollout", "--availability")
    assert code == 0, told["findings"]
    assert told["placed"] == told["replicas"]
    assert told["rollout"]["verdict"] == "finishes"
    assert told["survives"]["zone"]["left"] >= told["availability"]["keep"]
    assert told["availability"]["placed"]["nines"] >= 3
    main(["simulate", "-f", str(file), "--nodes", str(nodes), "--rollout", "--availability", "--lose-zone", "a"])
    text = capsys.readouterr().out
    assert f"{told['name']}: {told['placed']} of {told['replicas']} pods placed" in text
    assert "a rollout finishes" in text
    assert "an assumption" in text


def test_json_and_yaml_say_the_same(nodes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = simulated(capsys, "-f", SCENARIOS[0], "--nodes", nodes)
    main(["simulate", "-f", str(SCENARIOS[0]), "--nodes", str(nodes), "-o", "yaml"])
    assert yaml.safe_load(capsys.readouterr().out) == {"apps": [told]}


def test_what_stays_pending_is_a_finding_with_the_schedulers_reason(
    tmp_path: Path, nodes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = app_file(tmp_path, replicas=7, nodes={"antiAffinity": "Required"})
    code, told = simulated(capsys, "-f", file, "--nodes", nodes)
    assert (code, told["pending"]) == (1, 1)
    assert told["message"] == "0/6 nodes are available: 6 node(s) didn't match pod anti-affinity rules."
    assert simulated(capsys, "-f", file, "--nodes", nodes, "--replicas", 6)[0] == 0
    main(["simulate", "-f", str(file), "--nodes", str(nodes)])
    assert f"1 pod of shop Pending: {told['message']}" in capsys.readouterr().out


def test_a_loss_is_followed_by_what_comes_after_it(
    tmp_path: Path, nodes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = app_file(tmp_path, replicas=6, zones={"minDomains": 3, "keepReady": 4})
    code, told = simulated(capsys, "-f", file, "--nodes", nodes, "--lose-zone", "a", "--lose-node", "b1")
    assert code == 1
    assert told["loss"]["left"] == 3
    assert (told["loss"]["afterwards"]["ready"], told["loss"]["afterwards"]["pending"]) == (3, 3)
    assert told["findings"] == ["shop: after the loss 3 pods stay Pending"]


def test_a_keep_ready_that_the_layout_does_not_keep_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = app_file(tmp_path, replicas=4, zones={"keepReady": 3})
    code, told = simulated(capsys, "-f", file, "--nodes", written(tmp_path / "n.json", node_objects(2, "ab")))
    assert code == 1
    assert told["findings"] == ["shop: the loss of zone a leaves 2, zones.keepReady is 3"]


def test_where_lots_are_drawn_every_layout_is_told(
    tmp_path: Path, nodes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = app_file(tmp_path, replicas=4, zones={})
    _, told = simulated(capsys, "-f", file, "--nodes", nodes)
    assert told["possible"]["complete"]
    assert [list(it["zones"].values()) for it in told["possible"]["layouts"]] == [[1, 1, 2], [1, 2, 1], [2, 1, 1]]
    main(["simulate", "-f", str(file), "--nodes", str(nodes)])
    assert "it may as well be:\n    a:1 b:1 c:2\n    a:1 b:2 c:1\n" in capsys.readouterr().out


def test_availability_says_what_one_change_would_bring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, there = app_file(tmp_path, replicas=3), written(tmp_path / "n.json", node_objects(2, "ab"))
    _, told = simulated(capsys, "-f", file, "--nodes", there, "--availability")
    found = told["availability"]
    assert list(found["changes"]) == ["nodes.antiAffinity: Required", "a third zone", "replicas: 4"]
    # Nothing is required, so at worst all three pods share a node: its failures and its zone's are the app's.
    rates = Rates()
    alone = (1 - rates.node_down) * (1 - rates.zone_down)
    assert found["atWorst"]["availability"] == pytest.approx(alone)
    assert found["changes"]["nodes.antiAffinity: Required"]["atWorst"]["nines"] > found["atWorst"]["nines"] + 3
    assert found["changes"]["a third zone"]["placed"]["nines"] > found["placed"]["nines"] + 3


def test_keep_and_the_rates_are_the_users(tmp_path: Path, nodes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = app_file(tmp_path, replicas=3)
    words = ["--node-mtbf", "9d", "--node-repair", "1d", "--zone-mtbf", "5000d", "--zone-repair", "1s"]
    _, told = simulated(capsys, "-f", file, "--nodes", nodes, "--keep", 3, *words)
    assert told["availability"]["placed"]["availability"] == pytest.approx(0.9**3, rel=1e-6)


def test_nodes_whose_pods_find_no_other_place_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = app_file(tmp_path, replicas=3, nodes={"antiAffinity": "Required"})
    there = written(tmp_path / "n.json", node_objects(1))
    _, told = simulated(capsys, "-f", file, "--nodes", there, "--availability")
    assert told["availability"]["unreplaced"] == ["a1", "b1", "c1"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--lose-zone", "x"], "error: there is no zone 'x'; there are a, b, c\n"),
        (["--lose-node", "x"], "error: there is no node 'x'; there are a1, a2, b1, b2, c1, c2\n"),
    ],
)
def test_a_zone_or_node_that_is_not_there(
    words: list[str], sentence: str, nodes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "-f", str(SCENARIOS[0]), "--nodes", str(nodes), *words]) == 2
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize(
    "words", [[], ["--nodes", "x", "--context", "y"], ["--nodes", "x", "--replicas", "-1"], ["--node-mtbf", "soon"]]
)
def test_a_wrong_call(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "-f", str(SCENARIOS[0]), *words])
    assert ended.value.code == 2


def test_a_spec_that_is_refused_is_told_by_field(
    tmp_path: Path, nodes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "-f", str(app_file(tmp_path, replicas=-1)), "--nodes", str(nodes)]) == 2
    assert "spec.replicas" in capsys.readouterr().err


def test_a_node_that_says_nothing_of_its_size_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = written(tmp_path / "n.json", [node("bare", "a")])
    _, told = simulated(capsys, "-f", app_file(tmp_path), "--nodes", there)
    assert told["placed"] == 3
    assert told["notes"] == ["bare does not say what is allocatable on it, so everything fits there"]


def test_many_nodes_are_shown_only_where_they_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = written(tmp_path / "n.json", node_objects(40))
    main(["simulate", "-f", str(app_file(tmp_path)), "--nodes", str(there)])
    text = capsys.readouterr().out
    assert "and 117 nodes more" in text
    assert "among 120 nodes kube-scheduler looks at a part only" in text


# What a cluster has


def pod(name: str, on: str, labels: dict[str, str], cpu: str = "1") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"nodeName": on, "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]},
        "status": {"phase": "Running"},
    }


OWN = {"app.kubernetes.io/name": "shop", "app.kubernetes.io/component": "app"}


def asked(spec: dict[str, Any], pods: list[dict[str, Any]], *extra: dict[str, Any], **question: Any) -> dict[str, Any]:
    document = Document("file", app(**spec))
    found = (document, *(Document("file", obj) for obj in extra))
    there = node_objects(1, "abc", {**ROOMY, "cpu": "2"})
    return report(document, found, Surroundings(tuple(there), tuple(pods), live=True), Question(**question))


def test_pods_of_others_take_room_and_the_apps_own_do_not() -> None:
    spec = {"replicas": 3, "app": {"image": "a:1", "resources": {"requests": {"cpu": "1500m"}}}}
    own = [pod(f"shop-{at}", f"{zone}1", OWN) for at, zone in enumerate("abc")]
    assert asked(spec, own)["placed"] == 3
    assert asked(spec, [*own, pod("other", "a1", {"app": "other"})])["placed"] == 2


def test_a_rollout_begins_with_the_pods_that_run() -> None:
    spec = {
        "replicas": 3,
        "nodes": {"antiAffinity": "None"},
        "app": {"image": "a:1", "resources": {"requests": {"cpu": "600m"}}},
    }
    crowded = [pod(f"shop-{at}", "a1", OWN) for at in range(3)]
    told = asked(spec, crowded, rollout=True)["rollout"]
    assert (told["verdict"], told["fromLivePods"]) == ("finishes", True)
    assert not asked(spec, [], rollout=True)["rollout"]["fromLivePods"]


def test_deployments_of_the_same_file_are_placed_before_the_app() -> None:
    cache = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cache"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "cache"}},
            "template": {"metadata": {"labels": {"app": "cache"}}, "spec": {"containers": [{"name": "c"}]}},
        },
    }
    spec = {
        "replicas": 2,
        "nodes": {"antiAffinity": "None"},
        "cache": {"selector": {"matchLabels": {"app": "cache"}}, "whenUnsatisfiable": "DoNotSchedule"},
    }
    assert asked(spec, [])["pending"] == 2
    told = asked(spec, [pod("cache-0", "c1", {"app": "cache"})], cache)
    assert told["pending"] == 0
    assert told["beside"]["cache"]["zones"] == {"a": 1, "b": 0, "c": 0} == {**told["zones"], "a": 1}


@pytest.mark.parametrize(
    ("share", "nines", "text"),
    [
        (0.5, 0.3, "50.0 %"),
        (0.999, 3.0, "99.900 %"),
        (0.99999999999999, 14.0, "99.999999999999 %"),
        (1.0, 99.0, "100.000000000000 %"),
    ],
)
def test_a_percentage_shows_its_nines(share: float, nines: float, text: str) -> None:
    assert percent(share, nines) == text
