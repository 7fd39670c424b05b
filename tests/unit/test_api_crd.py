"""The CRD: current, small enough, structural, with defaults that can be seen and lists that merge by name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from haapp.api import core_import
from haapp.api.crd import crd, to_yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "crds" / "highavailabilityapps.yaml"
LAST_APPLIED_LIMIT = 262_144
"""Bytes of all annotations of an object: a client-side `kubectl apply` keeps the whole object in one."""

VERSION = crd()["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]


def at(*path: str) -> dict[str, Any]:
    schema: dict[str, Any] = SCHEMA
    for step in path:
        schema = schema["items"] if step == "[]" else schema["properties"][step]
    return schema


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from nodes(part, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


def test_file_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == to_yaml(crd()), "run `make generate`"


def test_core_types_are_current() -> None:
    stored = (ROOT / "operator/haapp/api/core_types.json").read_text(encoding="utf-8")
    assert stored == core_import.to_json(core_import.core_types()), "run `python -m haapp.api.core_import`"


def test_fits_a_plain_kubectl_apply() -> None:
    assert FILE.stat().st_size < 256 * 1024
    assert len(json.dumps(crd())) < LAST_APPLIED_LIMIT - 1024


def test_is_structural() -> None:
    for path, schema in nodes(SCHEMA):
        assert "$ref" not in schema, path
        assert "x-kubernetes-preserve-unknown-fields" not in schema, path
        assert "type" in schema or schema.get("x-kubernetes-int-or-string"), path
        assert schema.get("type") != "array" or "items" in schema, path
        assert not ("properties" in schema and "additionalProperties" in schema), path


def test_keys_of_a_list_are_always_there() -> None:
    keyed = {path: schema for path, schema in nodes(SCHEMA) if "x-kubernetes-list-map-keys" in schema}
    assert ".spec.app.ports" in keyed
    for path, schema in keyed.items():
        entry = schema["items"]
        for key in schema["x-kubernetes-list-map-keys"]:
            assert key in entry["required"] or "default" in entry["properties"][key], path


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        (("initSteps",), ["name"]),
        (("sidecars",), ["name"]),
        (("app", "env"), ["name"]),
        (("app", "ports"), ["containerPort", "protocol"]),
        (("sidecars", "[]", "volumeMounts"), ["mountPath"]),
        (("pod", "volumes"), ["name"]),
        (("logSidecar", "env"), ["name"]),
        (("spread",), ["topologyKey", "whenUnsatisfiable"]),
    ],
)
def test_lists_merge_by_name(path: tuple[str, ...], keys: list[str]) -> None:
    assert at("spec", *path)["x-kubernetes-list-map-keys"] == keys


def test_conditions_merge_by_type() -> None:
    assert at("status", "conditions")["x-kubernetes-list-map-keys"] == ["type"]


@pytest.mark.parametrize(
    ("path", "default"),
    [
        (("replicas",), 3),
        (("app", "name"), "app"),
        (("zones", "maxSkew"), 1),
        (("zones", "whenUnsatisfiable"), "DoNotSchedule"),
        (("nodes", "whenUnsatisfiable"), "ScheduleAnyway"),
        (("nodes", "antiAffinity"), "Preferred"),
        (("cache", "colocate"), "Node"),
        (("cache", "redis", "maxMemory"), "128Mi"),
        (("logSidecar", "sizeLimit"), "256Mi"),
        (("rollout", "maxSurge"), 1),
        (("rollout", "maxUnavailable"), 0),
        (("rollout", "progressDeadlineSeconds"), 600),
        (("ingress", "path"), "/"),
        (("security", "profile"), "Restricted"),
        (("rebalance", "cooldown"), "5m"),
        (("paused",), False),
    ],
)
def test_defaults_can_be_seen(path: tuple[str, ...], default: object) -> None:
    assert at("spec", *path)["default"] == default


def test_sections_that_are_always_there_are_filled_in_whole() -> None:
    filled = {name for name, section in at("spec")["properties"].items() if isinstance(section.get("default"), dict)}
    assert filled == {"nodes", "disruptionBudget", "rollout", "security", "rebalance"}


def test_an_optional_section_stays_absent() -> None:
    assert "default" not in at("spec", "zones")
    assert "default" not in at("spec", "cache", "redis")


def test_a_budget_that_is_changed_later_does_not_meet_a_default() -> None:
    assert "default" not in at("spec", "disruptionBudget", "maxUnavailable")


def test_our_fields_are_described_and_core_fields_are_not() -> None:
    own = [("spec",), ("spec", "zones", "minDomains"), ("spec", "sidecars", "[]", "pattern"), ("status", "summary")]
    assert all(at(*path)["description"] for path in own)
    assert "description" not in at("spec", "app", "image")


def test_subresources_and_names() -> None:
    assert VERSION["subresources"]["scale"] == {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    assert crd()["spec"]["names"]["shortNames"] == ["haapp"]
    assert crd()["spec"]["names"]["categories"] == ["all"]


def test_columns() -> None:
    always = [column["name"] for column in VERSION["additionalPrinterColumns"] if not column.get("priority")]
    wide = [column["name"] for column in VERSION["additionalPrinterColumns"] if column.get("priority")]
    assert always == ["Ready", "Replicas", "Zones", "Survives", "Cache", "Age"]
    assert wide == ["Summary", "Image"]
