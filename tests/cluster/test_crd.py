"""The CRD on a real API server: what it refuses and with which words, what it fills in, explains and merges."""

import json
from collections.abc import Callable
from typing import Any

import pykube
import pytest
import yaml
from tests.api_cases import MINIMAL, MISSHAPEN, REFUSED, UNKNOWN, WHOLE, Case

from devcluster.cluster import ClusterError
from haapp.api import names

Kubectl = Callable[..., str]
Post = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def post(api: pykube.HTTPClient) -> Post:
    """Create an app as a dry run with strict field validation; gives the server's answer."""
    url = f"{api.url}/apis/{names.API_VERSION}/namespaces/default/{names.PLURAL}"

    def create(app: dict[str, Any]) -> dict[str, Any]:
        app = {**app, "metadata": {**app["metadata"], "namespace": "default"}}
        answer = api.session.post(url, params={"dryRun": "All", "fieldValidation": "Strict"}, json=app)
        result: dict[str, Any] = answer.json()
        return result

    return create


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_bad_app_is_refused_with_what_to_write_instead(post: Post, case: Case) -> None:
    causes = post(case.app)["details"]["causes"]
    (cause,) = (cause for cause in causes if case.message in cause["message"])
    assert cause["field"] == (case.path if case.path.startswith("spec") else "<nil>")


@pytest.mark.parametrize("case", MISSHAPEN, ids=str)
def test_a_misshapen_app_is_refused(post: Post, case: Case) -> None:
    answer = post(case.app)
    assert answer.get("reason") == "Invalid"
    assert case.path in answer["message"]


@pytest.mark.parametrize("case", UNKNOWN, ids=str)
def test_an_unknown_field_is_refused(post: Post, case: Case) -> None:
    answer = post(case.app)
    assert answer.get("code") == 400
    assert f'unknown field "{case.path}"' in answer["message"]


def test_kubectl_shows_the_message(kubectl: Kubectl) -> None:
    bad = Case("zones: {maxSkew: 0}", "spec.zones.maxSkew", "")
    with pytest.raises(ClusterError, match="for the most equal spread write maxSkew: 1"):
        kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(bad.app))


@pytest.mark.parametrize("text", [MINIMAL, WHOLE])
def test_a_good_app_is_taken_as_written(post: Post, text: str) -> None:
    app = yaml.safe_load(text)
    stored = post(app)
    assert stored.get("kind") == names.KIND, stored
    assert_holds(stored["spec"], app["spec"])


def test_null_is_absent(post: Post) -> None:
    app = Case("{zones: null, replicas: null, pod: {labels: {a: null}}}", "", "").app
    stored = post(app)["spec"]
    assert stored["replicas"] == 3
    assert "zones" not in stored


def test_defaults_can_be_seen(post: Post) -> None:
    spec = post(yaml.safe_load(MINIMAL))["spec"]
    assert spec["app"] == {"name": "app", "image": "nginx"}
    assert spec["replicas"] == 3
    assert spec["nodes"] == {"antiAffinity": "Preferred", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
    assert spec["rollout"]["progressDeadlineSeconds"] == 600
    assert spec["security"] == {"profile": "Restricted"}
    assert spec["rebalance"] == {"cooldown": "5m", "mode": "WhenSafe"}
    assert not {"zones", "cache", "service", "pod", "probes"} & spec.keys()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("spec.probes.liveness", "initialDelaySeconds"),
        ("spec.zones.minDomains", "needs whenUnsatisfiable: DoNotSchedule"),
        ("spec.app.ports", "containerPort"),
        ("status.survives", "zoneLoss"),
    ],
)
def test_explain(kubectl: Kubectl, field: str, text: str) -> None:
    assert text in kubectl("explain", f"{names.SHORT_NAME}.{field}")


def test_scale_subresource(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=MINIMAL)
    kubectl("scale", f"{names.SHORT_NAME}/hello", "--replicas=5")
    assert kubectl("get", names.SHORT_NAME, "hello", "-o", "jsonpath={.spec.replicas}") == "5"


def test_category_all(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=MINIMAL)
    assert "hello" in kubectl("get", "all")


def test_a_budget_may_be_turned_round(kubectl: Kubectl) -> None:
    """A plain apply, which keeps what the server filled in, must not make both limits stand."""
    kubectl("apply", "-f", "-", stdin=MINIMAL)
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(Case("disruptionBudget: {minAvailable: 2}", "", "").app))
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(Case("disruptionBudget: {maxUnavailable: 2}", "", "").app))
    budget = json.loads(kubectl("get", names.SHORT_NAME, "hello", "-o", "json"))["spec"]["disruptionBudget"]
    assert budget == {"maxUnavailable": 2, "unhealthyPodEvictionPolicy": "AlwaysAllow"}


def test_server_side_apply_merges_lists_by_name(kubectl: Kubectl) -> None:
    def apply(manager: str, change: str) -> None:
        app = Case(change, "", "").app
        kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=yaml.safe_dump(app))

    apply("one", "{app: {env: [{name: A, value: a}], ports: [{containerPort: 80}]}, initSteps: [{name: a, image: a}]}")
    apply("two", "{app: {env: [{name: B, value: b}], ports: [{containerPort: 81}]}, initSteps: [{name: b, image: b}]}")
    spec = json.loads(kubectl("get", names.SHORT_NAME, "hello", "-o", "json"))["spec"]
    assert spec["app"]["env"] == [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]
    assert [port["containerPort"] for port in spec["app"]["ports"]] == [80, 81]
    assert [step["name"] for step in spec["initSteps"]] == ["a", "b"]


def test_the_same_apply_again_changes_nothing(kubectl: Kubectl) -> None:
    generations = []
    for _ in range(2):
        kubectl("apply", "--server-side", "-f", "-", stdin=WHOLE.replace(", namespace: store", ""))
        generations.append(kubectl("get", names.SHORT_NAME, "shop", "-o", "jsonpath={.metadata.generation}"))
    assert generations == ["1", "1"]


def assert_holds(stored: Any, written: Any) -> None:
    """Everything that was written is there; more may be."""
    if isinstance(written, dict):
        for name, value in written.items():
            assert_holds(stored[name], value)
    elif isinstance(written, list):
        assert len(stored) == len(written)
        for part, value in zip(stored, written, strict=True):
            assert_holds(part, value)
    else:
        assert stored == written
