"""Checks of single values: texts, numbers, booleans, and Kubernetes' IntOrString and Quantity."""

import re
from collections.abc import Callable
from typing import Any, Final

from haapp.api import durations, markers
from haapp.api.errors import Errors
from haapp.api.objects import Object

Check = Callable[[Any, str, Errors], Any]

BOUNDS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
KINDS: Final = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    type(None): "null",
}
MEANT: Final = {
    durations.PATTERN: f"write a duration: {durations.EXAMPLE}",
    markers.LABEL_PATTERN: "write lower-case letters, digits and '-', with a letter or digit first and last",
    markers.PERCENT_PATTERN: "write a number, or a percentage from 0% to 100%",
    markers.ANY_PERCENT_PATTERN: "write a number, or a percentage such as 25%",
    markers.ENV_PATTERN: "write the name of an environment variable: letters, digits, '_', '-', '.', no digit first",
    "^/": "write an absolute path, beginning with /",
    "^[^/]": "write a path relative to the log directory, without / first",
    "^https?://[^\\s]+$": "write an address that begins with http:// or https://",
}
"""What to write where a pattern does not match; other patterns are shown as they are."""


def wrong_type(value: Any, wanted: type, path: str, errors: Errors) -> None:
    """Add the error for a value of another type. The value is not shown: it may be of any size."""
    found = KINDS.get(type(value), "something that JSON does not have")
    if wanted is str and isinstance(value, bool):
        message = "must be a text: put it in quotes (YAML reads bare words such as Off and No as true or false)"
    elif wanted is str and isinstance(value, int | float):
        message = "must be a text: put the number in quotes"
    else:
        message = f"must be {KINDS[wanted]}, not {found}"
    errors.add(path, message)


def scalar(schema: Object) -> Check:
    """The check for a text, a number or a boolean."""
    match schema["type"]:
        case "string":
            return _text(schema)
        case "integer":
            return _integer(schema)
        case "boolean":
            return _boolean
    return _number


def int_or_string(schema: Object) -> Check:
    """The check for a value that is a whole number or a text."""
    integer, text = _integer(schema), _text(schema)

    def check(value: Any, path: str, errors: Errors) -> Any:
        if isinstance(value, float) and not value.is_integer():
            return errors.add(path, "must be a whole number or a text: put the number in quotes")
        return text(value, path, errors) if isinstance(value, str) else integer(value, path, errors)

    return check


def _text(schema: Object) -> Check:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    allowed = schema.get("enum")
    pattern: str = schema.get("pattern", "")
    matches = _matcher(pattern) if pattern else None

    def check(value: Any, path: str, errors: Errors) -> Any:
        if not isinstance(value, str):
            return wrong_type(value, str, path, errors)
        if not value.isascii() and not _is_unicode(value):
            errors.add(path, "has half of a surrogate pair: write valid Unicode")
        if allowed is not None and value not in allowed:
            errors.add(path, f"write one of {', '.join(allowed)}")
        if len(value) < least:
            errors.add(path, f"is too short: write at least {least} character{'s' * (least > 1)}")
        elif most is not None and len(value) > most:
            errors.add(path, f"is too long: write at most {most} characters")
        elif matches is not None and not matches(value):
            errors.add(path, MEANT.get(pattern, f"must match {pattern}"), blocking=False)
        return value

    return check


def _matcher(pattern: str) -> Callable[[str], Any]:
    """Python's search for a pattern of Go's: there `$` is the very end, and `\\s` is ASCII."""
    text = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    return re.compile(text, re.ASCII).search


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _integer(schema: Object) -> Check:
    low, high = BOUNDS[schema.get("format", "int64")]
    low, high = max(low, schema.get("minimum", low)), min(high, schema.get("maximum", high))

    def check(value: Any, path: str, errors: Errors) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return wrong_type(value, int, path, errors)
        if value < low:
            errors.add(path, f"is too small: write at least {low}", blocking=False)
        elif value > high:
            errors.add(path, f"is too large: write at most {high}", blocking=False)
        return value

    return check


def _boolean(value: Any, path: str, errors: Errors) -> Any:
    return value if isinstance(value, bool) else wrong_type(value, bool, path, errors)


def _number(value: Any, path: str, errors: Errors) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else wrong_type(value, float, path, errors)
