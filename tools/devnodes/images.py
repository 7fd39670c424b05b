"""The images that the nodes need, as one archive: servers of Debian's, this Python, the operator."""

import hashlib
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from devcluster.binaries import cache_home, ensure_control_plane, exclusive, say

from . import debian, python_runtime
from .layers import write_layer
from .node_config import PAUSE_IMAGE
from .oci import Image, write_archive

OPERATOR_IMAGE = "docker.io/library/haapp-operator:0.1.0"
"""As manifests/base/deployment.yaml names it."""
DEBIAN = "haapp.test/debian:12"
NGINX = "haapp.test/nginx:1.22"
REDIS = "haapp.test/redis:7.0"
PYTHON = "haapp.test/python:3.11"
ETCD = "haapp.test/etcd:3"

PAUSE = """
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
/* The first process of a pod: ends when told to, and collects what ends in it. */
static void end(int number) { (void)number; _exit(0); }
static void collect(int number) { (void)number; while (waitpid(-1, 0, WNOHANG) > 0) {} }
int main(void) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  signal(SIGCHLD, collect);
  for (;;) pause();
}
"""


def ensure_images() -> Path:
    """The archive with all images, made if need be; layers that did not change are taken from the cache."""
    folder = cache_home() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / ".lock"):
        servers = _layer(folder, "debian", _source(debian.__file__), debian.write_debian_layer)
        python = _layer(folder, "python", python_key(), python_runtime.write_python_layer)
        pause = _layer(folder, "pause", PAUSE.encode(), _write_pause_layer)
        etcd = _layer(folder, "etcd", str(ensure_control_plane()).encode(), _write_etcd_layer)
        operator = folder / "operator.tar"
        python_runtime.write_operator_layer(operator)
        archive = folder / "images.tar"
        write_archive(archive, images(pause, servers, python, operator, etcd))
    return archive


def images(pause: Path, servers: Path, python: Path, operator: Path, etcd: Path) -> list[Image]:
    """Every image, of these layers."""
    with_python = (servers, python)
    packages = {"PYTHONPATH": f"/{python_runtime.PACKAGES}", "PYTHONDONTWRITEBYTECODE": "1"}
    return [
        Image(PAUSE_IMAGE, (pause,), ("/pause",)),
        Image(DEBIAN, (servers,)),
        Image(NGINX, (servers,), ("nginx", "-e", "stderr", "-g", "daemon off;")),
        Image(REDIS, (servers,), ("redis-server",)),
        Image(ETCD, (servers, etcd), ("etcd",)),
        Image(PYTHON, with_python, (str(python_runtime.interpreter()),), packages),
        Image(OPERATOR_IMAGE, (*with_python, operator), ("haapp-operator",), packages),
    ]


def python_key() -> bytes:
    """Changes when the layer with Python has to be made anew."""
    return b"\0".join(
        (str(python_runtime.interpreter()).encode(), python_runtime.LOCK.read_bytes(), _source(python_runtime.__file__))
    )


def _layer(folder: Path, name: str, key: bytes, write: Callable[[Path], None]) -> Path:
    """A layer from the cache, or made now."""
    target = folder / f"{name}-{hashlib.sha256(key).hexdigest()[:16]}.tar"
    if not target.exists():
        say(f"nodes: making the image layer {name}")
        for old in folder.glob(f"{name}-*.tar"):
            old.unlink()
        write(target)
    return target


def _source(module: str) -> bytes:
    return Path(module).read_bytes()


def _write_pause_layer(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder, "pause")
        command = ["gcc", "-Os", "-static", "-s", "-x", "c", "-o", str(binary), "-"]
        subprocess.run(command, input=PAUSE.encode(), check=True)
        with write_layer(target) as layer:
            layer.copy(binary, "pause")


def _write_etcd_layer(target: Path) -> None:
    with write_layer(target) as layer:
        layer.copy(ensure_control_plane() / "etcd", "usr/bin/etcd")
