"""JSON text to data and back, as fast as can be, where one object of any depth does not spoil all others.

What is too deep is cut out of the text before it is decoded: no decoder of Python takes the 10,000 levels that an API
server may send, and how many each takes depends on the version and on the thread's stack.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from haapp.api.nesting import LEFT, shallow

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]]', re.DOTALL)
"""A text, or what opens or closes a level. A text without an end goes to the very end: were it passed over, the time
for a line that is cut short would grow with the square of its length."""


def loads(text: bytes | str) -> Any:
    """The data; where it is nested too deeply for the decoder, with `null` for what is below LEFT levels.

    Raises ValueError (orjson.JSONDecodeError is one) for what is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        whole = text.encode() if isinstance(text, str) else text
        left = b"".join(_left(whole))
        if left == whole:
            raise
        return orjson.loads(left)


def dumps(value: Any, option: int | None = None) -> bytes:
    """The text; where the value is nested too deeply for the encoder, of what `shallow` leaves of it."""
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:
        return orjson.dumps(shallow(value), option=option)


def _left(text: bytes) -> Iterator[bytes]:
    """The pieces of the text with `null` for each object and list below LEFT levels."""
    level = kept = 0
    for token in _TOKEN.finditer(text):
        match text[token.start()]:
            case 0x5B | 0x7B:
                level += 1
                if level == LEFT + 1:
                    yield text[kept : token.start()]
                    yield b"null"
            case 0x5D | 0x7D:
                if level == LEFT + 1:
                    kept = token.end()
                level -= 1
    if level <= LEFT:
        yield text[kept:]
