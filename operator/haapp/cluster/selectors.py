"""LabelSelectors in the text form that a list request takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OPERATORS = {"In": "in", "NotIn": "notin"}


def selector_text(selector: Mapping[str, Any]) -> str:
    """`app=redis,role in (cache)` for a meta/v1 LabelSelector."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    parts += map(_expression, selector.get("matchExpressions") or ())
    return ",".join(parts)


def _expression(expression: Mapping[str, Any]) -> str:
    key, operator = expression["key"], expression["operator"]
    if operator in _OPERATORS:
        return f"{key} {_OPERATORS[operator]} ({','.join(expression.get('values') or ())})"
    return str(key) if operator == "Exists" else f"!{key}"
