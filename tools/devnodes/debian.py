"""A layer with servers from Debian's packages: nginx, Redis, PostgreSQL, and busybox for a shell."""

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.binaries import say
from devcluster.shell import run

from .host import apt_install
from .layers import Layer, write_layer

WANTED = ("busybox-static", "nginx", "redis-server", "redis-tools", "postgresql-15", "postgresql-client-15")
NEEDED = ("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "tzdata", "netbase")
"""What the wanted ones need beyond shared libraries."""
DISPENSABLE = ("libllvm", "libz3-", "libperl", "libpam-modules", "libc-", "liblocale", "libjson-perl", "libfile-")
"""Libraries that only a database that compiles its queries, or a package's installation, would load."""
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/lib/systemd", "etc/init.d")

USERS = {"root": 0, "www-data": 33, "postgres": 70, "redis": 999, "nobody": 65534}
FOLDERS = {"tmp": 0o1777, "var/tmp": 0o1777, "run": 0o755, "proc": 0o755, "sys": 0o755, "dev": 0o755, "root": 0o755}


def write_debian_layer(target: Path) -> None:
    """Fetch the packages with all that they depend on, and write those that are of use. Raises ClusterError."""
    with tempfile.TemporaryDirectory() as folder:
        packages = _fetch(Path(folder))
        say(f"nodes: packing {len(packages)} of Debian's packages into an image")
        with write_layer(target) as layer:
            layer.merge_usr()
            for package in packages:
                _add_package(layer, package)
            _add_basics(layer)
            _add_busybox(layer, next(package for package in packages if package.name.startswith("busybox")))


def _fetch(folder: Path) -> list[Path]:
    """The packages' files. apt is told of an empty system, so that it fetches what is installed here too."""
    say(f"nodes: fetching Debian's packages: {', '.join(WANTED)}")
    (folder / "partial").mkdir()
    (folder / "status").touch()
    options = {"Dir::State::status": folder / "status", "Dir::Cache::archives": folder, "Debug::NoLocking": "1"}
    flags = [f"--option={key}={value}" for key, value in options.items()]
    apt_install([*flags, "--download-only", *WANTED], timeout=600)
    return sorted(path for path in folder.glob("*.deb") if is_wanted(path.name.partition("_")[0]))


def is_wanted(package: str) -> bool:
    """Whether a package belongs into the image: what was asked for, and the libraries."""
    if package in WANTED or package in NEEDED:
        return True
    return package.startswith("lib") and not package.startswith(DISPENSABLE) and not package.endswith("-perl")


def _add_package(layer: Layer, package: Path) -> None:
    with _open(package) as archive:
        for member in archive:
            path = member.name.removeprefix("./").rstrip("/")
            if path.startswith(LEFT_OUT):
                continue
            layer.add(member, path, archive.extractfile(member) if member.isreg() else None)


@contextmanager
def _open(package: Path) -> Iterator[tarfile.TarFile]:
    """The files of a package, one after another."""
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive,
    ):
        yield archive


def _add_basics(layer: Layer) -> None:
    for path, mode in FOLDERS.items():
        layer.folder(path, mode)
    users = "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in USERS.items())
    groups = "".join(f"{name}:x:{number}:\n" for name, number in USERS.items())
    layer.file("etc/passwd", users.encode())
    layer.file("etc/group", groups.encode())


def _add_busybox(layer: Layer, package: Path) -> None:
    """busybox under the name of every tool that nothing else brings."""
    busybox = package.with_name("busybox")  # it goes by its name
    with _open(package) as archive:
        for member in archive:
            if member.name.endswith("bin/busybox") and (content := archive.extractfile(member)):
                busybox.write_bytes(content.read())
    busybox.chmod(0o755)
    for tool in run([str(busybox), "--list"], timeout=10).split():
        layer.link(f"usr/bin/{tool}", "busybox")
