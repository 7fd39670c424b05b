"""YAML as kubectl reads it: what Go's parser and Python's disagree on, and what must not pass in silence."""

import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from haapp.cli import yamltext


def load(text: str) -> object:
    return next(yamltext.load_all(text))[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-31", "2026-01-31"),
        ("1:30", "1:30"),
        ("=", "="),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("0644", 0o644),
        ("0o17", 0o17),
        ("0x1f", 0x1F),
        ("yes", True),
        ("~", None),
        ("250m", "250m"),
        ("'12'", "12"),
    ],
)
def test_scalars_mean_what_they_mean_to_kubectl(text: str, value: object) -> None:
    assert load(text) == value


def test_keys_are_text() -> None:
    assert load("{8080: a, on: b}") == {"8080": "a", "true": "b"}


@pytest.mark.parametrize("text", ["a: 1\nb:\n  c: 1\n  c: 2\n", "{8080: a, '8080': b}"])
def test_a_key_that_stands_twice_is_an_error_with_its_line(text: str) -> None:
    with pytest.raises(yamltext.BrokenYAML, match="stands twice") as error:
        load(text)
    assert error.value.line == text.count("\n", 0, text.rindex("c" if "c" in text else "8080")) + 1


def test_merge_keys_still_work() -> None:
    assert load("- &a {x: 1, y: 2}\n- {<<: *a, y: 3}\n") == [{"x": 1, "y": 2}, {"x": 1, "y": 3}]


@pytest.mark.parametrize("text", ["a: [1\n", "a:\n\tb: 1\n", "a: *nowhere\n", "!!python/object:os.system {}\n", "\x00"])
def test_broken_yaml_is_told_in_one_line(text: str) -> None:
    with pytest.raises(yamltext.BrokenYAML) as error:
        load(text)
    assert "\n" not in str(error.value)


def test_dumped_keys_keep_their_order_and_blocks_stay_blocks() -> None:
    text = yamltext.dump({"kind": "ConfigMap", "data": {"a.conf": "x\ny\n"}})
    assert text == "kind: ConfigMap\ndata:\n  a.conf: |\n    x\n    y\n"


def test_what_stands_twice_is_written_twice() -> None:
    shared = {"app": "redis"}
    assert "*" not in yamltext.dump({"a": shared, "b": shared})


@pytest.mark.parametrize(
    "text", ["1e3", "y", "N", "0o7", "12", "1:30", "2026-01-31", "yes", "null", "1_000", "0x1f", ""]
)
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert yamltext.dump({"value": text}).removeprefix("value: ")[0] in "'\""


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.text(string.digits + "+-.:_eExoyn"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_what_is_dumped_is_read_back(value: object) -> None:
    text = yamltext.dump(value)
    assert load(text) == value
    assert yaml.safe_load(text) == value
