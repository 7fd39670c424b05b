"""`${NAME}` in an output's fields: the value of a variable of `logSidecar.env`, known only when the pod runs.

It means the same to every shipper and is written in the shipper's own syntax; fluentd's `#{ENV['NAME']}` is read too.
Of other code that a shipper would evaluate nothing gets through as such.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from haapp.render.errors import RenderError

_REFERENCE: Final = re.compile(r"""\$\{([^}]*)\}?|\#\{ENV\[(['"])([^]'"]*)\2\]\}""")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Variable:
    """A reference to an environment variable."""

    name: str


Parts = tuple[str | Variable, ...]
"""A text with references: literal pieces and variables in turn."""


def split_variables(text: str, known: Container[str], path: str) -> Parts:
    """The parts of `text`. Raises RenderError on a reference that is not closed, not named or not in `env`."""
    parts: list[str | Variable] = []
    end = 0
    for match in _REFERENCE.finditer(text):
        name = match[1]
        name = match[1] if match[3] is None else match[3]
        if not match[0].endswith("}") or _NAME.fullmatch(name) is None:
            raise RenderError(path, f"{match[0]!r} is no reference; write ${{NAME}} for a variable of logSidecar.env")
        if name not in known:
            raise RenderError(path, f"it refers to {name}; add that variable to spec.logSidecar.env")
        parts += [text[end : match.start()], Variable(name)]
        end = match.end()
    return tuple(part for part in (*parts, text[end:]) if part != "")
