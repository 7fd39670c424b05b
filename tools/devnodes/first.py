"""The first process of a machine: sets up what only its own namespaces see, then collects what ends there.

Run as a program with nothing but the standard library: it is copied into no image and waits for nothing.

    first.py NAME [--stay] [--node FOLDER]
"""

import argparse
import os
import signal
import socket
import subprocess
from pathlib import Path

CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
OWN = ("lib/cni", "lib/containerd", "lib/kubelet", "log/pods", "log/containers", "tmp")


def main() -> None:
    """Set up, then wait for ever."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--stay", action="store_true", help="outlive the process that started this one")
    parser.add_argument("--node", type=Path, help="be a node, with its files in this folder")
    options = parser.parse_args()
    command("ip", "link", "set", "lo", "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    if options.node:
        become_node(options.name.rpartition("/")[2], options.node)
    Path("/proc/self/comm").write_text("machine")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    collect_for_ever()


def become_node(name: str, folder: Path) -> None:
    """Give the node a name, a /var and a /run of its own, and the cgroups as seen from its own root."""
    socket.sethostname(name)
    command("mount", "--make-rshared", "/")  # volumes that the kubelet mounts must reach containerd's containers
    command("mount", "-t", "sysfs", "sysfs", "/sys")
    mount_cgroups()
    for own in OWN:
        (folder / "var" / own).mkdir(parents=True, exist_ok=True)
    command("mount", "--bind", str(folder / "var"), "/var")
    command("mount", "-t", "tmpfs", "-o", "mode=755", "run", "/run")


def mount_cgroups() -> None:
    """The cgroup hierarchies (version 1) at their usual places."""
    top = Path("/sys/fs/cgroup")
    command("mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", str(top))
    for name in (*CONTROLLERS, "systemd"):
        (top / name).mkdir()
        options = "none,name=systemd" if name == "systemd" else name
        command("mount", "-t", "cgroup", "-o", options, "cgroup", str(top / name))


def collect_for_ever() -> None:
    """Take the exit code of every process whose parent is gone."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


def command(*arguments: str) -> None:
    """Run a command; its failure ends the machine."""
    subprocess.run(arguments, check=True)


if __name__ == "__main__":
    main()
