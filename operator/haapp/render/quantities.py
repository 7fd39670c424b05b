"""Kubernetes quantities (`128Mi`, `1.5G`, `1e3`) as whole numbers."""

import re
from fractions import Fraction
from typing import Final

from haapp.render.errors import RenderError

_QUANTITY: Final = re.compile(
    r"([+]?\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:([eE][+-]?\d{1,2})|([KMGTPE]i|[numkMGTPE]))?", re.ASCII
)
MAX_INT64: Final = 2**63 - 1
_UNITS: Final = {
    **{unit: Fraction(1, 1000**power) for power, unit in enumerate(["", "m", "u", "n"])},
    **{unit: Fraction(1000**power) for power, unit in enumerate(["", "k", "M", "G", "T", "P", "E"])},
    **{unit: Fraction(1024**power) for power, unit in enumerate(["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])},
}


def whole(quantity: str | int, path: str) -> int:
    """The quantity as a number, rounded up as Kubernetes does. Raises RenderError on anything else."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise RenderError(path, f"{quantity!r} is not a quantity; write for example 128Mi")
    number, exponent, unit = match.groups()
    value = Fraction(number) * _UNITS[unit or ""] * Fraction(f"1{exponent or ''}")
    rounded = -(-value.numerator // value.denominator)
    if rounded > MAX_INT64:
        raise RenderError(path, f"{quantity!r} is more than any machine has; write for example 128Mi")
    return rounded
