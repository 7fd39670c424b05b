"""The pages of docs/ are true to the code: reasons, sources, examples, anchors; and they build into a site."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docpages.compare import same
from docpages.console import Command, File, steps, unmarked
from haapp.placement import finding
from haapp.status import reasons

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md")])

CONDITIONS = frozenset(
    {
        reasons.AVAILABLE,
        reasons.SPREAD,
        reasons.CACHE_COLOCATED,
        reasons.INIT_STEPS_COMPLETED,
        reasons.SURVIVES_ZONE_LOSS,
        reasons.SURVIVES_NODE_LOSS,
        reasons.PROGRESSING,
        reasons.RECONCILING,
        reasons.STALLED,
    }
)
"""Types that are no reasons."""

OF_THE_DEPLOYMENT = frozenset(
    {
        "MinimumReplicasUnavailable",
        "NewReplicaSetAvailable",
        "NewReplicaSetCreated",
        "FoundNewReplicaSet",
        "ReplicaSetUpdated",
    }
)
"""Reasons that the Deployment's controller gives, and Available and Progressing pass on."""


def constants(module: object) -> set[str]:
    return {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def entries(text: str) -> dict[str, str]:
    """The entries of a part of the runbook: heading to text."""
    parts = re.split(r"^### (\S+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


REASONS, _, ALERTS = (DOCS / "runbook.md").read_text(encoding="utf-8").partition("\n## Alerts\n")


def test_every_reason_has_an_entry_in_the_runbook_and_no_other_has() -> None:
    told = constants(reasons) - CONDITIONS | constants(finding) | OF_THE_DEPLOYMENT
    assert set(entries(REASONS)) == told


@pytest.mark.parametrize("name", [*entries(REASONS), *entries(ALERTS)])
def test_an_entry_says_what_you_see_why_and_what_to_change(name: str) -> None:
    entry = (entries(REASONS) | entries(ALERTS))[name]
    assert re.findall(r"^\*\*(You see|Why|Change)\*\* \S", entry, re.MULTILINE) == ["You see", "Why", "Change"]


def test_every_alert_has_an_entry_in_the_runbook_and_leads_to_it() -> None:
    """An alert's address ends with its own name: docs/runbook.md#<alert in lower case>."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "manifests").rglob("*.yaml")]
    alerts = {name for text in texts for name in re.findall(r"^\s*- alert: (\w+)$", text, re.MULTILINE)}
    anchors = {anchor for text in texts for anchor in re.findall(r"runbook\.(?:md|html)#([\w-]+)", text)}
    assert set(entries(ALERTS)) == alerts
    assert anchors == {name.lower() for name in alerts}


def test_the_sources_that_the_architecture_names_exist() -> None:
    named = re.findall(r"^\| .+ \| `(.+)` \|$", (DOCS / "architecture.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_example_is_a_scenario() -> None:
    included = re.findall(r'^--8<-- "(.+)"$', (DOCS / "scenarios.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert included == sorted(str(p.relative_to(ROOT)) for p in (ROOT / "manifests" / "examples").glob("*.yaml"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_commands_says_whether_it_is_run(page: Path) -> None:
    assert unmarked(page.read_text(encoding="utf-8")) == (), "see tools/docpages/console.py"


def test_pages_name_no_field_that_is_not_there() -> None:
    sections = re.findall(r"^### (spec\S*)$", (DOCS / "reference.md").read_text(encoding="utf-8"), re.MULTILINE)
    for page in PAGES:
        for anchor in re.findall(r"reference\.md#(\w+)", page.read_text(encoding="utf-8")):
            assert anchor in {section.replace(".", "").lower() for section in sections}


def test_the_site_builds_strictly_and_asks_nobody_else(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).with_name("mkdocs")
    built = subprocess.run(
        [mkdocs, "build", "--strict", f"--site-dir={tmp_path}"],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    for page in tmp_path.glob("*.html"):
        loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]+', page.read_text("utf-8"))
        assert loaded == []


def test_steps_of_a_page() -> None:
    page = """\
<!-- before: kubectl create namespace a -->
```yaml title="a.yaml"
a: 1
```
<!-- run: exit 1 -->
```console
$ kubectl get \\
    pods
NAME
$ false
```
<!-- not run: why -->
```console
$ rm -r /
```
"""
    assert list(steps(page)) == [
        Command("kubectl create namespace a", "", 0),
        File("a.yaml", "a: 1\n"),
        Command("kubectl get     pods", "NAME", 1),
        Command("false", "", 1),
    ]
    assert unmarked("```console\n$ ls\n```\n") == ("$ ls\n",)


@pytest.mark.parametrize(
    ("shown", "seen", "equal"),
    [
        ("hello   3/3   6s", "hello 3/3 4m12s", True),
        ("pod/hello-6494f7585d-54bzr", "pod/hello-7bd96b9555-x2x4z", True),
        ("first\n...\nlast", "first\na\nb\nlast", True),
        ("first\n...", "second", False),
        ("3/3", "2/3", False),
    ],
)
def test_output_is_compared_up_to_what_changes(shown: str, seen: str, *, equal: bool) -> None:
    assert same(shown, seen) is equal
