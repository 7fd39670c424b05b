"""Kubernetes' selectors and tolerations over labels and taints, by the API's own rules."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

BLOCKING_EFFECTS: Final = ("NoSchedule", "NoExecute")

Labels = Mapping[str, str]


def selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Whether a meta/v1 LabelSelector matches; an empty one matches everything."""
    exact = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in exact.items()) and _all(
        selector.get("matchExpressions"), labels
    )


def node_terms_match(terms: Iterable[Mapping[str, Any]], name: str, labels: Labels) -> bool:
    """Whether any of a NodeSelector's `nodeSelectorTerms` matches a node; an empty term matches none."""
    return any(
        (term.get("matchExpressions") or term.get("matchFields"))
        and _all(term.get("matchExpressions"), labels)
        and _all(term.get("matchFields"), {"metadata.name": name})
        for term in terms
    )


def tolerated(taint: tuple[str, str, str], tolerations: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a taint (key, value, effect) keeps no pod with these tolerations away."""
    return taint[2] not in BLOCKING_EFFECTS or any(_tolerates(item, taint) for item in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: tuple[str, str, str]) -> bool:
    key, value, effect = taint
    if (toleration.get("effect") or effect) != effect or (toleration.get("key") or key) != key:
        return False
    operator = toleration.get("operator") or "Equal"
    return operator == "Exists" or (operator == "Equal" and (toleration.get("value") or "") == value)


def _all(expressions: Iterable[Mapping[str, Any]] | None, labels: Labels) -> bool:
    return all(_matches(expression, labels) for expression in expressions or ())


def _matches(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, values = str(expression.get("key")), expression.get("values") or ()
    match expression.get("operator"):
        case "In" | "Exists" as operator:
            return key in labels and (operator == "Exists" or labels[key] in values)
        case "NotIn" | "DoesNotExist" as operator:
            return key not in labels or (operator == "NotIn" and labels[key] not in values)
        case "Gt":
            return _compare(labels.get(key), values) > 0
        case "Lt":
            return _compare(labels.get(key), values) < 0
    return False


def _compare(label: str | None, values: Any) -> int:
    """1, -1 or 0 as the label is greater than, less than or neither than the one value; 0 for what is no number."""
    try:
        difference = int(label or "") - int(values[0])
    except (ValueError, IndexError):
        return 0
    return (difference > 0) - (difference < 0)
