"""From values to a Kubernetes object, through a jinja2 template that holds the YAML.

A value enters a template only through a filter; text that did not come from one is refused. In a template that becomes
an object, `json` writes no value at all: it leaves a slot, which is filled after the YAML was read. So no value can
change the structure around it, whatever it holds, and templates that come out alike are read only once. Other text
(`fill_text`) is written by filters that quote as its format wants it.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Never

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined, pass_context
from jinja2.runtime import Context

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


_SLOTS: Final = "_slots"
"""Under this name a template that becomes an object knows the values of its slots."""


@pass_context
def _json(context: Context, value: Any) -> Written:
    """The filter `json`: a slot for the value, or a plain value as JSON in text that is no object."""
    if isinstance(value, Undefined):
        raise TypeError(str(value))  # as text it raises jinja2's own error, with the name of what is missing
    slots: list[Any] | None = context.get(_SLOTS)
    if slots is None:
        return write_scalar(value)
    slots.append(_copied(value))
    return Written(f"{_SLOT_TAG} {len(slots) - 1}")


def _refuse_other(value: Any) -> Never:
    raise TypeError(f"{value!r} is no JSON")


_encode: Final = json.JSONEncoder(allow_nan=False, default=_refuse_other).encode


def _copied(value: Any) -> Any:
    """The value as the API server would see it: plain JSON types, shared with nobody."""
    kind = type(value)
    if value is None or kind in (str, bool, int):
        return value
    if kind in (list, tuple):
        return [_copied(part) for part in value]
    if kind is dict and all(type(key) is str for key in value):
        return {key: _copied(part) for key, part in value.items()}
    return json.loads(_encode(value))


def _refuse_unfiltered(value: Any) -> Written:
    if isinstance(value, Written):
        return value
    raise TypeError(f"a template writes {value!r} without a filter")


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
_JINJA.filters["json"] = _json
_JINJA.globals.clear()  # no template calls any of them, and every context would get its own copy
add_filter = _JINJA.filters.setdefault


def compile_all() -> None:
    """Compile every template, so that the first app that needs one does not wait for it."""
    for name in _JINJA.list_templates():
        _JINJA.get_template(name)


def fill_text(template: str, **values: Any) -> str:
    """The text of `template` with `values`; a value that the template misses raises jinja2's UndefinedError."""
    return _JINJA.get_template(template).render(values)


def fill(template: str, **values: Any) -> Object:
    """The object that `template` describes with `values`, which are JSON data."""
    slots: list[Any] = []
    filled: Object = _read(fill_text(template, **values, **{_SLOTS: slots}))(slots)
    return filled


_SLOT_TAG: Final = "!slot"

_Build = Callable[[list[Any]], Any]
"""Makes what a part of the YAML describes, given the values of all slots."""


class _Loader(_BaseLoader):
    """YAML's plain types, and slots."""


@lru_cache(maxsize=1024)
def _read(text: str) -> _Build:
    """What a template came out as: apps of one shape differ only in what is in the slots."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise TypeError("a template describes nothing")
        return _builder(loader, node)
    finally:
        loader.dispose()


def _builder(loader: _Loader, node: yaml.Node) -> _Build:
    if node.tag == _SLOT_TAG:
        number = int(node.value)
        return lambda slots: slots[number]
    if isinstance(node, yaml.MappingNode):
        items = [(_builder(loader, key), _builder(loader, value)) for key, value in node.value]
        return lambda slots: {key(slots): value(slots) for key, value in items}
    if isinstance(node, yaml.SequenceNode):
        parts = [_builder(loader, item) for item in node.value]
        return lambda slots: [part(slots) for part in parts]
    constant = loader.construct_object(node)
    return lambda _: constant
