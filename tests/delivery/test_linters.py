"""What others' linters say of what every scenario becomes, and of the operator's own manifests."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.delivery.conftest import kustomized, output
from tests.programs import program
from tests.unit.test_manifests import closed

from haapp.api import parse_app
from haapp.api.crd import crd
from haapp.api.names import KIND
from haapp.render import render

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "manifests" / "examples").glob("*.yaml"))
ACCEPTED = yaml.safe_load(Path(__file__).with_name("kube_score.yaml").read_text())
CORE_SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / "v1.37.0-local-strict"
CRITICAL = 1
NO_SCHEMA = {"CustomResourceDefinition", "HTTPRoute", "PodMonitor"}
"""Their schemas are not among Kubernetes' own; tests/cluster applies them to a real API server."""

Object = dict[str, Any]
Finding = tuple[str, str, str]


@cache
def scenarios() -> tuple[Object, ...]:
    """Every example as it is written, and everything that it becomes."""
    written = [obj for path in EXAMPLES for obj in yaml.safe_load_all(path.read_text()) if obj]
    made = [child for obj in written if obj["kind"] == KIND for child in render(parse_app(obj)).objects]
    return (*written, *made)


def operator() -> tuple[Object, ...]:
    """The operator's own manifests."""
    return kustomized(ROOT / "manifests" / "cluster-wide")


def as_yaml(objects: tuple[Object, ...]) -> str:
    return yaml.safe_dump_all(objects)


def score(objects: tuple[Object, ...]) -> Iterator[Finding]:
    """(check, object, finding) of everything critical."""
    text = as_yaml(tuple(obj for obj in objects if obj["kind"] != KIND))
    said = output(
        program("kube-score"),
        "score",
        "--output-format=json",
        "--exit-one-on-warning=false",
        "-",
        stdin=text,
        codes=(0, 1),
    )
    for judged in json.loads(said):
        for check in judged["checks"]:
            if not check["skipped"] and check["grade"] <= CRITICAL:
                for comment in check["comments"]:
                    yield check["check"]["id"], judged["object_meta"]["name"], comment["summary"]


def accepts(entry: Object, finding: Finding) -> bool:
    check, name, said = finding
    return entry["check"] == check and entry.get("finding", said) == said and name in entry.get("objects", (name,))


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    return sorted({*score(scenarios()), *score(operator())})


def test_every_critical_finding_is_accepted_with_a_reason(findings: list[Finding]) -> None:
    assert [it for it in findings if not any(accepts(entry, it) for entry in ACCEPTED)] == []
    assert all(len(entry["reason"]) > 20 for entry in ACCEPTED)


def test_nothing_is_accepted_that_is_not_found(findings: list[Finding]) -> None:
    assert [entry for entry in ACCEPTED if not any(accepts(entry, it) for it in findings)] == []


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kubernetes' schemas, which refuse unknown fields, and the CRD's own, where kubeconform looks for them."""
    folder = tmp_path_factory.mktemp("schemas")
    for path in CORE_SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text().replace('"/api/_definitions.json', '"_definitions.json'))
        schema.pop("$id", None)  # else what it refers to would be looked for at that address
        (folder / path.name).write_text(json.dumps(schema))
    own = closed(crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    (folder / "highavailabilityapp-highavailability-v1alpha1.json").write_text(json.dumps(own))
    return folder


@pytest.mark.parametrize("objects", [scenarios, operator], ids=["scenarios", "operator"])
def test_everything_conforms_to_its_schema(objects: Callable[[], tuple[Object, ...]], schemas: Path) -> None:
    wanted = tuple(obj for obj in objects() if obj["kind"] not in NO_SCHEMA)
    place = f"--schema-location={schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    said = json.loads(
        output(
            program("kubeconform"),
            "-strict",
            "-summary",
            "-output=json",
            place,
            "-",
            stdin=as_yaml(wanted),
            codes=(0, 1),
        )
    )
    assert said.get("resources") in (None, [])
    assert said["summary"] == {"valid": len(wanted), "invalid": 0, "errors": 0, "skipped": 0}
