"""A subtree of the host's cgroups (version 1) for each machine."""

import contextlib
import os
import signal
import time
from pathlib import Path

from devcluster.shell import ClusterError

from .host import CGROUPS, CONTROLLERS

ROOT = "haapp-nodes"
SHARES = 12 * 1024
"""The weight of all machines together: against each single process outside, a group counts as one (1024)."""
HIERARCHIES = (*CONTROLLERS, "systemd", "unified")
_JOIN = 'for file in "$@"; do shift; [ "$file" = -- ] && break; echo $$ > "$file" || exit 1; done; exec "$@"'


def create(group: str) -> None:
    """Make the group in every hierarchy that there is. Left-overs of an earlier one are removed first: they cost the
    kubelet seconds."""
    remove(group)
    for top in _tops():
        made = top
        for part in (ROOT, *group.split("/")):
            made /= part
            made.mkdir(parents=True, exist_ok=True)
            if top.name == "cpuset":  # a new group has none, and takes no process
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (made / file).write_text((made.parent / file).read_text())
    (CGROUPS / "cpu" / ROOT / "cpu.shares").write_text(str(SHARES))


def joining(group: str) -> list[str]:
    """The beginning of a command: what follows it runs in that group."""
    files = [str(top / ROOT / group / "cgroup.procs") for top in _tops()]
    return ["sh", "-c", _JOIN, "join", *files, "--"]


def remove(group: str, patience: float = 60) -> None:
    """Remove the group with all groups below it, and end what still runs there. None there is fine."""
    deadline = time.monotonic() + patience
    while left := [folder for top in _tops() for folder in _folders(top / ROOT / group)]:
        for folder in left:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                _kill_members(folder)
        if time.monotonic() > deadline:
            raise ClusterError(f"the cgroup {left[0]} cannot be removed")
        time.sleep(0.05)
    for top in _tops():
        with contextlib.suppress(OSError):  # others are in it
            (top / ROOT).rmdir()


def _tops() -> list[Path]:
    return [CGROUPS / name for name in HIERARCHIES if (CGROUPS / name / "cgroup.procs").exists()]


def _folders(root: Path) -> list[Path]:
    """The folders below `root` and itself, innermost first."""
    return [Path(folder) for folder, _, _ in os.walk(root, topdown=False)]


def _kill_members(folder: Path) -> None:
    try:
        members = (folder / "cgroup.procs").read_text().split()
    except OSError:
        return
    for pid in set(members) - {"0"}:  # 0 is one that is just ending, and to `kill` it is the caller's own group
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
