"""One network: a bridge, a cable to each node, a range of pod addresses per node, and static routes between them."""

from dataclasses import dataclass

from devcluster.shell import run

from .machine import Machine

BRIDGE = "br0"
GATEWAY = "10.200.0.1"
"""The control plane's address, and the bridge's."""
SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
KUBERNETES = "10.96.0.1"
"""The Service `kubernetes`: the first address of SERVICES."""


@dataclass(frozen=True, slots=True)
class Address:
    """What the node of this number (1 to 99) is reached by."""

    number: int

    @property
    def node(self) -> str:
        """Its own address."""
        return f"10.200.0.{100 + self.number}"

    @property
    def ethernet(self) -> str:
        """Its network card's address. It stays over a reboot, as others remember it for half a minute."""
        return f"02:00:0a:c8:00:{self.number:02d}"

    @property
    def pods(self) -> str:
        """The range of its pods' addresses."""
        return f"10.244.{self.number}.0/24"

    @property
    def cable(self) -> str:
        """The bridge's end of its cable."""
        return f"node{self.number}"


def create_bridge(control_plane: Machine) -> None:
    """The network without a node."""
    _ip(
        control_plane,
        f"link add {BRIDGE} type bridge",
        f"address add {GATEWAY}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    )


def connect(control_plane: Machine, node: Machine, address: Address, others: tuple[Address, ...]) -> None:
    """Plug a node in, and tell it the way to the pods of the others."""
    _ip(
        control_plane,
        f"link add {address.cable} type veth peer name eth0 address {address.ethernet} netns {node.pid}",
        f"link set {address.cable} master {BRIDGE} up",
        f"route replace {address.pods} via {address.node}",
    )
    _ip(
        node,
        f"address add {address.node}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {GATEWAY}",
        *(f"route add {other.pods} via {other.node}" for other in others),
    )


def set_cable(control_plane: Machine, address: Address, *, plugged: bool) -> None:
    """Cut a node off from everything, or let it in again."""
    _ip(control_plane, f"link set {address.cable} {'up' if plugged else 'down'}")


def cni_config(address: Address) -> dict[str, object]:
    """What containerd connects pods by: a bridge on the node."""
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": address.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": ipam,
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}


def _ip(machine: Machine, *commands: str) -> None:
    """Run commands of `ip` on a machine's network; a process id in them is the host's."""
    inside = ["nsenter", f"--target={machine.pid}", "--net", "ip", "-batch", "-"]
    run(inside, stdin="\n".join(commands), timeout=60)
