"""Fake nodes: machines in zones that can be added, removed, switched off and on, and tainted."""

import json
from dataclasses import dataclass, field

from .cluster import Cluster
from .config import RUNNING_LABEL, Object
from .shell import wait_for

ZONES = ("zone-a", "zone-b", "zone-c")
ZONE_KEY = "topology.kubernetes.io/zone"
FAKE = "kwok.x-k8s.io/node"
"""The annotation by which kwok knows the nodes that it plays."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A node to be; `name` is also its hostname label."""

    name: str
    zone: str
    region: str = "region-1"
    instance_type: str = "standard-8"
    cpu: str = "8"
    memory: str = "32Gi"
    pods: str = "110"
    labels: dict[str, str] = field(default_factory=dict)

    def manifest(self) -> Object:
        """The Node as it registers, switched on."""
        resources = {"cpu": self.cpu, "memory": self.memory, "pods": self.pods}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "annotations": {
                    FAKE: "fake",
                    "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{self.name}/metrics/resource",
                },
                "labels": {
                    "kubernetes.io/hostname": self.name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "node.kubernetes.io/instance-type": self.instance_type,
                    "topology.kubernetes.io/region": self.region,
                    ZONE_KEY: self.zone,
                    RUNNING_LABEL: "running",
                    **self.labels,
                },
            },
            "status": {"capacity": resources, "allocatable": resources},
        }


def machines(per_zone: int = 2, zones: tuple[str, ...] = ZONES) -> list[Machine]:
    """Equal machines in each zone, named after it: zone-a-1, zone-a-2, zone-b-1, ..."""
    return [Machine(f"{zone}-{number}", zone) for zone in zones for number in range(1, per_zone + 1)]


def add_nodes(cluster: Cluster, *new: Machine, timeout: float = 60) -> None:
    """Register nodes (those that exist are left) and wait until all are Ready and may be scheduled to."""
    existing = set(node_names(cluster))
    missing = [machine.manifest() for machine in new if machine.name not in existing]
    if missing:
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": missing})
        cluster.kubectl("create", "-f", "-", stdin=body, timeout=timeout)
    wanted = {machine.name for machine in new}
    wait_for(lambda: wanted <= ready_nodes(cluster), timeout, f"Ready on {', '.join(sorted(wanted))}")


def are_fake(cluster: Cluster) -> bool:
    """Whether every node is kwok's: its pods run at once, whatever their image. Raises ClusterError."""
    found = cluster.get("nodes")["items"]
    return all(node["metadata"].get("annotations", {}).get(FAKE) == "fake" for node in found)


def delete_node(cluster: Cluster, name: str) -> None:
    """Remove a machine for good, and its pods as the cloud's clean-up would."""
    set_node_ready(cluster, name, ready=False)
    cluster.kubectl("delete", "node", name)
    for namespace, pod in pods_on(cluster, name):
        cluster.kubectl("delete", "pod", pod, "-n", namespace, "--grace-period=0", "--force", "--ignore-not-found")


def set_node_ready(cluster: Cluster, name: str, *, ready: bool) -> None:
    """Switch a machine on or off, and wait until the cluster has noticed.

    Off means off: its kubelet is silent (so a pod deleted there stays Terminating until the machine is back), the node
    is Ready=Unknown and its pods Ready=False, as the node controller writes it after its grace period. The node
    controller then adds the unreachable taints by itself.
    """
    if ready:
        cluster.kubectl("label", "node", name, f"{RUNNING_LABEL}=running", "--overwrite")
        wait_for(lambda: name in ready_nodes(cluster), 30, f"node {name} back to Ready")
        return
    cluster.kubectl("label", "node", name, f"{RUNNING_LABEL}-")
    patch_condition(cluster, ("node", name), "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    for namespace, pod in pods_on(cluster, name):
        patch_condition(cluster, ("pod", pod, "-n", namespace), "False", "NodeNotReady", "")
    wait_for(lambda: "unreachable" in str(taints(cluster, name)), 30, f"the unreachable taint on {name}")


def set_zone_ready(cluster: Cluster, zone: str, *, ready: bool) -> None:
    """Switch all machines of a zone on or off."""
    for name in node_names(cluster, zone):
        set_node_ready(cluster, name, ready=ready)


def taint(cluster: Cluster, name: str, value: str) -> None:
    """Add a taint written as for kubectl (`key=value:NoSchedule`), or remove it (`key:NoSchedule-`)."""
    cluster.kubectl("taint", "node", name, value, "--overwrite")


def node_names(cluster: Cluster, zone: str | None = None) -> list[str]:
    """The names of all nodes, or of those in one zone."""
    selector = [f"--selector={ZONE_KEY}={zone}"] if zone else []
    return cluster.kubectl("get", "nodes", *selector, "-o", "jsonpath={.items[*].metadata.name}").split()


def ready_nodes(cluster: Cluster) -> set[str]:
    """The names of the nodes that are Ready and not tainted as otherwise."""
    return {node["metadata"]["name"] for node in cluster.get("nodes")["items"] if is_ready(node)}


def is_ready(node: Object) -> bool:
    """Whether a Node is Ready and carries no taint that the node controller sets on one that is not."""
    conditions = {item["type"]: item["status"] for item in node["status"].get("conditions", [])}
    keys = [item["key"] for item in node["spec"].get("taints", [])]
    return conditions.get("Ready") == "True" and not any(key.startswith("node.kubernetes.io/") for key in keys)


def taints(cluster: Cluster, name: str) -> list[Object]:
    """The taints of a node."""
    found: list[Object] = cluster.get("node", name)["spec"].get("taints", [])
    return found


def pods_on(cluster: Cluster, node: str) -> list[tuple[str, str]]:
    """(namespace, name) of each pod on a node."""
    items = cluster.get("pods", "-A", f"--field-selector=spec.nodeName={node}")["items"]
    return [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in items]


def patch_condition(cluster: Cluster, target: tuple[str, ...], status: str, reason: str, message: str) -> None:
    """Set the condition Ready in the status of an object named as for kubectl."""
    condition = {"type": "Ready", "status": status, "reason": reason, "message": message}
    patch = json.dumps({"status": {"conditions": [condition]}})
    cluster.kubectl("patch", *target, "--subresource=status", "--type=strategic", "-p", patch)
