"""Durations: what is read, what is refused, and that writing and reading agree."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haapp.api.durations import PATTERN, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 300), ("1h30m", 5400), ("90s", 90), ("0s", 0), ("1h1m1s", 3661), ("99999h", 359996400)]
)
def test_reads(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds
    assert re.search(PATTERN, text)


@pytest.mark.parametrize("text", ["", "5", "m", "5d", "-5m", "1.5h", "5m\n", "30s5m", "5 m", "100000h", "\u0665m"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="write 5m, 90s or 1h30m"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=359_996_400))
def test_reads_what_it_writes(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
