"""What a release says of itself agrees, wherever it says it."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from haapp.api.names import VERSION
from release.sbom import SUBJECT, locked, sbom

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements-runtime.lock").read_text()
CONTAINERFILE = (ROOT / "Containerfile").read_text()


def test_one_version_everywhere() -> None:
    chart = yaml.safe_load((ROOT / "charts" / "haapp-operator" / "Chart.yaml").read_text())
    deployment = yaml.safe_load((ROOT / "manifests" / "base" / "deployment.yaml").read_text())
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    named = {chart["version"], chart["appVersion"], image.rpartition(":")[2], PROJECT["version"]}
    assert named == {PROJECT["version"]}
    assert f"--tag haapp-operator:{PROJECT['version']}" in CONTAINERFILE
    page = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"(?:haapp-operator:|newTag: )(\d\S+?)[`\s}]", page)) == named


def test_the_changelog_has_what_comes_next_and_every_release() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) and date for version, date in headings[1:])


def test_the_metadata_is_whole() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
    assert {"description", "readme", "requires-python", "keywords", "classifiers"} <= PROJECT.keys()
    assert (ROOT / "operator" / "haapp" / "py.typed").is_file()
    assert (ROOT / "SECURITY.md").is_file()


def test_the_crd_has_one_version_that_is_served_and_stored() -> None:
    crd = yaml.safe_load((ROOT / "crds" / "highavailabilityapps.yaml").read_text())
    versions = {it["name"]: (it["served"], it["storage"]) for it in crd["spec"]["versions"]}
    assert versions == {VERSION: (True, True)}


# The bill of materials


def test_the_bill_has_what_is_locked_and_says_what_needs_what() -> None:
    bill = sbom(LOCK, PROJECT["version"])
    parts = {part["name"]: part["version"] for part in bill["components"]}
    assert parts == locked(LOCK)
    assert len(parts) == len(re.findall(r"^[\w.-]+==", LOCK, re.MULTILINE))
    references = {part["bom-ref"] for part in [bill["metadata"]["component"], *bill["components"]]}
    edges = {it["ref"]: set(it["dependsOn"]) for it in bill["dependencies"]}
    assert edges.keys() == references
    assert set().union(*edges.values()) <= references
    reached, left = set(), [bill["metadata"]["component"]["bom-ref"]]
    while left:
        reached.add(ref := left.pop())
        left += edges[ref] - reached
    assert references - reached == set(), "nothing needs it"


def test_the_bill_is_the_same_every_time() -> None:
    first, second = (json.dumps(sbom(LOCK, "1.0.0")) for _ in range(2))
    assert first == second
    assert json.loads(first)["serialNumber"] != sbom(LOCK, "1.0.1")["serialNumber"]
    assert json.loads(first)["metadata"]["component"]["name"] == SUBJECT


def test_every_licence_is_known() -> None:
    parts = sbom(LOCK, "1.0.0")["components"]
    assert [part["name"] for part in parts if not part.get("licenses")] == []


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("a==1.0 \\\n", {"a": "1.0"}),
        ("a==1.0 ; sys_platform == 'win32' \\\n", {}),
        ("a==1.0.post1 ; python_version >= '3.11'\n", {"a": "1.0.post1"}),
        ("    --hash=sha256:abc==\n", {}),
    ],
)
def test_the_lock_is_read_for_the_image(line: str, version: dict[str, str]) -> None:
    assert locked(line) == version
