"""Where in a YAML text a field stands."""

import re
from typing import Final

import yaml

_STEP: Final = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


def line_of(root: yaml.Node | None, path: str) -> int:
    """The line, from 1, of `path` (`spec.initSteps[1].name`), or of the nearest field above it that is there.

    1 where the document has no lines of its own (JSON).
    """
    if root is None:
        return 1
    node, line = root, root.start_mark.line
    for bracketed, name in _STEP.findall(path):
        found = _below(node, bracketed or name)
        if found is None:
            break
        node, line = found
    return int(line) + 1


def _below(node: yaml.Node, step: str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((value, key.start_mark.line) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        entry = node.value[int(step)]
        return entry, entry.start_mark.line
    return None
