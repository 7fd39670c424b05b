"""The commands of README.md and docs/ do what the pages say, in a cluster of their own, page by page."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.programs import program

from devcluster import cluster as clusters
from devcluster import nodes
from devcluster.cluster import Cluster
from devcluster.process import Operator
from devcluster.shell import ClusterError, wait_for
from docpages.compare import same
from docpages.console import Command, File, steps

pytestmark = pytest.mark.timeout(420)

ROOT = Path(__file__).parents[2]
COMMAND_SECONDS = 120
PATIENCE = 60.0
"""Seconds until what is shown has come about."""

LOOKS = re.compile(r"kubectl (get|describe|events|top)\b")
"""Commands that may be repeated until they show what the page shows."""

ZONE = re.compile(r"make zone-(off|on)\b.*\bZONE=(\S+)")

LAST = "docs/operations.md"
"""Uninstalls the CRD."""

PAGES = sorted(
    (
        str(path.relative_to(ROOT))
        for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        if any(isinstance(step, Command) for step in steps(path.read_text(encoding="utf-8")))
    ),
    key=lambda page: (page == LAST, page != "README.md", page),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody with a terminal in `folder`, beside a copy of what the pages apply."""

    cluster: Cluster
    folder: Path

    def write(self, file: File) -> None:
        (self.folder / file.name).write_text(file.text)

    def run(self, command: Command) -> None:
        """Run a command of a page. Raises AssertionError where it does not do what the page shows."""
        if zone := ZONE.match(command.line):
            nodes.set_zone_ready(self.cluster, zone[2], ready=zone[1] == "on")
        elif not command.line.startswith("make "):
            wait_for(lambda: self.is_as_shown(command), PATIENCE if LOOKS.match(command.line) else 0, command.line)

    def is_as_shown(self, command: Command) -> bool:
        """Run it once. Raises ClusterError with what it said where that is something else."""
        done = subprocess.run(
            ["bash", "-c", command.line],
            cwd=self.folder,
            env=self.environment(command),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode != command.code or (command.output and not same(command.output, said)):
            raise ClusterError(f"exit code {done.returncode}:\n{said}\nthe page shows:\n{command.output}")
        return True

    def environment(self, command: Command) -> dict[str, str]:
        """That of a shell that finds what the command needs."""
        helm = [program("helm")] if command.line.startswith("helm ") else []
        tools = (Path(sys.executable), self.cluster.kubectl_path, *helm)
        path = ":".join([*(str(tool.parent) for tool in tools), os.environ["PATH"]])
        return {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "PATH": path}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    if os.environ.get("CONTEXT"):
        pytest.skip("needs a cluster of its own: it loses zones, and uninstalls all")
    clusters.delete_leftovers("docs-")
    folder = tmp_path_factory.mktemp("docs")
    for part in ("manifests", "crds", "charts"):
        shutil.copytree(ROOT / part, folder / part)
    cluster = clusters.create(name := f"docs-{os.getpid()}")
    try:
        nodes.add_nodes(cluster, *nodes.machines())
        cluster.install_crds(*(ROOT / "crds").glob("*.yaml"))
        operator = Operator(cluster, folder / "operator")
        operator.start()
        try:
            yield Reader(cluster, folder)
        finally:
            operator.stop()
    finally:
        clusters.delete(name)


@pytest.mark.parametrize("page", PAGES)
def test_commands_of(page: str, reader: Reader) -> None:
    reader.cluster.kubectl("delete", "haapp,deployments", "--all", "--cascade=foreground", timeout=120)
    for step in steps((ROOT / page).read_text(encoding="utf-8")):
        if isinstance(step, File):
            reader.write(step)
        else:
            reader.run(step)
