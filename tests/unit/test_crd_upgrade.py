"""Every app that a released version took is taken by this one. `tests/schemas` has the CRD of each release."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.schema_compat import Schema, narrowed

ROOT = Path(__file__).parents[2]
RELEASED = sorted((ROOT / "tests" / "schemas").glob("v*.yaml"))
VERSION = "v1alpha1"


def schema_of(path: Path) -> Schema:
    (version,) = (v for v in yaml.safe_load(path.read_text())["spec"]["versions"] if v["name"] == VERSION)
    found: Schema = version["schema"]["openAPIV3Schema"]
    return found


NOW = schema_of(ROOT / "crds" / "highavailabilityapps.yaml")


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_no_app_of_a_release_is_refused(released: Path) -> None:
    """A change that is wanted nevertheless needs a new version of the API, with a conversion."""
    assert list(narrowed(schema_of(released), NOW)) == []


def test_there_is_a_schema_of_the_first_release() -> None:
    assert "v0.1.0" in [path.stem for path in RELEASED]


def _at(schema: Schema, *path: str) -> Schema:
    for name in path:
        schema = schema["properties"][name]
    return schema


CHANGES: dict[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "required": (("spec",), {"required": ["app", "zones"]}, ".spec.zones is required now"),
    "type": (("spec", "paused"), {"type": "string"}, ".spec.paused: type was 'boolean', is 'string'"),
    "bound": (("spec", "replicas"), {"maximum": 3}, ".spec.replicas: maximum is 3 now"),
    "rule": (("spec",), {"x-kubernetes-validations": [{"rule": "false", "message": "no"}]}, ".spec: a new rule, no"),
    "null": (("spec", "probes"), {"nullable": False}, ".spec.probes: nullable is off now"),
    "choice": (("spec", "paused"), {"enum": [True]}, ".spec.paused: only [True] can be chosen now"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_narrowed_is_told(name: str) -> None:
    path, change, told = CHANGES[name]
    changed = copy.deepcopy(NOW)
    _at(changed, *path).update(change)
    assert told in list(narrowed(NOW, changed))


def _fields(schema: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in schema.get("properties", {}).items():
        yield (*path, name)
        if len(path) < 2:
            yield from _fields(field, (*path, name))


@pytest.mark.parametrize("path", [path for path in _fields(NOW) if path[0] == "spec" and len(path) > 1], ids=".".join)
def test_a_field_that_goes_is_told(path: tuple[str, ...]) -> None:
    changed = copy.deepcopy(NOW)
    del _at(changed, *path[:-1])["properties"][path[-1]]
    assert f".{'.'.join(path)} is there no more" in list(narrowed(NOW, changed))
