"""Lines for people, and the words that a shell may offer."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from haapp.cli.completion import SCRIPTS, kubectl_complete
from haapp.cli.main import COMMANDS, main
from haapp.cli.terminal import BAD, Piece, line, plain, table

ROOT = Path(__file__).parents[2]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    lines = table([("A", "LONG"), (Piece("value", BAD), "x", "further")], indent="  ")
    assert plain(lines) == "  A      LONG\n  value  x     further\n"


def test_a_line_keeps_its_styles() -> None:
    assert line("plain ", Piece("bad", BAD)) == (Piece("plain ", ""), Piece("bad", BAD))


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_and_a_pipe_does_not(
    tmp_path: Path, environment: dict[str, str], coloured: bool
) -> None:
    app = tmp_path / "app.yaml"
    app.write_text(
        "apiVersion: highavailability.dev/v1alpha1\nkind: HighAvailabilityApp\nmetadata: {name: a}\n"
        "spec: {app: {image: 'a:1'}, replicas: 1}\n"
    )
    command = [sys.executable, "-m", "haapp.cli.main", "check", "-f", str(app)]
    variables = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT / "operator"), **environment}
    leader, follower = pty.openpty()
    on_terminal = subprocess.run(command, stdout=follower, stderr=subprocess.DEVNULL, env=variables, check=False)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    piped = subprocess.run(command, capture_output=True, text=True, env=variables, check=False).stdout
    assert on_terminal.returncode == 1
    assert bool(re.search(r"\x1b\[[\d;]*3[1-7]m", shown)) is coloured
    assert "\x1b" not in piped
    assert "single-replica" in shown
    assert "single-replica" in piped


def offered(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    assert kubectl_complete(words) == 0
    *lines, directive = capsys.readouterr().out.splitlines()
    return [entry.partition("\t")[0] for entry in lines], directive


def test_kubectl_is_offered_commands_options_values_and_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert offered("", capsys=capsys) == (list(COMMANDS), ":4")
    assert offered("ren", capsys=capsys) == (["render"], ":4")
    assert offered("check", "--fail", capsys=capsys) == (["--fail-on"], ":0")
    assert offered("check", "--fail-on", "", capsys=capsys) == (["warning", "error"], ":4")
    assert offered("check", "-f", "app", capsys=capsys) == ([], ":0")
    assert offered("completion", "", capsys=capsys)[0] == list(SCRIPTS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_offered(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, _ = offered(command, "--", capsys=capsys)
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert all(word in text for word in words)


def test_bash_completes(tmp_path: Path) -> None:
    """The script itself, in a real bash, with the entry point that an installation puts on the PATH."""
    entry = tmp_path / "kubectl_complete-haapp"
    call = "import sys; from haapp.cli.completion import kubectl_complete; sys.exit(kubectl_complete())"
    entry.write_text(f"#!{sys.executable}\n{call}\n")
    entry.chmod(0o755)
    script = f"""
{SCRIPTS["bash"]}
complete_words() {{ COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _kubectl_haapp; echo "${{COMPREPLY[@]}}"; }}
complete_words kubectl-haapp ch
complete_words kubectl-haapp check --fail-on e
"""
    variables = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "operator")}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=variables, check=True)
    assert done.stdout == "check\nerror\n"
