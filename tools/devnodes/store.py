"""containerd's folder with all images unpacked: made once, and given to every node by hard links."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.binaries import say
from devcluster.shell import ClusterError, run, wait_for

from .binaries import Binaries

CONFIG = """version = 3
root = "{root}"
state = "{state}/state"
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"]
[grpc]
address = "{state}/socket"
[plugins.'io.containerd.internal.v1.opt']
path = "{state}/opt"
"""


def make_store(target: Path, archive: Path, binaries: Binaries) -> None:
    """Let a containerd that lives for this alone import `archive` (an OCI archive) into the folder `target`."""
    say("nodes: unpacking the images, once for all nodes")
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tempfile.TemporaryDirectory() as state, _containerd(partial, Path(state), binaries) as socket:
        ctr = [binaries.path("ctr"), f"--address={socket}", "--namespace=k8s.io"]
        wait_for(lambda: run([*ctr, "version"], timeout=10), 120, "a containerd to unpack images with")
        run([*ctr, "images", "import", str(archive)], timeout=600)
    partial.rename(target)


def give(store: Path, folder: Path) -> None:
    """Make `folder` a copy of a store. What containerd never changes is shared, the databases are copied."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        run(["cp", "--archive", "--link", str(store), str(folder)], timeout=300)
    except ClusterError:  # on another file system
        shutil.rmtree(folder, ignore_errors=True)
        run(["cp", "--archive", str(store), str(folder)], timeout=600)
    for database in folder.glob("io.containerd.*/*.db"):
        own = database.with_suffix(".own")
        shutil.copy2(database, own)
        own.replace(database)


@contextmanager
def _containerd(root: Path, state: Path, binaries: Binaries) -> Iterator[Path]:
    """A containerd without containers; its socket."""
    config = state / "config.toml"
    config.write_text(CONFIG.format(root=root, state=state))
    command = ["unshare", "--mount", binaries.path("containerd"), f"--config={config}"]
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield state / "socket"
        finally:
            process.terminate()
            process.wait(timeout=60)
