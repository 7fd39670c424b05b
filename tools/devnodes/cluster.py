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
from . import machine as machines
from .binaries import ensure_binaries
from .host import install_packages, obstacle
from .images import ensure_images
from .machine import SHARED, Machine, boot
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
    images = ensure_images(binaries)
    delete(name)
    folder = folder_of(name)
    (folder / "logs").mkdir(parents=True)
    machine = boot(control_plane_name(name), folder / "machine.log", SHARED, ["--stay"] if stay else [])
    (folder / "pid").write_text(str(machine.pid))
    network.create_bridge(machine)
    control_plane.write_pki(folder / "pki", list(ZONES))
    plane = control_plane.ControlPlane(machine, folder, binaries)
    plane.start()
    _open_relay(machine, folder)
    cluster = Cluster(f"nodes-{name}", folder / "kubeconfig", Path(binaries.path("kubectl")))
    wait_for(lambda: cluster.kubectl("get", "--raw=/readyz", timeout=5), 120, f"an API server (logs in {folder}/logs)")
    nodes = _nodes(plane)
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


def find(name: str) -> Nodes | None:
    """The cluster `name` if it runs."""
    folder = folder_of(name)
    machine = machines.find(control_plane_name(name), folder / "pid", SHARED)
    if machine is None:
        return None
    binaries = ensure_binaries()
    cluster = Cluster(f"nodes-{name}", folder / "kubeconfig", Path(binaries.path("kubectl")))
    return Nodes(cluster, _nodes(control_plane.ControlPlane(machine, folder, binaries)))


def delete(name: str) -> None:
    """End the cluster `name` and remove all that is left of it, whatever state it is in."""
    folder = folder_of(name)
    machine = machines.find(control_plane_name(name), folder / "pid", SHARED)
    if machine is not None:
        machine.kill()
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


def _nodes(plane: control_plane.ControlPlane) -> dict[str, Node]:
    """A node in each zone, named after it."""
    addresses = {zone: network.Address(number) for number, zone in enumerate(ZONES, start=1)}
    return {
        zone: Node(zone, zone, address, plane, tuple(other for other in addresses.values() if other != address))
        for zone, address in addresses.items()
    }


def _open_relay(machine: Machine, folder: Path) -> None:
    """Open a door to the API server on the loopback, and write the kubeconfig for it."""
    port = free_port()
    script = str(machines.SOURCES / "devnodes" / "relay.py")
    command = [sys.executable, "-I", script, str(port), str(machine.pid), str(control_plane.PORT)]
    machines.spawn(command, folder / "logs" / "relay.log")
    server, context = f"https://127.0.0.1:{port}", f"nodes-{folder.name}"
    control_plane.write_kubeconfig(folder / "kubeconfig", server, folder / "pki", "admin", context)
