"""What `-f` may name, and the one sentence that each mistake gets."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from haapp.cli.documents import read_apps
from haapp.cli.errors import BadInput

APP = """\
apiVersion: highavailability.dev/v1alpha1
kind: HighAvailabilityApp
metadata: {name: %s}
spec: {app: {image: a:1}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.yaml").write_text(f"# nothing here\n---\n{APP % 'b'}---\n{SECRET}")
    (tmp_path / "a.yml").write_text(APP % "a1" + "---\n" + APP % "a2")
    (tmp_path / "c.json").write_text(json.dumps({"kind": "List", "items": [{"kind": "Pod"}, _app("c")]}))
    (tmp_path / "notes.txt").write_text("{{ not YAML")
    return tmp_path


def _app(name: str) -> dict[str, object]:
    return {"apiVersion": "highavailability.dev/v1alpha1", "kind": "HighAvailabilityApp", "metadata": {"name": name}}


def names(*filenames: object) -> list[str]:
    return [document.object["metadata"]["name"] for document in read_apps(map(str, filenames))]


def test_a_file_gives_all_its_apps_and_passes_over_other_kinds(folder: Path) -> None:
    assert names(folder / "b.yaml") == ["b"]
    assert names(folder / "a.yml", folder / "c.json") == ["a1", "a2", "c"]


def test_a_folder_gives_its_files_by_name(folder: Path) -> None:
    assert names(folder) == ["a1", "a2", "b", "c"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO((APP % "piped").encode())))
    assert names("-") == ["piped"]


def test_the_items_of_a_list_know_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    file.write_text(f"kind: List\nitems:\n- kind: Pod\n- {json.dumps(_app('x'))}\n")
    (document,) = read_apps([str(file)])
    assert document.node is not None
    assert document.node.start_mark.line == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: [1\n", "line 2: broken YAML: did not find expected ',' or ']'"),
        ("kind: Pod\nkind: Pod\n", "line 2: broken YAML: the key 'kind' stands twice in one mapping"),
        ("\n\njust words\n", "line 3: not a Kubernetes object: it has no kind"),
        ("[1, 2]", "not a Kubernetes object: it has no kind"),
        ("kind: [x]", "not a Kubernetes object: it has no kind"),
        (SECRET, "there is no HighAvailabilityApp in {file}: only Secret was found"),
        ("", "there is no HighAvailabilityApp in {file}: nothing was found"),
        (
            APP.replace("v1alpha1", "v9") % "x",
            "'x': apiVersion highavailability.dev/v9 is unknown; write highavailability.dev/v1alpha1",
        ),
        ("\udc80", "not UTF-8: invalid start byte at byte 0"),
    ],
)
def test_each_mistake_gets_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "app.yaml"
    file.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(BadInput) as error:
        read_apps([str(file)])
    assert sentence.format(file=file) in str(error.value)
    assert str(file) in str(error.value)


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_apps([str(tmp_path / "none.yaml")])
    with pytest.raises(BadInput, match="file in this folder"):
        read_apps([str(tmp_path)])
