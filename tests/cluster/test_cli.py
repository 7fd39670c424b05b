"""kubectl-haapp on a real API server, beside a running operator."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.cluster import Cluster, wait_for
from devcluster.process import Operator
from haapp.cli.differences import compare
from haapp.cli.main import main

EXAMPLES = sorted((Path(__file__).parents[2] / "manifests" / "examples").glob("*.yaml"))
FAULT = "test.highavailability.dev/"

Kubectl = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def haapp(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on this cluster: exit code, standard output, standard error."""

    def run(
        *words: object, kubeconfig: Path = cluster.kubeconfig, context: str = cluster.context
    ) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*map(str, words), "--kubeconfig", str(kubeconfig), "--context", context])
        return code, *capsys.readouterr()

    return run


def app(name: str, annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A plain app; `annotations` go on its pods."""
    container = {"image": "shop:1", "ports": [{"name": "http", "containerPort": 8080}]}
    pod = {"annotations": {FAULT + key: value for key, value in annotations.items()}} if annotations else {}
    quick = {"rollout": {"minReadySeconds": 0, "drainSeconds": 0}}
    return {
        "apiVersion": "highavailability.dev/v1alpha1",
        "kind": "HighAvailabilityApp",
        "metadata": {"name": name},
        "spec": {"app": container, "replicas": 2, **quick, **({"pod": pod} if pod else {}), **spec},
    }


def written(tmp_path: Path, *objects: dict[str, Any]) -> Path:
    file = tmp_path / f"{objects[-1]['metadata']['name']}.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return file


def wait_until_ready(kubectl: Kubectl, *names: str, seconds: int = 180) -> None:
    """Until the operator has looked at the latest generation of these apps and called them Ready."""

    def ready() -> bool:
        found = json.loads(kubectl("get", "haapp", "-o", "json"))["items"]
        settled = {it["metadata"]["name"] for it in found if _is_ready(it)}
        return set(names) <= settled

    wait_for(ready, seconds, f"Ready on {', '.join(names)}", every=0.5)


def _is_ready(obj: dict[str, Any]) -> bool:
    status = obj.get("status", {})
    seen = status.get("observedGeneration") == obj["metadata"]["generation"]
    return seen and any(it["type"] == "Ready" and it["status"] == "True" for it in status.get("conditions", []))


# The scenarios


@pytest.fixture(scope="module")
def scenarios(cluster: Cluster, operator: Operator) -> Iterator[str]:
    """A namespace in which all of them run: the odd ones applied client-side, the even ones server-side."""
    namespace = "cli-scenarios"
    cluster.kubectl("create", "namespace", namespace)
    for number, file in enumerate(EXAMPLES):
        side = ["--server-side"] if number % 2 else []
        cluster.kubectl("apply", "-n", namespace, *side, "-f", str(file))
    wait_until_ready(lambda *words: cluster.kubectl("-n", namespace, *words), *map(name_in, EXAMPLES), seconds=240)
    yield namespace
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def name_in(file: Path) -> str:
    """The name of the app in an example."""
    (found,) = (it for it in yaml.safe_load_all(file.read_text()) if it["kind"] == "HighAvailabilityApp")
    return str(found["metadata"]["name"])


@pytest.mark.fake_nodes("the images and databases of the examples are made up")
@pytest.mark.timeout(600)
def test_every_command_works_on_every_scenario(scenarios: str, haapp: Run) -> None:
    for file in EXAMPLES:
        name, here = name_in(file), ("-n", scenarios)
        assert haapp("diff", "-f", file, *here)[:2] == (0, f"{name}: no difference\n")
        # The first example is as short as can be, and there is something to say against that.
        assert haapp("check", "-f", file, *here, "--fail-on", "error")[0] == 0
        code, text, _ = haapp("simulate", "-f", file, *here, "--rollout")
        assert code == 0, text
        code, text, _ = haapp("map", name, *here)
        assert code == 0
        assert text.startswith(f"{name}  ")
        assert "●" in text
        code, text, _ = haapp("explain", name, *here)
        assert (code, text.splitlines()[0].partition(":")[0]) == (0, f"{name} is Ready")
        code, text, _ = haapp("report", name, *here)
        assert code == 0
        assert text.count('class="dot ready"') >= 2


@pytest.mark.fake_nodes("the images and databases of the examples are made up")
def test_map_without_a_name_shows_all(scenarios: str, haapp: Run) -> None:
    _, text, _ = haapp("map", "-n", scenarios, "-o", "json")
    assert [it["name"] for it in json.loads(text)["apps"]] == sorted(map(name_in, EXAMPLES))


# diff


def fields_that_changed(kubectl: Kubectl, name: str, before: dict[str, Any]) -> list[dict[str, Any]]:
    """How a Deployment differs now from what it was."""
    now = json.loads(kubectl("get", "deployment", name, "-o", "json"))
    return in_order(difference.as_json() for difference in compare(before, now))


def in_order(fields: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """By their paths: the API server does not keep the order of fields."""
    return sorted(fields, key=lambda field: str(field["path"]))


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("side", [[], ["--server-side"]], ids=["client-side", "server-side"])
def test_diff_foretells_what_applying_then_does(
    side: list[str], kubectl: Kubectl, namespace: str, haapp: Run, tmp_path: Path
) -> None:
    zones = {"maxSkew": 1, "keepReady": 1}
    before = app("told", zones=zones, disruptionBudget={"maxUnavailable": 1}, cache={"redis": {"replicas": 1}})
    kubectl("apply", *side, "-f", str(written(tmp_path, before)))
    wait_until_ready(kubectl, "told")
    after = app("told", replicas=3, zones={"maxSkew": 2}, initSteps=[{"name": "one", "image": "i:1", "script": "true"}])
    file = written(tmp_path, after)

    code, text, _ = haapp("diff", "-f", file, "-n", namespace, "-o", "json")
    (found,) = json.loads(text)["apps"]
    changes = {(it["kind"], it["name"]): it for it in found["changes"]}
    assert code == 1
    own = {it["path"]: (it.get("before"), it.get("after")) for it in changes["HighAvailabilityApp", "told"]["fields"]}
    assert own["spec.replicas"] == (2, 3)
    assert own["spec.zones.maxSkew"] == (1, 2)
    assert own["spec.zones.keepReady"] == (1, None)
    assert {changes[key]["action"] for key in changes if key[1] == "told-cache"} == {"delete"}
    deployment = changes["Deployment", "told"]
    assert deployment["replacesPods"]
    assert ("PodDisruptionBudget", "told") not in changes

    seen = json.loads(kubectl("get", "deployment", "told", "-o", "json"))
    kubectl("apply", *side, "-f", str(file))
    wait_until_ready(kubectl, "told")
    caches = ("get", "deployment,service", "-l", "app.kubernetes.io/component=cache", "-o", "name")
    wait_for(lambda: not kubectl(*caches), 60, "the cache's end")
    assert in_order(deployment["fields"]) == fields_that_changed(kubectl, "told", seen)
    assert haapp("diff", "-f", file, "-n", namespace)[:2] == (0, "told: no difference\n")


def test_diff_of_a_new_app_creates_and_keeps_nothing(
    kubectl: Kubectl, namespace: str, haapp: Run, tmp_path: Path
) -> None:
    code, text, _ = haapp("diff", "-f", written(tmp_path, app("new")), "-n", namespace)
    assert code == 1
    assert text.splitlines() == [
        f"{kind} new would be created"
        for kind in ("HighAvailabilityApp", "ServiceAccount", "Service", "Deployment", "PodDisruptionBudget")
    ]
    assert kubectl("get", "haapp,deployment,service", "-o", "name") == ""


def hand_written() -> dict[str, Any]:
    labels = {"app": "old"}
    containers = [{"name": "web", "image": "old:1", "env": [{"name": "A", "value": "1"}]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "old"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }


@pytest.mark.usefixtures("operator")
def test_diff_shows_what_a_hand_written_deployment_becomes(
    kubectl: Kubectl, namespace: str, haapp: Run, tmp_path: Path
) -> None:
    kubectl("apply", "-f", str(written(tmp_path, hand_written())))
    mine = app("old")
    mine["spec"]["app"]["name"] = "web"
    code, text, _ = haapp("diff", "-f", written(tmp_path, mine), "-n", namespace)
    assert code == 1
    assert "Deployment old is in the way: it was not made by the operator" in text

    mine["metadata"]["annotations"] = {"highavailability.dev/adopt": "true"}
    file = written(tmp_path, mine)
    _, text, _ = haapp("diff", "-f", file, "-n", namespace)
    assert "Deployment old would be taken over" in text
    assert '  ~ spec.template.spec.containers[web].image: "old:1" -> "shop:1"' in text
    assert re.search(r"^  - spec.template.spec.containers\[web\].env: ", text, re.MULTILINE)
    assert "its pods are replaced" in text
    assert "spec.selector" not in text

    _, text, _ = haapp("diff", "-f", file, "-n", namespace, "-o", "json")
    (told,) = (it for it in json.loads(text)["apps"][0]["changes"] if it["action"] == "adopt")
    seen = json.loads(kubectl("get", "deployment", "old", "-o", "json"))
    kubectl("apply", "-f", str(file))
    wait_until_ready(kubectl, "old")
    assert in_order(told["fields"]) == fields_that_changed(kubectl, "old", seen)


def test_diff_says_what_the_server_refuses(namespace: str, haapp: Run, tmp_path: Path) -> None:
    file = written(tmp_path, app("refused"))
    code, text, error = haapp("diff", "-f", file, "-n", "nowhere")
    assert (code, text) == (2, "")
    assert 'the API server would refuse it: namespaces "nowhere" not found' in error


# explain


STEP = {"name": "one", "image": "i:1", "script": "x"}
BROKEN: list[tuple[dict[str, Any], str, str, str]] = [
    (app("pull", {"pull-error": "app"}), "Available", "ImagePullBackOff", "spec.app"),
    (app("crash", {"crash": "app", "crash-code": "3", "crash-message": "no db"}), "Available", "no db", "spec.app"),
    (app("secret", {"config-error": "app"}), "Available", "not found", "spec.app"),
    (
        app(
            "step",
            {"fail-init": "one", "fail-init-code": "7"},
            initSteps=[{"name": "one", "image": "i:1", "script": "x"}],
        ),
        "InitStepsCompleted",
        "exit 7",
        "spec.initSteps[one]",
    ),
    (
        app("unready", {"not-ready": "true"}, probes={"readiness": {"tcpSocket": {"port": "http"}}}),
        "Available",
        "not ready",
        "spec.probes.readiness",
    ),
    (
        app("crowded", replicas=60, nodes={"antiAffinity": "Required"}),
        "Spread",
        "didn't match pod anti-affinity rules",
        "spec.nodes.antiAffinity",
    ),
    (
        app("far", cache={"selector": {"matchLabels": {"no": "pod"}}, "whenUnsatisfiable": "DoNotSchedule"}),
        "Spread",
        "didn't match pod affinity rules",
        "spec.cache",
    ),
]


@pytest.mark.fake_nodes("its pods are told to fail")
def test_explain_leads_from_the_condition_to_the_field(
    operator: Operator, kubectl: Kubectl, namespace: str, haapp: Run, tmp_path: Path
) -> None:
    for obj, *_ in BROKEN:
        kubectl("apply", "-f", str(written(tmp_path, obj)))
    for obj, condition, said, field in BROKEN:
        name = obj["metadata"]["name"]

        def explained(name: str = name, condition: str = condition, said: str = said, field: str = field) -> bool:
            code, text, _ = haapp("explain", name, "-n", namespace, "-o", "json")
            steps = {step["condition"]: step for step in json.loads(text)["chain"]}
            pods = steps.get(condition, {"pods": []})["pods"]
            return code == 1 and any(said in pod["what"] and pod["field"] == field for pod in pods)

        wait_for(explained, 60, f"{name} explained by {condition}, {said!r}, {field}", every=1)
        _, text, _ = haapp("explain", name, "-n", namespace)
        assert text.startswith(f"{name} is not Ready: ")
        assert f"      {field}: " in text


def test_explain_without_an_operator_says_that_nobody_has_looked(
    cluster: Cluster, namespace: str, haapp: Run, tmp_path: Path
) -> None:
    """The app is made and read at once: no operator is so quick, or else it has looked."""
    cluster.kubectl("apply", "-n", namespace, "-f", str(written(tmp_path, app("lonely", paused=True))))
    _, text, _ = haapp("explain", "lonely", "-n", namespace)
    assert "the operator has not looked at it yet" in text or "lonely is" in text


# Errors


@pytest.fixture
def stranger(cluster: Cluster, kubectl: Kubectl, namespace: str, tmp_path: Path) -> Path:
    """A kubeconfig of somebody who may do nothing."""
    kubectl("create", "serviceaccount", "stranger")
    token = kubectl("create", "token", "stranger").strip()
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"] = [{"name": "stranger", "user": {"token": token}}]
    for context in config["contexts"]:
        context["context"]["user"] = "stranger"
    file = tmp_path / "stranger"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.mark.parametrize(
    "command",
    [
        ["map"],
        ["map", "shop"],
        ["explain", "shop"],
        ["report", "shop"],
        ["diff", "-f", EXAMPLES[0]],
        ["check", "-f", EXAMPLES[0]],
        ["simulate", "-f", EXAMPLES[0]],
    ],
    ids=lambda command: " ".join(map(str, command[:2])),
)
def test_no_permission_is_one_sentence(command: list[Any], stranger: Path, namespace: str, haapp: Run) -> None:
    code, text, error = haapp(*command, "-n", namespace, kubeconfig=stranger)
    assert (code, text) == (2, "")
    assert error.startswith("error: no permission: ")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("command", [["explain", "nobody"], ["report", "nobody"], ["map", "nobody"]])
def test_an_app_that_is_not_there(command: list[str], namespace: str, haapp: Run) -> None:
    expected = f"error: there is no HighAvailabilityApp 'nobody' in namespace '{namespace}'\n"
    assert haapp(*command, "-n", namespace) == (2, "", expected)
