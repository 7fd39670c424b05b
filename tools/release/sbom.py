"""The software bill of materials of the operator, as CycloneDX JSON, from requirements-runtime.lock.

`python -m release.sbom` prints it. What the lock names is in the image, and nothing else; licences and what needs what
are read from the installed packages. Equal input gives equal output: there is no time in it and no random number.
"""

import json
import re
import tomllib
import uuid
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata, requires
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$", re.MULTILINE)
SUBJECT = "haapp-operator"
SHORT = 40
"""Some packages have the whole text in the field."""
IMAGE: dict[str, str | AbstractSet[str]] = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "python_version": "3.11",
    "extra": "admission",
}
"""The environment that the image has, for the lock's markers."""

Object = dict[str, Any]


def applies(marker: str | None) -> bool:
    """Whether a package with that marker is in the image."""
    return marker is None or Marker(marker).evaluate(IMAGE)


def locked(text: str) -> dict[str, str]:
    """Name to version of what the lock installs in the image."""
    return {found["name"]: found["version"] for found in LOCKED.finditer(text) if applies(found["marker"])}


def needs(name: str) -> Iterator[str]:
    """The packages that a package asks for. Nothing where it is not installed here."""
    try:
        wanted = requires(name) or ()
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, wanted):
        if applies(str(requirement.marker) if requirement.marker else None):
            yield canonicalize_name(requirement.name)


def licences(name: str) -> list[Object]:
    """The package's licence as an SPDX expression, or as the words that it has; empty where it says nothing short."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return []
    if expression := field(told, "License-Expression"):
        return [{"expression": expression}]
    if 0 < len(words := field(told, "License")) <= SHORT:
        return [{"license": {"name": words}}]
    names = [it.rpartition(" :: ")[2] for it in told.get_all("Classifier", []) if it.startswith("License :: ")]
    return [{"license": {"name": licence}} for licence in names]


def field(told: PackageMetadata, name: str) -> str:
    """A field of a package's metadata; empty where there is none."""
    return str((told.get_all(name) or [""])[0])


def component(name: str, version: str, kind: str) -> Object:
    """A package. Its purl names it wherever it comes from."""
    purl = f"pkg:pypi/{name}@{version}"
    told: Object = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return {**told, "licenses": found} if (found := licences(name)) else told


def sbom(lock: str, version: str) -> Object:
    """The bill for the operator of that version with the packages of the lock (its text)."""
    versions = locked(lock)
    subject = component(SUBJECT, version, "application")
    parts = [component(name, number, "library") for name, number in sorted(versions.items())]
    references = {part["name"]: part["bom-ref"] for part in [subject, *parts]}
    bill: Object = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": parts,
        "dependencies": [
            {"ref": ref, "dependsOn": sorted({references[it] for it in needs(name) if it in references and it != name})}
            for name, ref in references.items()
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True))
    return {"bomFormat": bill.pop("bomFormat"), "serialNumber": f"urn:uuid:{serial}", **bill}


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    print(json.dumps(sbom((ROOT / "requirements-runtime.lock").read_text(), project["version"]), indent=2))
