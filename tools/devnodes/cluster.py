"""A control plane and three real nodes in three zones; several may run side by side, each with its own name."""

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster.cluster import Cluster
from devcluster.nodes import ZONES, ready_nodes
from devcluster.process import free_port
from devcluster.shell import ClusterError, alive, wait_for

from . import cgroups, control_plane, network
from .binaries import ensure_binaries
from .host import install_packages, obstacle
from .images import ensure_images
from .machine import SHARED, SOURCES, Machine, boot, is_first, kill, spawn
from .node import Node


@dataclass(frozen=True, slots=True)
class Nodes:
    """A running cluster of real nodes, by name."""

    cluster: Cluster
    nodes: dict[str, Node]

    def wait_ready(self, *names: str, timeout: float = 120) -> None:
        """Wait until these nodes (by default all) are Ready."""
        wanted = set(names or self.nodes)
        wait_for(lambda: wanted <= ready_nodes(self.cluster), timeout, f"{', '.join(sorted(wanted))} Ready")

    def wait_lost(self, name: str, timeout: float = 60) -> None:
        """Wait until the control plane knows that a node is not Ready."""
        wait_for(lambda: name not in ready_nodes(self.cluster), timeout, f"{name} not Ready")


def create(name: str, *, stay: bool = False) -> Nodes:
    """Start the cluster `name` afresh. It ends with this process unless it is to stay.

    Raises ClusterError and BuildError, with the reason in one line where this computer cannot do it.
    """
    if reason := obstacle():
        raise ClusterError(reason)
    install_packages()
    binaries = ensure_binaries()
    images = ensure_images()
    delete(name)
    folder = folder_of(name)
    (folder / "logs").mkdir(parents=True)
    machine = boot(control_plane_name(name), folder / "machine.log", SHARED, ["--stay"] if stay else [])
    (folder / "pid").write_text(str(machine.pid))
    network.create_bridge(machine)
    control_plane.write_pki(folder / "pki", list(ZONES))
    plane = control_plane.ControlPlane(machine, folder, binaries)
    plane.start()
    cluster = Cluster(f"nodes-{name}", _relay(machine, folder), Path(binaries.path("kubectl")))
    wait_for(lambda: cluster.kubectl("get", "--raw=/readyz", timeout=5), 120, f"an API server (logs in {folder}/logs)")
    nodes = _nodes(name, plane)
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(lambda node: node.start(images), nodes.values()))
    running = Nodes(cluster, nodes)
    running.wait_ready()
    wait_for(lambda: cluster.get("serviceaccount", "default"), 60, "the service account that pods run as")
    return running


@contextmanager
def running(name: str) -> Iterator[Nodes]:
    """A cluster for as long as the block lasts; nothing is left of it, whatever happens."""
    try:
        yield create(name)
    finally:
        delete(name)


def delete(name: str) -> None:
    """End the cluster `name` and remove all that is left of it, whatever state it is in."""
    folder = folder_of(name)
    try:
        pid = int((folder / "pid").read_text())
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid and is_first(pid, control_plane_name(name)):
        kill(pid)
    cgroups.remove(name)
    shutil.rmtree(folder, ignore_errors=True)


def delete_leftovers(prefix: str) -> None:
    """Delete the clusters named <prefix><process id> whose process is gone: it was killed before it could tidy up."""
    for path in home().glob(f"{prefix}*"):
        owner = path.name.removeprefix(prefix)
        if owner.isdecimal() and not alive(int(owner)):
            delete(path.name)


def home() -> Path:
    """$XDG_STATE_HOME/haapp/nodes, by default ~/.local/state/haapp/nodes."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "haapp" / "nodes"


def folder_of(name: str) -> Path:
    """The folder of a cluster: kubeconfig, logs/, pki/, etcd/, and a folder for each node."""
    return home() / name


def control_plane_name(name: str) -> str:
    """What the machine with the control plane is called, as a process and as a cgroup."""
    return f"{name}/control-plane"


def _nodes(name: str, plane: control_plane.ControlPlane) -> dict[str, Node]:
    """A node in each zone, named after it, switched off."""
    addresses = {zone: network.Address(number) for number, zone in enumerate(ZONES, start=1)}
    return {
        zone: Node(
            name=zone,
            zone=zone,
            address=address,
            folder=plane.folder / zone,
            control_plane=plane,
            binaries=plane.binaries,
            group=f"{name}/{zone}",
            peers=[other for other in addresses.values() if other != address],
        )
        for zone, address in addresses.items()
    }


def _relay(machine: Machine, folder: Path) -> Path:
    """Open a door to the API server on the loopback; returns the kubeconfig for it."""
    port = free_port()
    command = [sys.executable, "-I", str(SOURCES / "devnodes" / "relay.py"), str(port), str(machine.pid), "6443"]
    spawn(command, folder / "logs" / "relay.log")
    return control_plane.write_kubeconfig(
        folder / "kubeconfig", f"https://127.0.0.1:{port}", folder / "pki", "admin", f"nodes-{folder.name}"
    )
