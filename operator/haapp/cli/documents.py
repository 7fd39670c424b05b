"""Files, folders and standard input -> Kubernetes objects, read as kubectl reads them."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from haapp.api import jsontext
from haapp.api.names import API_VERSION, GROUP, KIND
from haapp.api.objects import Object
from haapp.cli import yamltext
from haapp.cli.errors import BadInput

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Document:
    """One object and where it came from. `node` tells the lines of its fields; JSON has none."""

    source: str
    object: Object
    node: yaml.Node | None = None

    @property
    def name(self) -> str:
        """The object's name, "" where it has none."""
        metadata = self.object.get("metadata")
        return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""

    def __str__(self) -> str:
        return f"{self.source}: {self.object['kind']} {self.name!r}"


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The `-f` that all commands share."""
    parser.add_argument(
        "-f",
        "--filename",
        dest="filenames",
        metavar="FILE|DIR|-",
        action="append",
        required=True,
        help="what to read: a file, a folder of *.yaml, *.yml and *.json files, or - for standard input; repeatable",
    )


def read_apps(filenames: Iterable[str]) -> tuple[Document, ...]:
    """The HighAvailabilityApps in what `-f` names; other kinds are passed over, as long as there is one app.

    Raises BadInput.
    """
    filenames = tuple(filenames)
    return apps_of(read_documents(filenames), filenames)


def apps_of(documents: tuple[Document, ...], filenames: Iterable[str]) -> tuple[Document, ...]:
    """The HighAvailabilityApps among documents that were read from `filenames`. Raises BadInput."""
    apps = tuple(filter(_is_app, documents))
    if not apps:
        kinds = sorted({str(document.object["kind"]) for document in documents})
        found = f"only {', '.join(kinds)}" if kinds else "nothing"
        raise BadInput(f"there is no {KIND} in {', '.join(filenames)}: {found} was found")
    return apps


def read_documents(filenames: Iterable[str]) -> tuple[Document, ...]:
    """Every object in what `-f` names. Raises BadInput."""
    return tuple(document for filename in filenames for document in _read(filename))


def in_namespace(obj: Object, namespace: str) -> Object:
    """The object, in that namespace if it names none itself."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("namespace"):
        return obj
    return {**obj, "metadata": {**metadata, "namespace": namespace}}


def _is_app(document: Document) -> bool:
    if document.object["kind"] != KIND:
        return False
    version = str(document.object.get("apiVersion"))
    if version.partition("/")[0] == GROUP and version != API_VERSION:
        raise BadInput(f"{document}: apiVersion {version} is unknown; write {API_VERSION}")
    return version == API_VERSION


def _read(filename: str) -> Iterator[Document]:
    if filename == STANDARD_INPUT:
        yield from _parse("standard input", sys.stdin.buffer.read())
        return
    path = Path(filename)
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise BadInput(f"{filename}: no *.yaml, *.yml or *.json file in this folder")
    for file in files:
        yield from _parse(str(file), _bytes(file))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{file}: no such file") from None
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}") from None


def _parse(source: str, content: bytes) -> Iterator[Document]:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{source}: not UTF-8: {error.reason} at byte {error.start}") from None
    for value, node in _values(source, text):
        if value is not None:
            yield from _objects(source, value, node)


def _objects(source: str, value: Any, node: yaml.Node | None) -> Iterator[Document]:
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or not value["kind"]:
        line = f"line {node.start_mark.line + 1}: " if node else ""
        raise BadInput(f"{source}: {line}not a Kubernetes object: it has no kind")
    if value["kind"] == "List" and isinstance(value.get("items"), list):
        nodes = _entries(node, "items")
        for index, item in enumerate(value["items"]):
            yield from _objects(source, item, nodes[index] if nodes else None)
        return
    yield Document(source, value, node)


def _entries(node: yaml.Node | None, key: str) -> list[yaml.Node]:
    for name, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if name.value == key and isinstance(value, yaml.SequenceNode):
            return list(value.value)
    return []


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        return jsontext.loads(text)


def _values(source: str, text: str) -> Iterator[tuple[Any, yaml.Node | None]]:
    if text.lstrip()[:1] == "{":
        try:
            yield _json(text), None
        except ValueError:
            pass
        else:
            return
    try:
        yield from yamltext.load_all(text)
    except yamltext.BrokenYAML as error:
        where = f"line {error.line}: " if error.line else ""
        raise BadInput(f"{source}: {where}broken YAML: {error}") from None
