"""Layers with this machine's Python, the operator's locked packages, and the operator as the wheel that is released."""

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from devcluster.shell import run

from .layers import Layer, write_layer

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements-runtime.lock"
PACKAGES = "opt/haapp"
"""Where the packages are in the image: on PYTHONPATH."""
LEFT_OUT = {"test", "tests", "site-packages", "idlelib", "ensurepip", "lib2to3", "turtledemo", "tkinter"}


def interpreter() -> Path:
    """This Python itself, outside of any virtual environment."""
    return Path(os.path.realpath(sys.executable))


def write_python_layer(target: Path) -> None:
    """Python at the same path as here, with the packages of the lock and the shared libraries of all of them."""
    files = {path: str(path) for path in _standard_library()}
    files |= {source: f"{PACKAGES}/{path}" for path, source in _locked_packages()}
    files[interpreter()] = str(interpreter())
    binaries = [path for path in files if path.suffix == ".so" or path == interpreter()]
    files |= {Path(os.path.realpath(library)): str(library) for library in _shared_libraries(binaries)}
    with write_layer(target) as layer:
        for source, path in files.items():
            _add_with_bytecode(layer, source, path)


def write_operator_layer(target: Path) -> None:
    """The operator's wheel, unpacked, and its command."""
    with tempfile.TemporaryDirectory() as folder:
        hatchling = Path(sys.executable).with_name("hatchling")
        run(
            ["env", f"--chdir={REPOSITORY}", str(hatchling), "build", "--target=wheel", f"--directory={folder}"],
            timeout=120,
        )
        (wheel,) = Path(folder).glob("*.whl")
        with write_layer(target) as layer, zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                layer.file(f"{PACKAGES}/{name}", archive.read(name))
            layer.file("usr/bin/haapp-operator", _command(), 0o755)


def _command() -> bytes:
    return f"#!{interpreter()}\nimport sys\n\nfrom haapp.main import main\n\nsys.exit(main())\n".encode()


def _standard_library() -> Iterator[Path]:
    for folder, folders, files in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith(("config-", "__py"))]
        yield from (Path(folder, name) for name in files)


def _locked_packages() -> Iterator[tuple[str, Path]]:
    """Each file of the packages that the lock names: its path as installed, and where it is here."""
    for name in re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.MULTILINE):
        try:
            files = importlib.metadata.distribution(name).files or []
        except importlib.metadata.PackageNotFoundError:  # meant for another platform
            continue
        for file in files:
            if ".." not in file.parts:  # a command of the package
                yield str(file), Path(str(file.locate()))


def _shared_libraries(binaries: Iterable[Path]) -> set[str]:
    """The shared libraries that the dynamic linker would load for these files, as it names them."""
    listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"=> (/\S+) \(", listed))


def _add_with_bytecode(layer: Layer, source: Path, path: str) -> None:
    """A file, and what Python has compiled of it here: it is valid as long as the file is as new as here."""
    layer.copy(source, path)
    if source.suffix == ".py":
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if compiled.exists():
            layer.copy(compiled, f"{Path(path).parent}/__pycache__/{compiled.name}")
