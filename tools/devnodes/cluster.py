"""A control plane and three real nodes in three zones; several may run side by side, each with its own name."""

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
from devcluster.shell import ClusterError, wait_for

from . import cgroups, control_plane, network, trial
from . import machine as machines
from .binaries import Binaries, ensure_binaries
from .host import install_packages, obstacles
from .images import Images, ensure_images
from .machine import SHARED, Machine, boot
from .node import Node
from .places import folder_of, leftovers

PATIENCE = 240.0
"""Seconds for what takes a few on a quiet machine."""
LAST_LINES = 4


@dataclass(frozen=True, slots=True)
class Parts:
    """What a cluster is made of."""

    binaries: Binaries
    images: Images


@dataclass(frozen=True, slots=True)
class Nodes:
    """A running cluster of real nodes, by name."""

    cluster: Cluster
    nodes: dict[str, Node]

    def wait_ready(self, *names: str, timeout: float = PATIENCE) -> None:
        """Wait until these nodes (by default all) are Ready."""
        wanted = set(names or self.nodes)
        wait_for(lambda: wanted <= ready_nodes(self.cluster), timeout, f"{', '.join(sorted(wanted))} Ready")


def prepare() -> Parts:
    """Install, build and pack what a cluster is made of, as far as it is not there.

    Raises ClusterError and BuildError, with a line for each reason where this computer cannot do it.
    """
    if reasons := obstacles():
        raise ClusterError("; ".join(reasons))
    install_packages()
    if reasons := trial.failures():
        raise ClusterError("; ".join(reasons))
    binaries = ensure_binaries()
    return Parts(binaries, ensure_images(binaries))


def create(name: str, *, stay: bool = False) -> Nodes:
    """Start the cluster `name` afresh. It ends with this process unless it is to stay.

    Raises ClusterError and BuildError as `prepare` does, or with the end of each log.
    """
    parts = prepare()
    delete(name)
    try:
        return _start(name, parts, ["--stay"] if stay else [])
    except ClusterError as error:
        raise ClusterError(f"{error}\n{_last_words(folder_of(name))}") from error


def _start(name: str, parts: Parts, flags: list[str]) -> Nodes:
    folder = folder_of(name)
    (folder / "logs").mkdir(parents=True)
    machine = boot(control_plane_name(name), folder / "machine.log", SHARED, flags)
    (folder / "pid").write_text(str(machine.pid))
    network.create_bridge(machine)
    control_plane.write_pki(folder / "pki", list(ZONES))
    plane = control_plane.ControlPlane(machine, folder, parts.binaries)
    plane.start()
    _open_relay(machine, folder)
    nodes = _nodes(plane)
    wait_for(lambda: nodes.cluster.kubectl("get", "--raw=/readyz", timeout=5), PATIENCE, "an API server")
    with ThreadPoolExecutor(len(nodes.nodes)) as pool:
        list(pool.map(lambda node: node.start(parts.images), nodes.nodes.values()))
    nodes.wait_ready()
    wait_for(lambda: nodes.cluster.get("serviceaccount", "default"), PATIENCE, "the account that pods run as")
    return nodes


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
    return _nodes(control_plane.ControlPlane(machine, folder, ensure_binaries()))


def delete(name: str) -> None:
    """End the cluster `name` and remove all that is left of it, whatever state it is in."""
    folder = folder_of(name)
    machine = machines.find(control_plane_name(name), folder / "pid", SHARED)
    if machine is not None:
        machine.kill()
    cgroups.remove(name)
    shutil.rmtree(folder, ignore_errors=True)


def delete_leftovers(prefix: str) -> None:
    """Delete the clusters named <prefix><process id> whose process is gone."""
    for name in leftovers(prefix):
        delete(name)


def control_plane_name(name: str) -> str:
    """What the machine with the control plane is called, as a process and as a cgroup."""
    return f"{name}/control-plane"


def _nodes(plane: control_plane.ControlPlane) -> Nodes:
    """The cluster with a node in each zone, named after it."""
    addresses = {zone: network.Address(number) for number, zone in enumerate(ZONES, start=1)}
    nodes = {
        zone: Node(zone, zone, address, plane, tuple(other for other in addresses.values() if other != address))
        for zone, address in addresses.items()
    }
    kubectl = Path(plane.binaries.path("kubectl"))
    return Nodes(Cluster(f"nodes-{plane.folder.name}", plane.folder / "kubeconfig", kubectl), nodes)


def _last_words(folder: Path) -> str:
    """The end of each log."""
    logs = [folder / "machine.log", *sorted(folder.glob("*/machine.log")), *sorted(folder.glob("logs/*.log"))]
    return "\n".join(f"{log.relative_to(folder)}: {line}" for log in logs for line in _end_of(log))


def _end_of(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []


def _open_relay(machine: Machine, folder: Path) -> None:
    """Open a door to the API server on the loopback, and write the kubeconfig for it."""
    port = free_port()
    script = str(machines.SOURCES / "devnodes" / "relay.py")
    command = [sys.executable, "-I", script, str(port), str(machine.pid), str(control_plane.PORT)]
    machines.spawn(command, folder / "logs" / "relay.log")
    server, context = f"https://127.0.0.1:{port}", f"nodes-{folder.name}"
    control_plane.write_kubeconfig(folder / "kubeconfig", server, folder / "pki", "admin", context)
