"""Namespaces that end with their first process, and commands run inside them."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster.shell import ClusterError, alive, run, wait_for

from . import cgroups

SOURCES = Path(__file__).resolve().parent.parent
ALL = ("--mount", "--net", "--uts", "--ipc", "--cgroup", "--pid")
SHARED = ("--mount", "--net", "--pid")
"""What the control plane has of its own; the rest is the host's."""

PATIENCE = 60.0
"""Seconds for what takes a moment on a quiet machine."""
ENDED = -1
"""No process."""

_STARTED: list[subprocess.Popen[bytes]] = []
"""What this process started and has to collect once it has ended."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The namespaces that the process `pid` (as the host counts) is the first one of.

    Killing that process ends every process in them, and with those the mounts and networks. `group` is the cgroup that
    whatever runs in here belongs to; `kinds` are the namespaces that are the machine's own.
    """

    pid: int
    group: str
    kinds: tuple[str, ...]

    def entering(self, *command: str) -> list[str]:
        """`command`, made to run in these namespaces, and in the caller's cgroup."""
        return ["nsenter", f"--target={self.pid}", *self.kinds, "--", *command]

    def command(self, *command: str) -> list[str]:
        """`command`, made to run inside."""
        return [*cgroups.joining(self.group), *self.entering(*command)]

    def run(self, *command: str, timeout: float = 60, stdin: str | None = None) -> str:
        """Run a command inside and return its output. Raises ClusterError with its complaint."""
        return run(self.command(*command), stdin=stdin, timeout=timeout)

    def start(self, log: Path, *command: str, environment: Mapping[str, str] | None = None) -> None:
        """Start a process inside that goes on until the machine ends."""
        spawn(self.command(*command), log, environment)

    def kill(self) -> None:
        """End everything inside at once, as a loss of power does."""
        kill(self.pid)


def boot(
    name: str, log: Path, kinds: tuple[str, ...], arguments: Sequence[str] = (), *, inside: Machine | None = None
) -> Machine:
    """A new machine, within another one if that is given, and on the host otherwise; `arguments` go to `first.py`.

    Its cgroup is named as it is.

    One on the host does not outlive this process unless `arguments` say --stay.
    """
    cgroups.create(name)
    unshare = ["unshare", *kinds, "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
    # With its name among the arguments, to be found and told from others.
    first = [sys.executable, "-I", str(SOURCES / "devnodes" / "first.py"), name, *arguments]
    command = [*cgroups.joining(name), *(inside.entering(*unshare, *first) if inside else [*unshare, *first])]
    if inside is None and "--stay" not in arguments:
        command = ["setpriv", "--pdeathsig=KILL", *command]
    process = spawn(command, log)
    pid = wait_for(lambda: _first(process.pid, name), PATIENCE, f"the first process of {name}")
    if pid == ENDED:
        raise ClusterError(f"{name} ended at once (see {log})")
    return Machine(pid, name, kinds)


def find(name: str, pid_file: Path, kinds: tuple[str, ...]) -> Machine | None:
    """The machine of that name whose first process is told by `pid_file`, if it still runs."""
    try:
        pid = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return Machine(pid, name, kinds) if is_first(pid, name) else None


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a process of its own session that writes to `log`."""
    _STARTED[:] = [process for process in _STARTED if process.poll() is None]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _STARTED.append(process)
    return process


def kill(pid: int) -> None:
    """Kill a process and wait until it is gone; none of that number is fine."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    wait_for(lambda: not alive(pid), PATIENCE, f"the end of process {pid}")


def is_first(pid: int, name: str) -> bool:
    """Whether that process is the first one of the machine of that name."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return arguments[2:4] == [str(SOURCES / "devnodes" / "first.py"), name]


def _first(parent: int, name: str) -> int | None:
    """The process that `parent` and its children came to start; None while it is not there, ENDED if it never will."""
    if not alive(parent):
        return ENDED
    pid = parent
    while children := _children(pid):
        pid = children[0]
    return pid if is_first(pid, name) and _is_ready(pid) else None


def _is_ready(pid: int) -> bool:
    """Whether the first process has set up its machine: it then gives itself another name."""
    return Path(f"/proc/{pid}/comm").read_text().strip() == "machine"


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
