"""What this computer must have: Linux, root, cgroups of version 1, room, and a few packages of Debian's."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from devcluster.binaries import cache_home, say
from devcluster.shell import ClusterError, run

CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
CNI_PLUGINS = Path("/usr/lib/cni")
COMMANDS = ("apt-get", "dpkg-deb", "mount", "nsenter", "setpriv", "unshare")
GIB = 1024**3
MEMORY, DISK = 2 * GIB, 6 * GIB
"""What must be free: three nodes with their containers use 1.5 GiB; images and binaries fill 4 GiB of the disk."""

PACKAGES = {
    "containernetworking-plugins": CNI_PLUGINS / "bridge",
    "nftables": Path("/usr/sbin/nft"),
    "iproute2": Path("/sbin/ip"),
    "libseccomp-dev": Path("/usr/include/seccomp.h"),
    "gcc": Path("/usr/bin/gcc"),
    "libc6-dev": Path("/usr/include/stdlib.h"),
}
"""Each package with a file that tells that it is installed."""


def obstacles() -> list[str]:
    """Why real nodes cannot run here, a line for each reason, as far as a look can tell; empty where they can."""
    if platform.system() != "Linux":
        return ["real nodes need Linux"]
    if os.geteuid() != 0:
        return ["real nodes need root: they are made of namespaces, mounts and cgroups"]
    return list(_lacking())


def _lacking() -> Iterator[str]:
    for name in CONTROLLERS:
        if not (CGROUPS / name / "cgroup.procs").exists():
            yield f"no cgroup v1 at {CGROUPS / name}: use kind (CONTEXT=kind-...)"
    for command in COMMANDS:
        if shutil.which(command) is None:
            yield f"no command {command}"
    if (memory := available_memory()) < MEMORY:
        yield f"{memory / GIB:.1f} GiB of memory available, and {MEMORY / GIB:.0f} are needed"
    cache_home().mkdir(parents=True, exist_ok=True)
    if (disk := shutil.disk_usage(cache_home()).free) < DISK:
        yield f"{disk / GIB:.1f} GiB free at {cache_home()}, and {DISK / GIB:.0f} are needed"


def available_memory() -> int:
    """Bytes that can be had without swapping."""
    (line,) = (line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


def install_packages() -> None:
    """Install those of PACKAGES that are missing. Raises ClusterError with apt's complaint."""
    if missing := [name for name, file in PACKAGES.items() if not file.exists()]:
        say(f"nodes: installing {', '.join(missing)} by apt-get")
        apt_install(missing, timeout=300)


def apt_install(arguments: list[str], timeout: float) -> None:
    """apt-get install; the lists of packages are renewed where it fails, for they may be old or missing."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *arguments]
    try:
        run(command, quiet, timeout=timeout)
    except ClusterError:
        run(["apt-get", "update", "--quiet"], quiet, timeout=300)
        run(command, quiet, timeout=timeout)
