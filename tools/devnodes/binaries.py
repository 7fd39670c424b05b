"""Find or build what a node runs beyond the control plane; built once and cached like that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.binaries import TOOLS, Mode, ensure_built, ensure_control_plane

KUBELET = "k8s.io/kubernetes/cmd"
CONTAINERD = "github.com/containerd/containerd/v2/cmd"

MODULES: Mapping[str, Mapping[str, str]] = {
    "kubelet": {name: f"{KUBELET}/{name}" for name in ("kubelet", "kube-proxy")},
    "containerd": {name: f"{CONTAINERD}/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
    "coredns": {"coredns": "."},
}
"""Go modules under tools/, and the binaries that each of them gives."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folders of the binaries."""

    folders: tuple[Path, ...]

    def path(self, name: str) -> str:
        """The path of one binary."""
        return str(next(folder / name for folder in self.folders if (folder / name).exists()))

    @property
    def search_path(self) -> str:
        """PATH with all of them: containerd looks for its shim and ctr there."""
        return ":".join([*map(str, self.folders), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])


def ensure_binaries() -> Binaries:
    """Build what is missing (minutes, the first time). Raises BuildError."""
    built = [ensure_built(TOOLS / module, packages) for module, packages in MODULES.items()]
    # Its start is written in C, and it filters system calls by libseccomp.
    runc = ensure_built(TOOLS / "runc", {"runc": "github.com/opencontainers/runc"}, Mode("seccomp", cgo=True))
    return Binaries((ensure_control_plane(), *built, runc))
