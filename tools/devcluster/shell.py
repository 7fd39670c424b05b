"""Run commands, wait for things, end processes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class ClusterError(RuntimeError):
    """A cluster did not do what it was told; the message carries what the tool said."""


class WaitError(ClusterError):
    """Something waited for did not come about; the message says what, and the last thing seen."""


def run(
    command: Iterable[str], extra_env: dict[str, str] | None = None, *, stdin: str | None = None, timeout: float
) -> str:
    """Run a command and return its standard output. Raises ClusterError with its standard error."""
    command = list(command)
    try:
        done = subprocess.run(
            command,
            env=os.environ | (extra_env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"{' '.join(command)} did not end within {timeout:.0f} s") from error
    if done.returncode:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def terminate(pid_file: Path, how: signal.Signals, patience: float = 10) -> None:
    """Send a signal to the process in `pid_file`, wait until it is gone, and remove the file. Nothing there is fine."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, how)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    wait_for(lambda: not alive(pid), timeout=patience, what=f"the end of process {pid}", every=0.02)
    pid_file.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet collected by its parent does not.

    While a thread of it is left, it holds its ports: a large process that was killed takes a moment to end.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" or threads > 1


def wait_for(predicate: Callable[[], T | None], timeout: float = 30, what: str = "", every: float = 0.1) -> T:
    """Call `predicate` until it returns something true, and return that. Raises WaitError after `timeout` seconds.

    A ClusterError counts as not yet. The message of the WaitError says `what` was waited for and what was last seen.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            seen: object = (result := predicate())
            if result:
                return result
        except ClusterError as error:
            seen = error
        if time.monotonic() > deadline:
            raise WaitError(f"{what or predicate.__name__} did not come about in {timeout:.0f} s; last seen: {seen!r}")
        time.sleep(every)
