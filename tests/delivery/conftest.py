"""Fixtures for tests of what is shipped: manifests as kustomize builds them, charts as helm does, a cluster for all."""

import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.conftest import cluster_of, pytest_runtest_makereport
from tests.programs import program

from devcluster.binaries import ensure_control_plane
from devcluster.cluster import Cluster

__all__ = ["pytest_runtest_makereport"]

MANIFESTS = Path(__file__).parents[2] / "manifests"
TOOL_SECONDS = 120

Object = dict[str, Any]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    yield from cluster_of("delivery")


@cache
def kustomized(folder: Path) -> tuple[Object, ...]:
    built = output(ensure_control_plane() / "kubectl", "kustomize", folder)
    return tuple(yaml.safe_load_all(built))


def output(
    *command: str | Path,
    stdin: str | None = None,
    codes: tuple[int, ...] = (0,),
    complaint: bool = False,
    seconds: float = TOOL_SECONDS,
) -> str:
    """What a command prints, or what it complains of. Fails the test where it ends with another code."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode in codes, f"{command}: {done.stdout}{done.stderr}"
    return done.stderr if complaint else done.stdout


@pytest.fixture
def kustomize() -> Callable[[str], tuple[Object, ...]]:
    """The objects of a folder of manifests/."""
    return lambda folder: kustomized(MANIFESTS / folder)


@pytest.fixture(scope="session")
def helm() -> Callable[..., str]:
    """Runs helm and returns what it prints."""
    binary = program("helm")
    return lambda *arguments, **options: output(binary, *arguments, **options)
