"""Write the layers of images: tar files with everything owned by root."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that are links into /usr."""


class Layer:
    """A layer that is being written; nothing is written twice to the same path."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._names: set[str] = set()

    def add(self, member: tarfile.TarInfo, path: str, content: IO[bytes] | None = None) -> None:
        """Put a member of another archive at `path`, which may go through a folder that is merged into /usr."""
        member.name = merged(path)
        if member.name in ("", ".", *MERGED) or member.name in self._names:
            return
        if member.islnk():
            member.linkname = merged(member.linkname)
        self._names.add(member.name)
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        self._archive.addfile(member, content)

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """A file with this content."""
        member = tarfile.TarInfo()
        member.size, member.mode = len(content), mode
        self.add(member, path, io.BytesIO(content))

    def folder(self, path: str, mode: int = 0o755) -> None:
        """An empty folder."""
        member = tarfile.TarInfo()
        member.type, member.mode = tarfile.DIRTYPE, mode
        self.add(member, path)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        member = tarfile.TarInfo()
        member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, target
        self.add(member, path)

    def copy(self, source: Path, path: str) -> None:
        """A file of this machine (the file itself where it is a link), as new as it is here."""
        found = source.stat()
        member = tarfile.TarInfo()
        member.size, member.mode, member.mtime = found.st_size, found.st_mode & 0o777 | 0o444, int(found.st_mtime)
        with source.open("rb") as content:
            self.add(member, path, content)

    def merge_usr(self) -> None:
        """The links into /usr."""
        for name in MERGED:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, f"usr/{name}"
            self._archive.addfile(member)
            self.folder(f"usr/{name}")


@contextmanager
def write_layer(target: Path) -> Iterator[Layer]:
    """A new layer that appears at `target` when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive:
        yield Layer(archive)
    partial.replace(target)


def merged(path: str) -> str:
    """A path from the root without a leading slash, through /usr where folders are merged into it."""
    parts = PurePosixPath("/", path).parts[1:]
    if len(parts) > 1 and parts[0] in MERGED:
        parts = ("usr", *parts)
    return "/".join(parts)
