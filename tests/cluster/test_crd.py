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
from haapp.api.parse import parse_app

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


EMPTIED = {
    "section": ("probes: {liveness: {tcpSocket: {port: 80}}}", "probes: {}"),
    "section with defaults": ("rollout: {drainSeconds: 3}", "rollout: {}"),
    "keyed list": ("sidecars: [{name: a, image: a}]", "sidecars: []"),
    "map": ("pod: {labels: {a: b}}", "pod: {labels: {}}"),
    "annotations": ("service: {annotations: {a: b}}", "service: {annotations: {}}"),
    "resources": ("app: {resources: {limits: {cpu: 1}}}", "app: {resources: {}}"),
    "limits": (
        "app: {resources: {requests: {cpu: 1}, limits: {cpu: 1}}}",
        "app: {resources: {requests: {cpu: 1}, limits: {}}}",
    ),
    "security context": ("app: {securityContext: {runAsUser: 5}}", "app: {securityContext: {}}"),
    "env": ("app: {env: [{name: A, value: a}]}", "app: {env: []}"),
    "in a list": (
        "sidecars: [{name: a, image: a, resources: {limits: {cpu: 1}}}]",
        "sidecars: [{name: a, image: a, resources: {}}]",
    ),
}


@pytest.mark.parametrize("case", EMPTIED)
def test_what_is_emptied_by_a_server_side_apply_is_as_if_left_out(kubectl: Kubectl, case: str) -> None:
    """The API server makes null of it: kubernetes/kubernetes#135841."""
    filled, emptied = (Case(text, "", "").app for text in EMPTIED[case])
    for app in (filled, emptied):
        kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(app))
    stored = json.loads(kubectl("get", names.SHORT_NAME, "hello", "-o", "json"))
    assert parse_app(stored).spec == parse_app(without_empty(emptied)).spec


def without_empty(value: Any) -> Any:
    if isinstance(value, list):
        return [without_empty(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {name: without_empty(part) for name, part in value.items() if part not in ({}, [])}


def test_where_empty_says_something_an_emptied_object_is_refused(kubectl: Kubectl) -> None:
    """Were the API server's null taken for `emptyDir: {}`, the volume would be of no type."""
    filled, emptied = (
        Case(f"pod: {{volumes: [{{name: a, emptyDir: {text}}}]}}", "", "").app for text in ("{sizeLimit: 1Gi}", "{}")
    )
    kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(filled))
    with pytest.raises(ClusterError, match="must be of type object"):
        kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(emptied))


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
