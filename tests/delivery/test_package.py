"""The wheel and the image's files: built, installed where nothing is, and started from there."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from tests.delivery.conftest import output
from tests.unit.test_containerfile import all_of, instructions

ROOT = Path(__file__).parents[2]
HERE = Path(sys.executable).parent
INTERPRETER = "/usr/bin/python3.11"
"""That of the image's last stage. Debian 12 has it, too."""
EXAMPLE = ROOT / "manifests" / "examples" / "00-minimal.yaml"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [HERE / "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_has_what_it_needs_and_is_the_same_every_time(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        times = {info.date_time for info in archive.infolist()}
    templates = {f"haapp/{path.relative_to(ROOT)}" for path in (ROOT / "templates").rglob("*.j2")}
    assert templates | {"haapp/crds/highavailabilityapps.yaml", "haapp/py.typed", "haapp/main.py"} <= names
    assert not [name for name in names if "test" in name or name.endswith(".pyc")]
    assert len(times) == 1


def test_the_wheel_runs_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    output(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pip = (python, "-m", "pip")
    lock = ROOT / "requirements-runtime.lock"
    output(*pip, "install", "--quiet", "--no-compile", "--require-hashes", "--requirement", lock, seconds=400)
    output(*pip, "install", "--quiet", "--no-deps", wheel)
    output(*pip, "check")
    assert "--all-namespaces" in output(python.parent / "haapp-operator", "--help")
    rendered = list(yaml.safe_load_all(output(python.parent / "kubectl-haapp", "render", "-f", EXAMPLE)))
    assert "Deployment" in {obj["kind"] for obj in rendered}


@pytest.fixture(scope="module")
def image(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Containerfile's commands make of the lock and the wheel, as the root of a file system."""
    root = tmp_path_factory.mktemp("image")
    source, out = root / "src", root / "out"
    source.mkdir()
    shutil.copy(wheel, source)
    shutil.copy(ROOT / "requirements-runtime.lock", source)
    path = f"{HERE}:{os.environ['PATH']}"
    for command in all_of("RUN"):
        there = re.sub(r"(?<![\w.])/(src|out)\b", rf"{root}/\1", command)
        done = subprocess.run(
            ["sh", "-ec", there],
            env={**os.environ, "PATH": path, "SOURCE_DATE_EPOCH": "1700000000"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    (root / "app").mkdir()
    shutil.move(out / "lib" / "python3.11" / "site-packages", root / "app" / "lib")
    shutil.move(out / "bin", root / "app" / "bin")
    return root


def start(image: Path, *command: str) -> str:
    """A command with the image's environment and packages alone, without a network where this user may say so."""
    (settings,) = (rest for word, rest in instructions() if word == "ENV" and "PYTHONPATH" in rest)
    environment = dict(pair.split("=", 1) for pair in settings.replace("/app", f"{image}/app").split())
    python = INTERPRETER if Path(INTERPRETER).exists() else sys.executable
    # -S: not the packages that this machine's own interpreter has.
    alone = ["unshare", "--map-root-user", "--net"]
    cut_off = subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
    done = subprocess.run(
        [*(alone if cut_off else ()), python, "-S", image / "app" / "bin" / command[0], *command[1:]],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(image: Path) -> dict[str, int]:
    return {str(path.relative_to(image)): path.lstat().st_mtime_ns for path in (image / "app").rglob("*")}


def test_the_image_starts_and_writes_nothing(image: Path) -> None:
    before = files(image)
    assert "--all-namespaces" in start(image, "haapp-operator", "--help")
    rendered = list(yaml.safe_load_all(start(image, "kubectl-haapp", "render", "-f", str(EXAMPLE))))
    assert "Deployment" in {obj["kind"] for obj in rendered}
    assert files(image) == before


def test_the_image_is_compiled_and_has_no_time_of_its_own(image: Path) -> None:
    sources = list((image / "app" / "lib" / "haapp").rglob("*.py"))
    assert len(sources) > 100
    for path in sources:
        compiled = path.with_name("__pycache__") / f"{path.stem}.cpython-311.pyc"
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01, f"{compiled}: by hash, and not looked at again"
        assert int(path.stat().st_mtime) == 1700000000
    for script in ("haapp-operator", "kubectl-haapp"):
        assert (image / "app" / "bin" / script).read_text().splitlines()[0] == f"#!{INTERPRETER}"
