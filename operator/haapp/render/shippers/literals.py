"""Values in each shipper's own syntax, so that no text can break out of its place.

Each writer takes a plain text, which means itself, or the `Parts` of a text with references to variables.
"""

import re
from typing import Final

from haapp.render.errors import RenderError
from haapp.render.shippers.variables import Parts, Variable
from haapp.render.templating import Written, write_scalar

_FLUENTD_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "#": "\\#", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b"}
)
_QUOTE: Final = re.compile(r"(\\[^'])|\\?'", re.DOTALL)
"""An escaped character other than a quote (which stays), or a quote with or without a backslash before it."""
_LONE_BACKSLASH: Final = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")


def write_fluent_bit(value: str | Parts) -> Written:
    """A YAML scalar. fluent-bit replaces ${NAME} in every value and has no escape for it, so it cannot be meant."""
    parts = _parts(value)
    for part in parts:
        if isinstance(part, str) and "${" in part:
            raise RenderError("spec.logSidecar", f"fluent-bit takes ${{ in {part!r} for a variable; write it without")
    return write_scalar("".join(f"${{{part.name}}}" if isinstance(part, Variable) else part for part in parts))


def write_vector(value: str | Parts) -> Written:
    """A YAML scalar. Vector replaces $NAME and ${NAME} in the whole file; $$ stands for a dollar sign."""
    parts = _parts(value)
    texts = (f"${{{part.name}}}" if isinstance(part, Variable) else part.replace("$", "$$") for part in parts)
    return write_scalar("".join(texts))


def write_fluentd(value: str | Parts) -> Written:
    """A double-quoted string of fluentd's, where only #{...} is evaluated; it has no escape for other characters."""
    parts = _parts(value)
    texts = (
        f"#{{ENV['{part.name}']}}" if isinstance(part, Variable) else part.translate(_FLUENTD_ESCAPES) for part in parts
    )
    return Written('"' + "".join(texts) + '"')


def write_vrl_regex(expression: str) -> Written:
    """A regular expression of the Vector Remap Language, for a text that goes through `write_vector` afterwards.

    Within r'...' only a quote could end it, so a quote is written by its code.
    """
    if _LONE_BACKSLASH.search(expression):
        raise RenderError(
            "spec.logSidecar.sources", f"{expression!r} ends within an escape; write \\\\ for a backslash"
        )
    return Written("r'" + _QUOTE.sub(lambda found: found[0] if found[1] else "\\x27", expression) + "'")


def _parts(value: str | Parts) -> Parts:
    return (value,) if isinstance(value, str) else value
