"""Create, find and delete embedded clusters. Several may run side by side, each with its own name, ports and folder."""

import json
import os
import shutil
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .binaries import ensure_control_plane, ensure_program, exclusive, say
from .config import AUDIT_POLICY, AUDIT_POLICY_FILE, NO_FLAGS, Flags, Object, kwokctl_config
from .shell import ClusterError, WaitError, alive, run, terminate, wait_for

__all__ = ["Cluster", "ClusterError", "WaitError", "create", "delete", "find", "use_context", "wait_for"]

STAGES = Path(__file__).parent / "stages"
CONTROLLERS = "kube-controller-manager"
CONTROLLERS_SECONDS = 120
ROOT_CA = "kube-root-ca.crt"
COMPLETE = "complete"
"""This file in a cluster's folder says that its creation was not cut short."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that can be talked to.

    `folder` holds the logs and process ids of an embedded cluster; it is None for a cluster of somebody else's.
    """

    context: str
    kubeconfig: Path
    kubectl_path: Path
    folder: Path | None = None

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run kubectl with `arguments` and return its output. Raises ClusterError with its complaint."""
        command = [str(self.kubectl_path), f"--kubeconfig={self.kubeconfig}", f"--context={self.context}"]
        # Not the user's own cache of what an address serves: the next cluster may have the same port.
        command.append(f"--cache-dir={self.kubeconfig.parent / 'kubectl-cache'}")
        return run([*command, *arguments], stdin=stdin, timeout=timeout)

    def get(self, *arguments: str) -> Any:
        """`kubectl get ... -o json`, parsed."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def apply(self, *objects: Object, server_side: bool = False) -> None:
        """`kubectl apply` of objects."""
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("apply", *(["--server-side"] if server_side else []), "-f", "-", stdin=body)

    def apply_stage(self, stage: str) -> None:
        """Install or replace a kwok Stage given as YAML; kwok follows it within a moment."""
        self.kubectl("apply", "-f", "-", stdin=stage)

    def install_crds(self, *manifests: Path) -> None:
        """Apply CRDs, wait until they are served, and let the garbage collector know of them at once.

        Left alone it looks for new kinds only every 30 s: until then a deleted owner leaves its children behind.
        """
        for manifest in manifests:
            self.kubectl("apply", "-f", str(manifest))
            named = self.kubectl("get", "-f", str(manifest), "-o", "name").split()
            for resource in (name.rpartition("/")[2] for name in named):
                wait_for(partial(self.is_served, resource), 30, f"an answer for {resource}")
        if self.folder is not None:
            self.kubectl("delete", "configmap", ROOT_CA, "--namespace=default", "--ignore-not-found")
            restart(self.folder, CONTROLLERS)
            await_controllers(self, self.folder)

    def is_served(self, resource: str) -> bool:
        """Whether objects of `resource` (plural.group) can be listed. Raises ClusterError while they cannot."""
        self.kubectl("get", resource, "--all-namespaces", "-o", "name")
        return True


def create(name: str, *, metrics: bool = False, flags: Flags = NO_FLAGS) -> Cluster:
    """Return the running cluster `name`, created without nodes if it does not run, with a metrics API and further flags
    of its components where asked for. Raises ClusterError, BuildError."""
    binaries = ensure_control_plane()
    metrics_server = ensure_program("metrics-server") if metrics else None
    kwok_home().mkdir(parents=True, exist_ok=True)
    with exclusive(kwok_home() / ".lock"):  # kwokctl picks free ports: not two at once
        if (running := find(name)) is not None:
            return running
        say(f"cluster: starting kwok-{name}: etcd, the control plane, kwok")
        delete(name)
        folder = folder_of(name)
        folder.mkdir(parents=True)
        write_json(folder / AUDIT_POLICY_FILE, AUDIT_POLICY)
        config = write_json(folder / "kwokctl.json", kwokctl_config(binaries, folder, metrics_server, flags))
        kwokctl("create", "cluster", f"--name={name}", f"--config={config}", "--kubeconfig=")
        cluster = embedded(name, binaries)
        wait_for(lambda: cluster.is_served("stages.kwok.x-k8s.io"), 30, "an answer for Stages")
        cluster.kubectl("create", "--validate=false", "-f", str(STAGES))
        await_controllers(cluster, folder)
        restart(folder, "kwok-controller")  # it has met the Stages' CRD missing, and would ask again in seconds
        (folder / COMPLETE).touch()
    return cluster


