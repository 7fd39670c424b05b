"""No value can change the structure of a template's YAML, and every value arrives as it is."""

import json
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from haapp.render import templating
from haapp.render.templating import Written, fill, fill_text, write_scalar

texts = st.text(st.characters(codec="utf-8"), max_size=40)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
TRAPS = [
    "yes",
    "1e3",
    "~",
    "",
    "- a",
    "a: b",
    "&a",
    "*a",
    "{{ x }}",
    "{% x %}",
    "---",
    "...",
    "!x",
    "# c",
    "\x7f",
    "😀",
]
TRAPS += ["it's", '"', "\\", "a\nb", "\r\n", "\t", "\0", "\x85", "\u2028", "\ufeff", "x" * 300, "0x1F", "2001-01-01"]


@given(scalars)
@settings(max_examples=150, deadline=None)
def test_a_scalar_is_read_back_by_any_yaml_parser(value: Any) -> None:
    text = f"before: 1\nkey: {write_scalar(value)}\nafter: 2\n"

    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(text, Loader=loader) == {"before": 1, "key": value, "after": 2}  # noqa: S506


@given(values)
@settings(max_examples=150, deadline=None)
def test_any_value_arrives_unchanged_through_a_template(value: Any) -> None:
    filled = fill("configmap.yaml.j2", meta=_meta(), data=value)

    assert filled["data"] == value
    assert list(filled) == ["apiVersion", "kind", "metadata", "data"]


@pytest.mark.parametrize("text", TRAPS)
def test_a_hostile_text_stays_one_text(text: str) -> None:
    filled = fill("configmap.yaml.j2", meta={**_meta(), "name": text, "labels": {text: text}}, data={text: [text]})

    assert filled["metadata"] == {"name": text, "namespace": "n", "labels": {text: text}}
    assert filled["data"] == {text: [text]}


def test_what_is_written_is_ascii_on_one_line() -> None:
    written = write_scalar("é\n😀\x7f'")

    assert written.isascii()
    assert written.isprintable()


def test_a_large_integer_and_a_float_keep_their_type() -> None:
    data = fill("configmap.yaml.j2", meta=_meta(), data=[10**25, 1e16, 1.0, 1e-7, True])["data"]

    assert json.dumps(data) == json.dumps([10**25, 1e16, 1.0, 1e-7, True])


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        fill("configmap.yaml.j2", meta=_meta(), data=[float("inf")])


def test_what_is_made_is_shared_with_nobody() -> None:
    data = {"a": ["b"]}
    first, second = (fill("configmap.yaml.j2", meta=_meta(), data=data) for _ in range(2))

    first["data"]["a"].append("c")
    first["metadata"]["labels"]["d"] = "e"

    assert data == second["data"] == {"a": ["b"]}
    assert second["metadata"]["labels"] == {}


def test_apps_of_another_shape_are_not_taken_for_each_other() -> None:
    owned = fill("configmap.yaml.j2", meta={**_meta(), "owner": {"name": "b", "uid": "c"}}, data={})
    bare = fill("configmap.yaml.j2", meta=_meta(), data={})

    assert owned["metadata"]["ownerReferences"][0]["uid"] == "c"
    assert "ownerReferences" not in bare["metadata"]


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="data"):
        fill("configmap.yaml.j2", meta=_meta())


def test_a_template_cannot_write_a_value_without_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    template = templating._JINJA.from_string("name: {{ name }}")
    monkeypatch.setattr(templating._JINJA, "get_template", lambda _: template)

    with pytest.raises(TypeError, match="without a filter"):
        fill_text("any", name="a: b")
    assert fill_text("any", name=Written("b")) == "name: b"


def _meta() -> dict[str, Any]:
    return {"name": "a", "namespace": "n", "labels": {}, "annotations": {}, "owner": None}


def test_every_template_can_be_compiled_beforehand() -> None:
    templating.compile_all()

    assert {"deployment.yaml.j2", "shippers/vector.yaml.j2"} <= {name for _, name in templating._JINJA.cache or ()}
