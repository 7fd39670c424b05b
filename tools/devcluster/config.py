"""What kwokctl is told: a control plane on this machine alone, quick to react, with RBAC and an audit log."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

Object = dict[str, Any]

RUNNING_LABEL = "kwok.x-k8s.io/kubelet"
"""Nodes with the value `running` have a kubelet; without the label the machine is switched off."""

METRICS_API = Path(__file__).parent / "metrics"

AUDIT_POLICY_FILE = "audit-policy.json"
AUDIT_POLICY: Object = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "namespaces": ["kube-node-lease"]},
        {"level": "Metadata"},
    ],
}

COMPONENT_FLAGS: dict[str, dict[str, str]] = {
    # A cluster that may be thrown away at any time need not survive a power cut.
    "etcd": {"unsafe-no-fsync": "true"},
    # The default range has room for 254 Services, and the default audit log is rotated at 100 MB, while it is read.
    "kube-apiserver": {"service-cluster-ip-range": "10.96.0.0/12", "audit-log-maxsize": "100000"},
    "kube-controller-manager": {
        "leader-elect": "false",
        "node-monitor-period": "1s",
        # By default pods leave lost nodes at one node per ten seconds.
        "node-eviction-rate": "10",
        "secondary-node-eviction-rate": "10",
        "horizontal-pod-autoscaler-sync-period": "2s",
        "horizontal-pod-autoscaler-downscale-stabilization": "10s",
        "horizontal-pod-autoscaler-cpu-initialization-period": "5s",
        "horizontal-pod-autoscaler-initial-readiness-delay": "2s",
    },
    "kube-scheduler": {"leader-elect": "false"},
    "kwok-controller": {
        "cidr": "10.244.0.1/16",
        "manage-all-nodes": "false",
        "manage-nodes-with-label-selector": f"{RUNNING_LABEL}=running",
    },
}


Flags = Mapping[str, Mapping[str, str]]
"""Command line flags by component."""

NO_FLAGS: Flags = MappingProxyType({})


def kwokctl_config(binaries: Path, folder: Path, metrics_server: Path | None = None, flags: Flags = NO_FLAGS) -> Object:
    """The KwokctlConfiguration of a cluster in `folder`, which holds AUDIT_POLICY_FILE; `flags` come on top of ours.

    `binaries` is the folder with the control plane. With the path of a metrics-server there is also a metrics API; what
    a pod uses it states itself, by the annotations kwok.x-k8s.io/usage-cpu and kwok.x-k8s.io/usage-memory.
    """
    options: Object = {
        "runtime": "binary",
        "bindAddress": "127.0.0.1",
        "securePort": True,
        "kubeAuthorization": True,
        "kubeAdmission": True,
        "kubeAuditPolicy": str(folder / AUDIT_POLICY_FILE),
        "enableCRDs": ["Stage"],
        "etcdBinary": str(binaries / "etcd"),
        "kubeApiserverBinary": str(binaries / "kube-apiserver"),
        "kubeControllerManagerBinary": str(binaries / "kube-controller-manager"),
        "kubeSchedulerBinary": str(binaries / "kube-scheduler"),
        "kubectlBinary": str(binaries / "kubectl"),
        "kwokControllerBinary": str(binaries / "kwok"),
    }
    all_flags: dict[str, Mapping[str, str]] = dict(COMPONENT_FLAGS)
    if metrics_server is not None:
        options |= {
            "enable": ["metrics-server"],
            "metricsServerBinary": str(metrics_server),
            "metricsServerManifests": [str(METRICS_API)],
            # kwokctl keeps what it once read of the manifests: keep it no longer than the cluster.
            "cacheDir": str(folder / "cache"),
        }
        all_flags["metrics-server"] = {"metric-resolution": "10s", "kubelet-request-timeout": "5s"}
    for component, more in flags.items():
        all_flags[component] = {**all_flags.get(component, {}), **more}
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": options,
        "componentsPatches": [component_patch(name, values) for name, values in all_flags.items()],
    }


def component_patch(name: str, flags: Mapping[str, str]) -> Object:
    """kwokctl's form for further flags of one component; a repeated flag wins over kwokctl's own."""
    return {"name": name, "extraArgs": [{"key": key, "value": value} for key, value in flags.items()]}
