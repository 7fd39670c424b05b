"""Write container images as one OCI archive, without a container engine.

The formats are the OCI image specification's; layers are not compressed, since they never travel.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from devcluster.config import Object

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MEDIA = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True)
class Image:
    """An image of these layers (tar files), the lowest first, under its full name with a tag."""

    name: str
    layers: tuple[Path, ...]
    entrypoint: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def write_archive(target: Path, images: Iterable[Image], known: Iterable[Path] = ()) -> None:
    """Write `images` into one archive for `ctr images import` or `kind load image-archive`.

    Layers that are `known` where it is imported are named and left out.
    """
    partial = target.with_suffix(".partial")
    written = {_digest(layer) for layer in known}
    manifests = []
    with tarfile.open(partial, "w") as archive:
        for image in images:
            layers = [_add_layer(archive, layer, written) for layer in image.layers]
            config = _add(
                archive, _json(_config(image, [layer["digest"] for layer in layers])), "config.v1+json", written
            )
            content = {"schemaVersion": 2, "mediaType": f"{MEDIA}.manifest.v1+json", "config": config, "layers": layers}
            manifest = _add(archive, _json(content), "manifest.v1+json", written)
            names = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name}
            manifests.append({**manifest, "platform": _platform(), "annotations": names})
        _put(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        index = {"schemaVersion": 2, "mediaType": f"{MEDIA}.index.v1+json", "manifests": manifests}
        _put(archive, "index.json", _json(index))
    partial.replace(target)


def _config(image: Image, layers: list[str]) -> Object:
    path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    environment = [f"{name}={value}" for name, value in {**path, **image.env}.items()]
    return {
        **_platform(),
        "config": {"Entrypoint": list(image.entrypoint) or None, "Env": environment},
        "rootfs": {"type": "layers", "diff_ids": layers},
    }


def _platform() -> Object:
    return {"os": "linux", "architecture": ARCHITECTURES[platform.machine()]}


def _add_layer(archive: tarfile.TarFile, layer: Path, written: set[str]) -> Object:
    digest = _digest(layer)
    if digest not in written:
        written.add(digest)
        member = tarfile.TarInfo(_blob(digest))
        member.size = layer.stat().st_size
        with layer.open("rb") as file:
            archive.addfile(member, file)
    return {"mediaType": f"{MEDIA}.layer.v1.tar", "digest": digest, "size": layer.stat().st_size}


def _add(archive: tarfile.TarFile, content: bytes, media: str, written: set[str]) -> Object:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if digest not in written:
        written.add(digest)
        _put(archive, _blob(digest), content)
    return {"mediaType": f"{MEDIA}.{media}", "digest": digest, "size": len(content)}


@cache
def _digest(layer: Path) -> str:
    with layer.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _put(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _json(content: Object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()
