"""YAML read as kubectl reads it, and written so that kubectl reads back the same."""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

_GO_INT: Final = re.compile(r"[-+]?(0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)$")
_GO_FLOAT: Final = re.compile(
    r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
)
_GO_SHORT_BOOL: Final = re.compile(r"[yYnN]$")
_NUMBER_STARTS: Final = list("-+.0123456789")
_NOT_GO: Final = frozenset(f"tag:yaml.org,2002:{tag}" for tag in ("timestamp", "int", "float", "value"))
_MERGE: Final = "tag:yaml.org,2002:merge"


class BrokenYAML(Exception):
    """Text that is no YAML; `line` counts from 1, 0 where it is not known."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.line = line


def load_all(text: str) -> Iterator[tuple[Any, yaml.Node]]:
    """Each document's value, and its node, which knows the lines. Raises BrokenYAML."""
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            yield loader.construct_document(node), node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BrokenYAML(str(error.problem), mark.line + 1 if mark else 0) from None
    except RecursionError:
        raise BrokenYAML("it is nested too deeply to be read") from None
    except (yaml.YAMLError, ValueError) as error:
        raise BrokenYAML(str(error).partition("\n")[0]) from None
    finally:
        loader.dispose()


def dump(value: object) -> str:
    """One document's text, keys in their own order, texts of several lines as blocks."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False
    )
    return text


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A date stays text, 1:30 is no number, a key is text, and a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key = _key(self.construct_object(key_node, deep=True))
            if key in seen:
                problem = f"the key {key!r} stands twice in one mapping"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return {_key(key): value for key, value in super().construct_mapping(node, deep).items()}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes what Go would take for a number or a truth value, and repeats what YAML would alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _NOT_GO]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver("tag:yaml.org,2002:int", _GO_INT, _NUMBER_STARTS)
    _class.add_implicit_resolver("tag:yaml.org,2002:float", _GO_FLOAT, _NUMBER_STARTS)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", _GO_SHORT_BOOL, list("yYnN"))
_Dumper.add_representer(str, _text)
