"""From values to a Kubernetes object, through a jinja2 template that holds the YAML.

A value enters a template only through a filter; text that did not come from one is refused. A filter writes a value
in such a way that it cannot change the structure around it.
"""

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any, Final, Never

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from haapp.api.objects import Object

try:
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # PyYAML built without libyaml reads the same, only slower
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]


class Written(str):
    """Text that a filter wrote, fit to stand in a template's output."""

    __slots__ = ()


_BEYOND_JSON_IN_YAML: Final = re.compile("[\x7f\U00010000-\U0010ffff]")
"""What JSON writes bare or as a pair of surrogates, where YAML wants an escape of its own."""


def write_scalar(value: str | int | bool | None) -> Written:
    """JSON for one plain value that YAML 1.1 and 1.2 read as the same value."""
    if not isinstance(value, str):
        return Written(json.dumps(value))
    if _BEYOND_JSON_IN_YAML.search(value) is None:
        return Written(json.dumps(value))
    pieces = (json.dumps(piece)[1:-1] for piece in _BEYOND_JSON_IN_YAML.split(value))
    escapes = (f"\\U{ord(found):08x}" for found in _BEYOND_JSON_IN_YAML.findall(value))
    return Written('"' + next(pieces) + "".join(e + p for e, p in zip(escapes, pieces, strict=True)) + '"')


def write_json(value: Any) -> Written:
    """JSON for any value, safe in YAML.

    A mapping or list is one JSON document in a quoted scalar (`!json '...'`): it is read by the JSON parser, which
    is many times faster than YAML's and has no rules on indentation, anchors or types to fall over.
    """
    if value is None or isinstance(value, str | int):
        return write_scalar(value)
    text = json.dumps(value, allow_nan=False, default=_refuse_other).replace("\x7f", "\\u007f")
    return Written("!json '" + text.replace("'", "''") + "'")


def _refuse_other(value: Any) -> Never:
    # As text a value that the template misses raises jinja2's own error, with its name.
    raise TypeError(f"{value} is no JSON")


def _refuse_unfiltered(value: Any) -> Written:
    if isinstance(value, Written):
        return value
    raise TypeError(f"a template writes {value!r} without a filter")


class _Loader(_BaseLoader):
    """YAML's plain types, and `!json`."""


def _read_json(loader: _Loader, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise TypeError("!json stands before a quoted scalar")
    return json.loads(loader.construct_scalar(node))


_Loader.add_constructor("!json", _read_json)


def templates_folder() -> Path:
    """Where the templates are: in the installed package, or beside `operator/` in a source tree."""
    packaged = Path(str(resources.files("haapp"))) / "templates"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "templates"


_JINJA: Final = Environment(
    loader=FileSystemLoader(templates_folder()),
    undefined=StrictUndefined,
    finalize=_refuse_unfiltered,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
    autoescape=False,  # noqa: S701 - the output is YAML; `_refuse_unfiltered` is stricter than escaping
)
_JINJA.filters["json"] = write_json
add_filter = _JINJA.filters.setdefault


def fill_text(template: str, **values: Any) -> str:
    """The text of `template` with `values`; a value that the template misses raises jinja2's UndefinedError."""
    return _JINJA.get_template(template).render(values)


def fill(template: str, **values: Any) -> Object:
    """The object that `template` describes with `values`, which are JSON data."""
    loader = _Loader(fill_text(template, **values))
    try:
        node = loader.get_single_node()
        if node is None:
            raise TypeError(f"{template} describes nothing")
        filled: Object = _plain(loader, node)
    finally:
        loader.dispose()
    return filled


_TEXT: Final = "tag:yaml.org,2002:str"


def _plain(loader: _Loader, node: yaml.Node) -> Any:
    """What PyYAML constructs of a node, for the types that JSON has too; its own way, which is made for anchors and
    classes as well, takes three times as long."""
    if node.tag == _TEXT:
        return node.value
    if isinstance(node, yaml.MappingNode):
        return {_plain(loader, key): _plain(loader, value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item) for item in node.value]
    return loader.construct_object(node)
