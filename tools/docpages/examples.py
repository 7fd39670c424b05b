"""An example of each field, read from examples.yaml: a value, and the app with which it is tried."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("examples.yaml")
Object = dict[str, Any]


@cache
def _parts() -> Mapping[str, Mapping[str, Any]]:
    parts: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return parts


def examples() -> Mapping[str, Any]:
    """The value for each path (`spec.zones.minDomains`; the entries of a list have the path of the list)."""
    return _parts()["examples"]


def as_line(path: str) -> str:
    """The example of a field as one line of YAML, without the fields above it."""
    value = {path.rpartition(".")[2]: examples()[path]}
    text: str = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10**6, sort_keys=False)
    return text.strip().removeprefix("{").removesuffix("}")


class _Dumper(yaml.SafeDumper):
    """Writes what is repeated out each time."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_app(path: str, lists: Collection[str]) -> Object:
    """A whole app with the example of a field of the spec in it; `lists` are the paths that hold lists of sections."""
    return {
        "apiVersion": "highavailability.dev/v1alpha1",
        "kind": "HighAvailabilityApp",
        "metadata": {"name": "example", "namespace": "default"},
        "spec": _section("spec", path, lists),
    }


def _section(at: str, path: str, lists: Collection[str]) -> Object:
    """The section `at`, with what the way to `path` needs there."""
    step = path.removeprefix(f"{at}.").partition(".")[0]
    below = f"{at}.{step}"
    value = examples()[path] if below == path else _section(below, path, lists)
    entry = [value] if below in lists and below != path else value
    return {**_parts()["within"].get(at, {}), **_parts()["beside"].get(below, {}), step: entry}
