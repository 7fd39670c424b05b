"""A request's body says the same as JSON and as YAML: the API server reads a server-side apply's as YAML."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from haapp.cluster.client import encode

HOSTILE = [
    "\U0001f600",
    "\u0085 \u2028 \u2029",
    "\ufeff",
    "\ufffe\uffff",
    "\x7f\x80\x9f",
    "\x00\x01\x1f\t\n\r",
    "---\nkind: Other",
    "{{ x }} &a *b !!c",
    "'\"\\ # :",
    "\u00e9\u4e2d\u0627",
    "y",
    "null",
    "1e3",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_arrives(text: str) -> None:
    assert_arrives({"value": text, text: "key"})


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=20)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
        max_leaves=10,
    )
)
def test_anything_arrives(value: Any) -> None:
    assert_arrives(value)


def test_no_surrogate_is_escaped() -> None:
    """YAML knows no surrogate pairs: the server refuses an emoji that is escaped as JSON may have it."""
    assert b"\\ud" not in encode({"smile": "\U0001f600"})


def assert_arrives(value: Any) -> None:
    text = encode(value)
    assert json.loads(text) == value
    assert yaml.safe_load(text) == value
