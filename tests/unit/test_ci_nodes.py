"""What .ci/nodes makes of a machine that cannot run real nodes, and of tests that fail, by programs that play both."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "nodes"
DEVNODES = """#!/bin/sh
[ "$3" != {lacking} ]
"""
TESTS = """#!/bin/sh
echo "tests $*"
read -r code rest < codes
echo "$rest" > codes
exit "$code"
"""


def run(folder: Path, codes: str = "", lacking: str = "nothing", seconds: int = 3000) -> tuple[int, list[str]]:
    """The script's exit code and lines, where the tests end with these exit codes one after another."""
    for path, text in ((".venv/bin/python", DEVNODES.format(lacking=lacking)), (".venv/bin/pytest", TESTS)):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    (folder / "codes").write_text(f"{codes}\n")
    (folder / ".ci").mkdir()
    script = shutil.copy(SCRIPT, folder / ".ci" / "nodes")
    done = subprocess.run(["bash", str(script), str(seconds)], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("lacking", ["check", "prepare"])
def test_what_the_machine_lacks_is_told_and_fails_nothing(tmp_path: Path, lacking: str) -> None:
    code, lines = run(tmp_path, lacking=lacking)
    assert code == 0
    assert [line.partition(": ")[0] for line in lines] == ["test-nodes"]


def test_too_little_time_is_told_and_fails_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, seconds=300) == (0, ["test-nodes: skipped: only 300 s are left"])


@pytest.mark.parametrize(
    ("codes", "expected", "told"),
    [
        ("0", 0, "tests tests/nodes"),
        ("1 0", 0, "tests tests/nodes --timeout=900 --last-failed"),
        ("1 1", 1, "tests tests/nodes --timeout=900 --last-failed"),
        ("69 0", 0, "tests tests/nodes"),
        ("69 1 0", 0, "tests tests/nodes --timeout=900 --last-failed"),
        ("69 1 1", 1, "tests tests/nodes --timeout=900 --last-failed"),
        ("69 69", 0, "test-nodes: skipped: the nodes did not start"),
        ("1 69", 0, "test-nodes: skipped: the nodes did not start"),
        ("124 5", 0, "test-nodes: skipped: no test failed twice"),
        ("124 1", 1, "tests tests/nodes --timeout=900 --last-failed"),
        ("2 2", 2, "tests tests/nodes --timeout=900 --last-failed"),
    ],
)
def test_only_tests_that_ran_and_failed_twice_fail(tmp_path: Path, codes: str, expected: int, told: str) -> None:
    code, lines = run(tmp_path, codes)
    assert code == expected, lines
    assert lines[-1].startswith(told)
    assert (tmp_path / "codes").read_text().strip() == ""
