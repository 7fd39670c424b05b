"""What this computer must have: Linux, root, and a few packages of Debian's."""

import os
import platform
import shutil
from pathlib import Path

from devcluster.binaries import say
from devcluster.shell import ClusterError, run

CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
CNI_PLUGINS = Path("/usr/lib/cni")

PACKAGES = {
    "containernetworking-plugins": CNI_PLUGINS / "bridge",
    "nftables": Path("/usr/sbin/nft"),
    "iproute2": Path("/sbin/ip"),
    "libseccomp-dev": Path("/usr/include/seccomp.h"),
    "gcc": Path("/usr/bin/gcc"),
    "libc6-dev": Path("/usr/include/stdlib.h"),
}
"""Each package with a file that tells that it is installed."""


def obstacle() -> str:
    """Why real nodes cannot run here, in one line; "" where they can."""
    if platform.system() != "Linux":
        return "real nodes need Linux"
    if os.geteuid() != 0:
        return "real nodes need root: they are made of namespaces, mounts and cgroups"
    missing = [name for name in CONTROLLERS if not (CGROUPS / name / "cgroup.procs").exists()]
    if missing:
        return f"real nodes need cgroup v1, and {CGROUPS}/{missing[0]} is not there: use kind (CONTEXT=kind-...)"
    if shutil.which("apt-get") is None:
        return "real nodes take their images from Debian's packages, and apt-get is not there"
    return ""


def install_packages() -> None:
    """Install those of PACKAGES that are missing. Raises ClusterError with apt's complaint."""
    missing = [name for name, file in PACKAGES.items() if not file.exists()]
    if not missing:
        return
    say(f"nodes: installing {', '.join(missing)} by apt-get")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
    try:
        run(install, quiet, timeout=300)
    except ClusterError:  # the list of packages may be old
        run(["apt-get", "update", "--quiet"], quiet, timeout=300)
        run(install, quiet, timeout=300)