def find(name: str) -> Cluster | None:
    """The embedded cluster `name` if it was completed and its API server answers."""
    if not (folder_of(name) / COMPLETE).exists():
        return None
    cluster = embedded(name, ensure_control_plane())
    try:
        cluster.kubectl("get", "--raw=/readyz", timeout=5)
    except ClusterError:
        return None
    return cluster


def use_context(context: str) -> Cluster:
    """The cluster of a context in the user's kubeconfig, or of an embedded one.

    Raises ClusterError for every context that is not a throw-away cluster by its name.
    """
    if not context.startswith(("kind-", "kwok-")):
        raise ClusterError(
            f"context {context!r} is refused: this creates and deletes at will, "
            "and so only touches contexts named kind-... or kwok-..."
        )
    if (ours := find(context.removeprefix("kwok-"))) is not None:
        return ours
    kubectl = ensure_control_plane() / "kubectl"
    kubeconfig = kwok_home() / f"{context}.kubeconfig"
    kwok_home().mkdir(parents=True, exist_ok=True)
    view = ["config", "view", "--raw", "--flatten", "--minify", f"--context={context}"]
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(run([str(kubectl), *view], timeout=10))
    return Cluster(context, kubeconfig, kubectl)


def delete(name: str) -> None:
    """Stop the cluster `name` and remove all that is left of it, whatever state it is in."""
    folder = folder_of(name)
    for pid_file in (folder / "pids").glob("*.pid"):
        terminate(pid_file, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def delete_leftovers(prefix: str) -> None:
    """Delete the clusters named <prefix><process id> whose process is gone: it was killed before it could tidy up."""
    for name in names():
        owner = name.removeprefix(prefix)
        if name.startswith(prefix) and owner.isdecimal() and not alive(int(owner)):
            delete(name)


def names() -> list[str]:
    """The names of all embedded clusters of this user, running or not."""
    return sorted(path.name for path in (kwok_home() / "clusters").glob("*") if path.is_dir())


def restart(folder: Path, component: str) -> None:
    """Kill one component of the cluster in `folder` and start it again with the same flags."""
    terminate(folder / "pids" / f"{component}.pid", signal.SIGKILL)
    kwokctl("start", "cluster", f"--name={folder.name}")


def await_controllers(cluster: Cluster, folder: Path) -> None:
    """Wait until the controller manager works, which shows in a ConfigMap that it makes in every namespace.

    It gives up for good where the API server does not answer within ten seconds, as may be on a busy machine, and
    nobody else would start it again.
    """

    def works() -> str:
        pid_file = folder / "pids" / f"{CONTROLLERS}.pid"
        if not pid_file.exists() or not alive(int(pid_file.read_text())):
            restart(folder, CONTROLLERS)
        return cluster.kubectl("get", "configmap", ROOT_CA, "--namespace=default", "-o", "name")

    wait_for(works, CONTROLLERS_SECONDS, f"a {CONTROLLERS} that works", every=0.3)


def embedded(name: str, binaries: Path) -> Cluster:
    """The handle of an embedded cluster, running or not."""
    folder = folder_of(name)
    return Cluster(f"kwok-{name}", folder / "kubeconfig.yaml", binaries / "kubectl", folder)


def kwok_home() -> Path:
    """$XDG_STATE_HOME/haapp/kwok, by default ~/.local/state/haapp/kwok: what belongs to running clusters."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "haapp" / "kwok"


def folder_of(name: str) -> Path:
    """The folder of an embedded cluster: kubeconfig.yaml, logs/, pids/, pki/, etcd/."""
    return kwok_home() / "clusters" / name


def kwokctl(*arguments: str) -> str:
    """Run kwokctl on our own folder. Raises ClusterError."""
    return run([str(ensure_control_plane() / "kwokctl"), *arguments], {"KWOK_WORKDIR": str(kwok_home())}, timeout=120)


def write_json(path: Path, content: Object) -> Path:
    """Write `content` to `path` and return it."""
    path.write_text(json.dumps(content, indent=1))
    return path


def describe(cluster: Cluster) -> None:
    """Say how to look into the cluster."""
    say(f"export KUBECONFIG={cluster.kubeconfig}")
    say(f"{cluster.kubectl_path} get nodes -L topology.kubernetes.io/zone")
