"""Run the operator as a process beside a cluster."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .cluster import Cluster
from .shell import ClusterError, alive, terminate, wait_for

READY_SECONDS = 60
EVERYWHERE = ("--all-namespaces", "--no-leader-election")


_STARTED: dict[Path, subprocess.Popen[bytes]] = {}
"""Those that this process started itself, and has to collect when they have ended."""


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Operator:
    """`haapp-operator` of this Python's environment, run against `cluster`.

    Its log and its process id stand in `folder` as <name>.log and <name>.pid, so that another process can end it.
    """

    cluster: Cluster
    folder: Path
    name: str = "operator"
    arguments: Sequence[str] = EVERYWHERE
    environment: Mapping[str, str] = field(default_factory=dict)
    health_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self.folder / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """Where its process id stands while it runs."""
        return self.folder / f"{self.name}.pid"

    @property
    def pid(self) -> int:
        """Its process id. Raises FileNotFoundError where it was not started, or has been stopped."""
        return int(self.pid_file.read_text())

    @property
    def command(self) -> list[str]:
        """What is run."""
        ports = [f"--health-port={self.health_port}", f"--metrics-port={self.metrics_port}"]
        script = Path(sys.executable).with_name("haapp-operator")
        return [str(script), *self.arguments, *ports, "--log-format=plain"]

    def start(self) -> None:
        """Start it and wait until it is healthy. Raises ClusterError with the end of its log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command,
                env={**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _STARTED[self.pid_file] = process
        self.pid_file.write_text(str(process.pid))
        try:
            wait_for(self.is_settled, READY_SECONDS, "a healthy operator")
            if not self.is_running():
                raise ClusterError(f"the operator ended with code {process.wait()}")
        except ClusterError as error:
            self.stop(signal.SIGKILL)
            raise ClusterError(f"{error}\n{self.log_tail()}") from error

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it is gone. Ending one that has ended is fine."""
        terminate(self.pid_file, how, patience=30)
        if process := _STARTED.pop(self.pid_file, None):
            process.wait()

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.pid_file.exists() and alive(self.pid)

    def is_healthy(self) -> bool:
        """Whether it answers its own probe with 200."""
        return self._agrees("/healthz")

    def is_ready(self) -> bool:
        """Whether its watches have shown it all there is."""
        return self._agrees("/readyz")

    def is_settled(self) -> bool:
        """Whether it is healthy, or has ended and never will be."""
        return self.is_healthy() or not self.is_running()

    def _agrees(self, path: str) -> bool:
        try:
            self.ask(self.health_port, path)
        except (urllib.error.URLError, OSError):
            return False
        return True

    def metrics(self, *names: str) -> str:
        """What its metrics endpoint says now of these metrics, or of all, in Prometheus' text format."""
        return self.ask(self.metrics_port, f"/metrics?{urllib.parse.urlencode([('name[]', name) for name in names])}")

    def ask(self, port: int, path: str) -> str:
        """The body of the answer to a GET. Raises OSError unless that is a success."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bytes(answer.read()).decode()

    def log_tail(self, lines: int = 60) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
