"""The images that the nodes need: servers of Debian's, etcd, Envoy, this Python, the operator."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devcluster.binaries import cache_home, ensure_control_plane, exclusive, say
from devcluster.shell import run

from . import debian, envoy, python_runtime
from .binaries import Binaries
from .layers import write_layer
from .node_config import PAUSE_IMAGE
from .oci import Image, write_archive
from .store import make_store

OPERATOR_IMAGE = "docker.io/library/haapp-operator:0.1.0"
"""As manifests/base/deployment.yaml names it."""
DEBIAN = "haapp.test/debian:12"
NGINX = "haapp.test/nginx:1.22"
REDIS = "haapp.test/redis:7.0"
PYTHON = "haapp.test/python:3.11"
ETCD = "haapp.test/etcd:3"
ENVOY = "haapp.test/envoy:1.40"
SHIPPER = "haapp.test/stand-in-shipper:1"

SHIPPER_SCRIPT = Path(__file__).with_name("stand_in_shipper.py")

PYTHON_COMMAND = str(python_runtime.interpreter())
PACKAGES = {"PYTHONPATH": f"/{python_runtime.PACKAGES}", "PYTHONDONTWRITEBYTECODE": "1"}

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


@dataclass(frozen=True, slots=True)
class Images:
    """What a node gets: a folder for containerd with all images but the operator's, and an archive with that one."""

    store: Path
    operator: Path


def ensure_images(binaries: Binaries) -> Images:
    """Make what is not in the cache; only the operator's own layer is made every time."""
    folder = cache_home() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / ".lock"):
        layers = ensure_layers(folder)
        images = base_images(layers)
        key = hashlib.sha256(repr(images).encode()).hexdigest()[:16]
        store = folder / f"store-{key}"
        if not store.exists():
            for old in folder.glob("store-*"):
                shutil.rmtree(old)
            archive = folder / "base.tar"
            write_archive(archive, images)
            make_store(store, archive, binaries)
            archive.unlink()
        operator = folder / "operator-image.tar"
        write_archive(operator, [operator_image(layers)], known=layers.with_python)
    return Images(store, operator)


def write_all(target: Path) -> None:
    """One archive with every image but pause, for a cluster that brings its own nodes."""
    folder = cache_home() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / ".lock"):
        layers = ensure_layers(folder)
        write_archive(target, [*base_images(layers)[1:], operator_image(layers)])


@dataclass(frozen=True, slots=True)
class Layers:
    """The files of the layers."""

    pause: Path
    servers: Path
    python: Path
    etcd: Path
    envoy: Path
    shipper: Path
    operator: Path

    @property
    def with_python(self) -> tuple[Path, ...]:
        """What a program in Python stands on."""
        return (self.servers, self.python)


def ensure_layers(folder: Path) -> Layers:
    """Every layer, from the cache where nothing that it is made of has changed."""
    operator = folder / "operator.tar"
    python_runtime.write_operator_layer(operator)
    return Layers(
        pause=_layer(folder, "pause", PAUSE.encode(), _write_pause_layer),
        servers=_layer(folder, "debian", _source(debian.__file__), debian.write_debian_layer),
        python=_layer(folder, "python", python_key(), python_runtime.write_python_layer),
        etcd=_layer(folder, "etcd", str(ensure_control_plane()).encode(), _write_etcd_layer),
        envoy=_layer(folder, "envoy", envoy.REQUIREMENT.read_bytes(), envoy.write_envoy_layer),
        shipper=_layer(folder, "shipper", SHIPPER_SCRIPT.read_bytes(), _write_shipper_layer),
        operator=operator,
    )


def base_images(layers: Layers) -> list[Image]:
    """Every image but the operator's; pause comes first."""
    return [
        Image(PAUSE_IMAGE, (layers.pause,), ("/pause",)),
        Image(DEBIAN, (layers.servers,)),
        Image(NGINX, (layers.servers,), ("nginx", "-e", "stderr", "-g", "daemon off;")),
        Image(REDIS, (layers.servers,), ("redis-server",)),
        Image(ETCD, (layers.servers, layers.etcd), ("etcd",)),
        Image(ENVOY, (layers.servers, layers.envoy), ("envoy",)),
        Image(PYTHON, layers.with_python, (PYTHON_COMMAND,), PACKAGES),
        Image(SHIPPER, (*layers.with_python, layers.shipper), (PYTHON_COMMAND, "/usr/bin/shipper"), PACKAGES),
    ]


def operator_image(layers: Layers) -> Image:
    """The operator as it is in the source tree now."""
    return Image(OPERATOR_IMAGE, (*layers.with_python, layers.operator), ("haapp-operator",), PACKAGES)


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
        run(["gcc", "-Os", "-static", "-s", "-x", "c", "-o", str(binary), "-"], stdin=PAUSE, timeout=60)
        with write_layer(target) as layer:
            layer.copy(binary, "pause")


def _write_etcd_layer(target: Path) -> None:
    with write_layer(target) as layer:
        layer.copy(ensure_control_plane() / "etcd", "usr/bin/etcd")


def _write_shipper_layer(target: Path) -> None:
    with write_layer(target) as layer:
        layer.copy(SHIPPER_SCRIPT, "usr/bin/shipper")
