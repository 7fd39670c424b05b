"""etcd, the API server, the controllers, the scheduler and a DNS server, on a network of their own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.config import Object

from . import pki
from .binaries import Binaries
from .machine import Machine
from .network import GATEWAY, KUBERNETES, SERVICES

PORT = 6443
INSIDE = f"https://{GATEWAY}:{PORT}"
"""The API server as the nodes reach it."""
LOST_AFTER_SECONDS = 16
"""How long a silent node is still taken for Ready."""

COREFILE = """.:53 {
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig %s
  }
}
"""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The control plane on `machine`, with its files in `folder`."""

    machine: Machine
    folder: Path
    binaries: Binaries

    def start(self) -> None:
        """Start every part; they wait for each other."""
        folder = self.folder
        admin = write_kubeconfig(folder / "inside.kubeconfig", INSIDE, folder / "pki", "admin")
        corefile = folder / "Corefile"
        corefile.write_text(COREFILE % admin)
        self._start("etcd", etcd_flags(folder / "etcd"))
        self._start("kube-apiserver", api_server_flags(folder / "pki"))
        self._start("kube-controller-manager", controller_flags(folder / "pki", admin))
        leading = {"kubeconfig": str(admin), "leader-elect": "false", "bind-address": "127.0.0.1"}
        self._start("kube-scheduler", leading)
        self._start("coredns", {"conf": str(corefile)})

    def _start(self, name: str, flags: Mapping[str, str]) -> None:
        log = self.folder / "logs" / f"{name}.log"
        self.machine.start(log, self.binaries.path(name), *(f"--{key}={value}" for key, value in flags.items()))


def write_pki(folder: Path, nodes: list[str]) -> None:
    """All certificates and keys of a cluster with these nodes."""
    folder.mkdir(parents=True)
    authority = pki.create_authority(folder)
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    authority.sign("apiserver", "kube-apiserver", names=("localhost", "127.0.0.1", GATEWAY, KUBERNETES, *service))
    authority.sign("admin", "admin", "system:masters")
    for node in nodes:
        authority.sign(node, f"system:node:{node}", "system:nodes")
    pki.write_service_account_keys(folder)


def write_kubeconfig(path: Path, server: str, folder: Path, user: str, context: str = "nodes") -> Path:
    """A kubeconfig for one of the users that `write_pki` signed, which reaches the API server at `server`."""
    cluster = {"server": server, "certificate-authority": str(folder / "ca.crt")}
    keys = {"client-certificate": str(folder / f"{user}.crt"), "client-key": str(folder / f"{user}.key")}
    config: Object = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": user, "user": keys}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        "current-context": context,
    }
    path.write_text(json.dumps(config, indent=1))
    return path


def etcd_flags(data: Path) -> dict[str, str]:
    """One member that forgets nothing but a power cut."""
    url = "http://127.0.0.1:2379"
    return {
        "data-dir": str(data),
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": "http://127.0.0.1:2380",
        "unsafe-no-fsync": "true",
    }


def api_server_flags(pki_folder: Path) -> dict[str, str]:
    """Certificates, RBAC with the node authorizer, and the addresses of Services."""
    return {
        "etcd-servers": "http://127.0.0.1:2379",
        "advertise-address": GATEWAY,
        "secure-port": str(PORT),
        "tls-cert-file": f"{pki_folder}/apiserver.crt",
        "tls-private-key-file": f"{pki_folder}/apiserver.key",
        "client-ca-file": f"{pki_folder}/ca.crt",
        "kubelet-client-certificate": f"{pki_folder}/admin.crt",
        "kubelet-client-key": f"{pki_folder}/admin.key",
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-key-file": f"{pki_folder}/sa.pub",
        "service-account-signing-key-file": f"{pki_folder}/sa.key",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-cluster-ip-range": SERVICES,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
    }


def controller_flags(pki_folder: Path, kubeconfig: Path) -> dict[str, str]:
    """Every controller, quick to notice a lost node."""
    return {
        "kubeconfig": str(kubeconfig),
        "service-account-private-key-file": f"{pki_folder}/sa.key",
        "root-ca-file": f"{pki_folder}/ca.crt",
        "use-service-account-credentials": "true",
        "leader-elect": "false",
        "node-monitor-grace-period": f"{LOST_AFTER_SECONDS}s",
        "node-monitor-period": "2s",
        "bind-address": "127.0.0.1",
    }
