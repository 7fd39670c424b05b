"""Kubernetes resource quantities (`250m`, `1.5Gi`, `2e3`) as integers."""

import re
from decimal import Decimal
from math import ceil
from typing import Final

_SUFFIXES: Final = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)")


def milli_cpu(quantity: object) -> int:
    """CPU in thousandths of a core, rounded up as the scheduler does; 0 for what is no quantity."""
    return ceil(_value(quantity) * 1000)


def whole(quantity: object) -> int:
    """Bytes, or a count, rounded up; 0 for what is no quantity."""
    return ceil(_value(quantity))


def _value(quantity: object) -> Decimal:
    match = _QUANTITY.fullmatch(str(quantity)) if isinstance(quantity, str | int | float) else None
    if match is None:
        return Decimal(0)
    number, exponent, suffix = match.groups()
    return Decimal(number).scaleb(int(exponent)) if exponent else Decimal(number) * _SUFFIXES[suffix or ""]
