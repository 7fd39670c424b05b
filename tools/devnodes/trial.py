"""A machine for a moment, to try in it what nodes do: whether the kernel lets us shows only when it is done."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from devcluster.shell import ClusterError

from . import cgroups
from .host import PACKAGES
from .machine import ALL, Machine, boot
from .places import folder_of, leftovers

PREFIX = "trial-"
INOTIFY_INSTANCES = 64
"""Three nodes and their control plane take half of them."""

OVERLAY = """
set -e
mkdir lower upper work merged
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
touch merged/file
"""
NETWORK = """
set -e
ip link add br0 type bridge
ip link add here type veth peer name there
ip link set here master br0 up
ip address add 10.200.0.1/24 dev br0
"""
RULES = """
set -e
nft -f - <<end
table ip trial {
  chain backend { meta l4proto tcp dnat to 10.244.1.2:8080; }
  chain pick { numgen random mod 1 vmap { 0 : goto backend }; }
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  chain in { type nat hook prerouting priority dstnat; ip daddr . meta l4proto . th dport vmap @services; }
  chain out { type nat hook postrouting priority srcnat; ip saddr 10.244.0.0/16 masquerade; }
}
add element ip trial services { 10.96.0.1 . tcp . 443 : goto pick }
end
"""
TRIALS = {
    "overlay mounts, which containers stand on": OVERLAY,
    "bridges and pairs of virtual Ethernet": NETWORK,
    "nftables with address translation, which Services stand on": RULES,
    "/dev/kmsg, which a kubelet reads": "exec 3< /dev/kmsg",
}
"""What must work inside a machine, each with a script that does it in an empty folder of the disk."""


def failures() -> list[str]:
    """What a node would fail at here, a line for each thing; empty where all works. What is not yet installed is not
    tried. Nothing is left of it."""
    if any(not file.exists() for file in PACKAGES.values()):
        return []
    for old in leftovers(PREFIX):
        _remove(old)
    name = f"{PREFIX}{os.getpid()}"
    folder_of(name).mkdir(parents=True)
    try:
        return list(_failures(name, folder_of(name)))
    finally:
        _remove(name)


def _remove(name: str) -> None:
    cgroups.remove(name)
    shutil.rmtree(folder_of(name), ignore_errors=True)


def _failures(name: str, folder: Path) -> Iterator[str]:
    if (had := inotify_instances(INOTIFY_INSTANCES)) < INOTIFY_INSTANCES:
        yield f"{had} inotify instances left of fs.inotify.max_user_instances, and {INOTIFY_INSTANCES} are needed"
    log = folder / "machine.log"
    try:
        machine = boot(f"{name}/node", log, ALL, ["--node", str(folder)])
    except (ClusterError, OSError) as error:
        yield f"no namespaces and cgroups of its own for a machine: {_last_line(log) or error}"
        return
    try:
        yield from _tried(machine, folder)
    finally:
        machine.kill()


def _tried(machine: Machine, folder: Path) -> Iterator[str]:
    for number, (what, script) in enumerate(TRIALS.items()):
        place = folder / str(number)
        place.mkdir()
        try:
            machine.run("sh", "-c", f"cd {place}; {script}")
        except ClusterError as error:
            yield f"no {what}: {str(error).partition(': ')[2]}"


def inotify_instances(wanted: int) -> int:
    """How many of the wanted instances this user can have now."""
    libc = ctypes.CDLL(None)
    handles = [handle for _ in range(wanted) if (handle := libc.inotify_init1(0)) >= 0]
    for handle in handles:
        os.close(handle)
    return len(handles)


def _last_line(log: Path) -> str:
    lines = log.read_text().splitlines() if log.exists() else []
    return lines[-1] if lines else ""
