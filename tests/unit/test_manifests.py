"""manifests/: it builds, it grants what is used and no more, and every example is a valid app."""

import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from haapp.api import parse_app
from haapp.api.names import GROUP, KIND, PLURAL
from haapp.children import KINDS
from haapp.cluster import events, lease
from haapp.main import parse
from haapp.render import render
from haapp.runtime import workers
from haapp.settings import Settings

MANIFESTS = Path(__file__).parents[2] / "manifests"
EXAMPLES = sorted((MANIFESTS / "examples").glob("*.yaml"))
(CRD,) = (MANIFESTS.parent / "crds").glob("*.yaml")
CHILD_VERBS = {"list", "watch", "get", "create", "patch", "delete"}

Object = dict[str, Any]


def load(path: Path) -> list[Object]:
    return [obj for obj in yaml.safe_load_all(path.read_text()) if obj]


def rules(path: Path, kind: str) -> list[Object]:
    (role,) = (obj for obj in load(path) if obj["kind"] == kind)
    granted: list[Object] = role["rules"]
    return granted


CLUSTER_RULES = rules(MANIFESTS / "cluster-wide" / "role.yaml", "ClusterRole")
NAMESPACED_RULES = rules(MANIFESTS / "namespaced" / "role.yaml", "Role")
ALL_ROLES = [
    role for file in MANIFESTS.glob("*/**/*.yaml") for role in load(file) if role.get("kind") in {"Role", "ClusterRole"}
]


