"""The commands: `render`, the help texts, the exit codes, and how soon they start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from haapp.api import parse_app
from haapp.cli.main import COMMANDS, main
from haapp.render import render

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "manifests" / "examples"
MINIMAL = EXAMPLES / "00-minimal.yaml"


def invalid(tmp_path: Path) -> Path:
    app = yaml.safe_load(MINIMAL.read_text())
    app["spec"] |= {"zones": {"maxSkew": 0}, "nodes": {"maxSkew": 0}}
    file = tmp_path / "invalid.yaml"
    file.write_text(yaml.safe_dump(app))
    return file


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_render_prints_what_the_operator_applies(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "-f", str(file), "-n", "prod"]) == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    (app,) = (obj for obj in yaml.safe_load_all(file.read_text()) if obj["kind"] == "HighAvailabilityApp")
    app["metadata"]["namespace"] = "prod"
    assert printed == json.loads(json.dumps(render(parse_app(app)).objects))


def test_json_is_one_list(capsys: pytest.CaptureFixture[str]) -> None:
    main(["render", "-f", str(MINIMAL), "-o", "json"])
    listed = json.loads(capsys.readouterr().out)
    main(["render", "-f", str(MINIMAL)])
    assert listed == {
        "apiVersion": "v1",
        "kind": "List",
        "items": list(yaml.safe_load_all(capsys.readouterr().out)),
    }


def test_the_namespace_of_the_app_goes_before_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = yaml.safe_load(MINIMAL.read_text())
    app["metadata"]["namespace"] = "own"
    file = tmp_path / "app.yaml"
    file.write_text(yaml.safe_dump(app))
    main(["render", "-f", str(file), "-n", "other"])
    assert {obj["metadata"]["namespace"] for obj in yaml.safe_load_all(capsys.readouterr().out)} == {"own"}


def test_an_older_server_gets_the_nearest_older_form_and_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    file = EXAMPLES / "14-enterprise-web-service.yaml"
    main(["render", "-f", str(file), "--kubernetes-version", "v1.33.4"])
    printed = capsys.readouterr()
    distributions = {
        obj["spec"].get("trafficDistribution") for obj in yaml.safe_load_all(printed.out) if obj["kind"] == "Service"
    }
    assert distributions == {"PreferClose"}
    assert f"note: {file}" in printed.err


def test_an_invalid_app_is_told_field_by_field_and_nothing_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = invalid(tmp_path)
    assert main(["render", "-f", str(MINIMAL), "-f", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 2
    for line, field in zip(sorted(lines), ("spec.nodes.maxSkew", "spec.zones.maxSkew"), strict=True):
        assert line.startswith(f"error: {file}: HighAvailabilityApp 'hello': {field}: ")


def test_a_missing_file_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "-f", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "error: nowhere.yaml: no such file\n"


@pytest.mark.parametrize("words", [[], ["render"], ["nonsense"], ["render", "-f", "x", "--kubernetes-version", "new"]])
def test_a_wrong_call_is_bad_input(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: kubectl haapp" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_shows_examples_and_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"haapp {command} " in text.partition("examples:")[2]
    assert "exit codes:" in text


def test_the_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(command.summary in text for command in COMMANDS.values())


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)


def test_render_imports_nothing_that_talks_to_a_cluster() -> None:
    code = f"""
import sys
from haapp.cli.main import main
main(["render", "-f", {str(MINIMAL)!r}])
print(sorted({{"kopf", "kubernetes", "pykube", "aiohttp", "asyncio", "ssl"}} & sys.modules.keys()), file=sys.stderr)
"""
    assert run(sys.executable, "-c", code).stderr == "[]\n"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    ended = run("bash", "-c", f"{sys.executable} -m haapp.cli.main render -f {EXAMPLES} | head -n 1")
    assert ended.stdout == "apiVersion: v1\n"
    assert ended.stderr == ""
