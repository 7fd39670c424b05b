"""One real node: namespaces with containerd, a kubelet and kube-proxy in them."""

import json
from dataclasses import dataclass
from pathlib import Path

from devcluster.shell import wait_for

from . import cgroups, network, node_config
from .control_plane import INSIDE, ControlPlane, write_kubeconfig
from .images import Images
from .machine import ALL, Machine, boot, find
from .store import give

ZONE_KEY = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Node:
    """A node named after its zone, with its files in `folder`; off until it is started.

    What it has on its disk (images, containers that ran, volumes) outlives a loss, as on a real machine.
    """

    name: str
    zone: str
    address: network.Address
    control_plane: ControlPlane
    peers: tuple[network.Address, ...]

    @property
    def folder(self) -> Path:
        """Its disk, and its configuration."""
        return self.control_plane.folder / self.name

    @property
    def group(self) -> str:
        """The name of its machine, as a process and as a cgroup."""
        return f"{self.control_plane.folder.name}/{self.name}"

    @property
    def machine(self) -> Machine | None:
        """The machine while it is on."""
        return find(self.group, self.folder / "pid", ALL)

    def start(self, images: Images | None = None) -> None:
        """Switch it on; the first time with the images that are to be on its disk before anything may run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if images is not None:
            give(images.store, self.folder / "var" / "lib" / "containerd")
        inside = self.control_plane.machine
        arguments = ["--node", str(self.folder)]
        machine = boot(self.group, self.folder / "machine.log", ALL, arguments, inside=inside)
        (self.folder / "pid").write_text(str(machine.pid))
        network.connect(inside, machine, self.address, self.peers)
        self._start_containerd(machine)
        if images is not None:
            self._ctr(machine, "images", "import", str(images.operator))
        self._start_kubelet(machine)
        self._start_proxy(machine)

    def lose(self) -> None:
        """Cut the power: nothing on it ends in order, and nothing answers any more."""
        if (machine := self.machine) is not None:
            machine.kill()
        cgroups.remove(self.group)

    def reboot(self) -> None:
        """Cut the power and switch it on again."""
        self.lose()
        self.start()

    def partition(self) -> None:
        """Pull its cable: it goes on running, alone."""
        network.set_cable(self.control_plane.machine, self.address, plugged=False)

    def reconnect(self) -> None:
        """Plug its cable in again."""
        network.set_cable(self.control_plane.machine, self.address, plugged=True)

    def _start_containerd(self, machine: Machine) -> None:
        cni = self.folder / "cni"
        cni.mkdir(exist_ok=True)
        (cni / "10-pods.conflist").write_text(json.dumps(network.cni_config(self.address)))
        config = self.folder / "containerd.toml"
        config.write_text(node_config.containerd(self.control_plane.binaries.path("runc"), cni))
        self._start(machine, "containerd", f"--config={config}")
        wait_for(lambda: self._ctr(machine, "version"), 120, f"containerd on {self.name}")

    def _start_kubelet(self, machine: Machine) -> None:
        resolv_conf = self.folder / "resolv.conf"
        resolv_conf.touch()  # pods know the cluster's DNS and no other
        pki = self.control_plane.folder / "pki"
        config = self.folder / "kubelet.json"
        config.write_text(json.dumps(node_config.kubelet(pki / "ca.crt", resolv_conf)))
        self._start(
            machine,
            "kubelet",
            f"--config={config}",
            f"--kubeconfig={self._kubeconfig()}",
            f"--hostname-override={self.name}",
            f"--node-ip={self.address.node}",
            f"--node-labels={ZONE_KEY}={self.zone}",
        )

    def _start_proxy(self, machine: Machine) -> None:
        admin = self.control_plane.folder / "inside.kubeconfig"
        config = self.folder / "kube-proxy.json"
        config.write_text(json.dumps(node_config.kube_proxy(admin)))
        self._start(machine, "kube-proxy", f"--config={config}", f"--hostname-override={self.name}")

    def _start(self, machine: Machine, name: str, *arguments: str) -> None:
        log = self.control_plane.folder / "logs" / f"{self.name}-{name}.log"
        machine.start(
            log,
            self.control_plane.binaries.path(name),
            *arguments,
            environment={"PATH": self.control_plane.binaries.search_path},
        )

    def _ctr(self, machine: Machine, *arguments: str) -> str:
        ctr = self.control_plane.binaries.path("ctr")
        return machine.run(ctr, f"--address={node_config.SOCKET}", "--namespace=k8s.io", *arguments, timeout=300)

    def _kubeconfig(self) -> Path:
        pki = self.control_plane.folder / "pki"
        return write_kubeconfig(self.folder / "kubelet.kubeconfig", INSIDE, pki, self.name)
