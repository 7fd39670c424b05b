"""`python -m release.bundle`: what is installed by a release, in dist/, each file named with the version.

The CRD, both ways of installing by kubectl, and the Helm chart. The wheel and the bill of materials are made beside it.
"""

import shutil
import subprocess
import tomllib
from pathlib import Path

from devcluster.binaries import ensure_control_plane, ensure_program, say

ROOT = Path(__file__).resolve().parents[2]
MODES = ("cluster-wide", "namespaced")


def bundle(target: Path, version: str) -> tuple[Path, ...]:
    """Write the files and return them. Raises BuildError where kubectl or helm cannot be built."""
    target.mkdir(exist_ok=True)
    crd = target / f"haapp-crds-{version}.yaml"
    shutil.copy(ROOT / "crds" / "highavailabilityapps.yaml", crd)
    built = [built_by_kustomize(mode, target / f"haapp-operator-{mode}-{version}.yaml") for mode in MODES]
    subprocess.run(
        [ensure_program("helm"), "package", ROOT / "charts" / "haapp-operator", "--destination", target],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return (crd, *built, target / f"haapp-operator-{version}.tgz")


def built_by_kustomize(mode: str, file: Path) -> Path:
    """What `kubectl apply -k manifests/<mode>` would apply, as one file."""
    command = [str(ensure_control_plane() / "kubectl"), "kustomize", str(ROOT / "manifests" / mode)]
    with file.open("w") as output:
        subprocess.run(command, check=True, stdout=output)
    return file


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for path in bundle(ROOT / "dist", project["version"]):
        say(str(path.relative_to(ROOT)))
