"""A LabelSelector as the text of a list request, which the API server reads back as the same one."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haapp.cluster.selectors import selector_text


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({}, ""),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchLabels": {"a": ""}}, "a="),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "y"]}]}, "a in (x,y)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}, "a notin (x)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        ({"matchExpressions": [{"key": "a/b", "operator": "DoesNotExist"}]}, "!a/b"),
        (
            {"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]},
            "a=1,b",
        ),
    ],
)
def test_each_form(selector: dict[str, Any], text: str) -> None:
    assert selector_text(selector) == text


KEYS = st.from_regex(r"\A[a-z]([a-z0-9-]{0,5}[a-z0-9])?\Z")
LABELS = st.dictionaries(KEYS, KEYS, max_size=3)
EXPRESSIONS = st.lists(
    st.one_of(
        st.builds(lambda k, o: {"key": k, "operator": o}, KEYS, st.sampled_from(["Exists", "DoesNotExist"])),
        st.builds(
            lambda k, o, v: {"key": k, "operator": o, "values": v},
            KEYS,
            st.sampled_from(["In", "NotIn"]),
            st.lists(KEYS, min_size=1, max_size=3),
        ),
    ),
    max_size=3,
)


def selects(text: str, labels: dict[str, str]) -> bool:
    """The API server's reading of the text."""
    return all(_holds(term, labels) for term in re.split(r",(?![^(]*\))", text) if term)


def _holds(term: str, labels: dict[str, str]) -> bool:
    if listed := re.fullmatch(r"(\S+) (in|notin) \((.*)\)", term):
        key, how, values = listed.groups()
        return (labels.get(key) in values.split(",")) is (how == "in")
    if term.startswith("!"):
        return term[1:] not in labels
    key, equals, value = term.partition("=")
    return labels.get(key) == value if equals else key in labels


def meant(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """A LabelSelector by its definition."""
    tests = {
        "In": lambda e: labels.get(e["key"]) in e["values"],
        "NotIn": lambda e: labels.get(e["key"]) not in e["values"],
        "Exists": lambda e: e["key"] in labels,
        "DoesNotExist": lambda e: e["key"] not in labels,
    }
    return selector["matchLabels"].items() <= labels.items() and all(
        tests[expression["operator"]](expression) for expression in selector["matchExpressions"]
    )


@given(LABELS, EXPRESSIONS, LABELS)
def test_it_selects_what_is_meant(
    match: dict[str, str], expressions: list[dict[str, Any]], more: dict[str, str]
) -> None:
    selector = {"matchLabels": match, "matchExpressions": expressions}
    for labels in (more, {**more, **match}):
        assert selects(selector_text(selector), labels) == meant(selector, labels)