def grants(granted: list[Object]) -> dict[tuple[str, str], set[str]]:
    """(group, resource) -> verbs."""
    return {
        (group, resource): set(rule["verbs"])
        for rule in granted
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def custom_resources(path: Path) -> list[Object]:
    return [obj for obj in load(path) if obj["kind"] == KIND]


# What is granted


@pytest.mark.parametrize("role", ALL_ROLES, ids=lambda role: role["metadata"]["name"])
def test_no_role_has_a_wildcard(role: Object) -> None:
    assert "*" not in str(role["rules"])
    assert not {"escalate", "bind", "impersonate"} & {verb for rule in role["rules"] for verb in rule["verbs"]}


def test_the_children_are_granted_whole_and_nothing_else_is_written() -> None:
    children = {(kind.group, kind.plural) for kind in KINDS}
    granted = grants(NAMESPACED_RULES)
    assert {what for what, verbs in granted.items() if verbs == CHILD_VERBS} == children
    writes = {what: verbs - {"list", "watch", "get"} for what, verbs in granted.items() if what not in children}
    assert {what: verbs for what, verbs in writes.items() if verbs} == {
        (GROUP, f"{PLURAL}/status"): {"patch"},
        (GROUP, f"{PLURAL}/finalizers"): {"update"},
        ("", "pods/eviction"): {"create"},
        ("events.k8s.io", "events"): {"create", "patch"},
    }


def test_the_modes_differ_only_in_what_no_namespace_has() -> None:
    extra = [rule for rule in CLUSTER_RULES if rule not in NAMESPACED_RULES]
    assert [rule for rule in CLUSTER_RULES if rule in NAMESPACED_RULES] == NAMESPACED_RULES
    assert grants(extra) == {
        ("", "nodes"): {"list", "watch"},
        ("apiextensions.k8s.io", "customresourcedefinitions"): {"list", "watch"},
    }


def test_secrets_are_never_read_one_by_one() -> None:
    assert grants(CLUSTER_RULES)["", "secrets"] == {"list", "watch"}


# How the operator runs


def test_the_operator_runs_restricted() -> None:
    (deployment,) = load(MANIFESTS / "base" / "deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    assert deployment["spec"]["replicas"] == 2
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes"} & pod.keys()
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pod_lives_as_long_as_a_stop_may_take() -> None:
    (deployment,) = load(MANIFESTS / "base" / "deployment.yaml")
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert workers.STOP_SECONDS >= lease.LEASE_SECONDS
    assert grace >= workers.STOP_SECONDS + events.FINISH_SECONDS + 4 * lease.RELEASE_TIMEOUT


def test_the_probes_are_at_the_ports_that_the_flags_say() -> None:
    (deployment,) = load(MANIFESTS / "base" / "deployment.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert f"--health-port={ports['health']}" in container["args"]
    assert f"--metrics-port={ports['metrics']}" in container["args"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}


def test_the_lease_that_may_be_renewed_is_the_operators() -> None:
    granted = rules(MANIFESTS / "base" / "lease-role.yaml", "Role")
    assert [rule["resourceNames"] for rule in granted if "update" in rule["verbs"]] == [[Settings().lease_name]]


def test_the_operator_takes_the_flags() -> None:
    (deployment,) = load(MANIFESTS / "base" / "deployment.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    settings = parse([*container["args"], "--namespace=team-a"])
    assert (settings.health_port, settings.metrics_port, settings.log_format) == (8080, 9090, "json")
    assert settings.leader_election


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on PATH")
@pytest.mark.parametrize("mode", ["cluster-wide", "namespaced"])
def test_kustomize_builds_and_everything_is_valid(mode: str) -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", str(MANIFESTS / mode)], check=True, capture_output=True, text=True, timeout=60
    )
    objects = list(yaml.safe_load_all(built.stdout))
    for obj in objects:
        if obj["kind"] != "CustomResourceDefinition":
            kubernetes_validate.validate(obj, "1.37", strict=True)
    assert {obj["metadata"].get("namespace", "") for obj in objects} == (
        {"", "haapp-system"} if mode == "cluster-wide" else {""}
    )
    cluster_scoped = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"}
    assert cluster_scoped.isdisjoint(obj["kind"] for obj in objects) == (mode == "namespaced")
    (deployment,) = (obj for obj in objects if obj["kind"] == "Deployment")
    flag = {"cluster-wide": "--all-namespaces", "namespaced": "--namespace=$(POD_NAMESPACE)"}[mode]
    assert flag in deployment["spec"]["template"]["spec"]["containers"][0]["args"]


# The examples


def test_there_is_an_example_for_each_scenario() -> None:
    assert [file.name[:2] for file in EXAMPLES] == [f"{number:02}" for number in range(15)]


def test_all_examples_fit_in_one_namespace() -> None:
    objects = [(obj["kind"], obj["metadata"]["name"]) for file in EXAMPLES for obj in load(file)]
    objects += [
        (obj["kind"], obj["metadata"]["name"])
        for file in EXAMPLES
        for app in custom_resources(file)
        for obj in render(parse_app(app)).objects
    ]
    assert [what for what, count in Counter(objects).items() if count > 1] == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
class TestExample:
    def test_names_no_namespace_and_one_app(self, file: Path) -> None:
        assert all("namespace" not in obj["metadata"] for obj in load(file))
        assert len(custom_resources(file)) == 1
        assert file.read_text().startswith("# ")

    def test_is_accepted_by_the_schema_of_the_crd(self, file: Path) -> None:
        for app in custom_resources(file):
            crd_validator().validate(app)

    def test_becomes_valid_objects(self, file: Path) -> None:
        companions = [obj for obj in load(file) if obj["kind"] != KIND]
        rendered = [obj for app in custom_resources(file) for obj in render(parse_app(app)).objects]
        for obj in companions + rendered:
            kubernetes_validate.validate(obj, "1.37", strict=True)

    def test_comes_with_all_that_it_refers_to(self, file: Path) -> None:
        shipped = {(obj["kind"], obj["metadata"]["name"]) for obj in load(file)}
        for app in custom_resources(file):
            made = {(obj["kind"], obj["metadata"]["name"]) for obj in render(parse_app(app)).objects}
            assert set(references(app["spec"])) <= shipped | made


@cache
def crd_validator() -> jsonschema.Draft7Validator:
    (crd,) = load(CRD)
    return jsonschema.Draft7Validator(closed(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))


def closed(schema: Any) -> Any:
    """The schema as the API server takes it: an unknown field is an error, and a field may be int or text."""
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    known = {key: closed(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string") is True:
        known.pop("type", None)
    if "properties" in schema and schema.get("type") == "object" and "additionalProperties" not in schema:
        known["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if schema.get("type") == "object" and {"apiVersion", "kind", "metadata"} <= schema.get("properties", {}).keys():
        known["properties"]["metadata"] = {"type": "object"}
    return known


def references(value: Any) -> list[tuple[str, str]]:
    """The ConfigMaps and Secrets that a part of a spec names."""
    if isinstance(value, list):
        return [found for entry in value for found in references(entry)]
    if not isinstance(value, dict):
        return []
    found = [
        (kind, part["name"])
        for key, kind in (("configMap", "ConfigMap"), ("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"))
        if isinstance(part := value.get(key), dict) and "name" in part
    ]
    if "configMapName" in value:
        found.append(("ConfigMap", value["configMapName"]))
    return found + [below for entry in value.values() for below in references(entry)]
