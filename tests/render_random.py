"""Random specs from the CRD's own schema."""

import re
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from haapp.api.schema import schema_of
from haapp.api.spec import Spec

SCHEMA = schema_of(Spec)
QUANTITIES = st.sampled_from(["128Mi", "1", "250m", "1.5G", 7])
NAMES = ["alpha", "beta", "gamma", "delta", "http", "metrics", "data"]
TEXTS = ["a", "web-1", "it's", '"q"', "a: b", "{{ x }}", "---", "é\n😀", "yes", "1e3", "~", " ", "\\"]
PATTERNED = ["/x", "/var/log", "5m", "90s", "http://logs/in", "APP_ENV"]
EXACTLY_ONE = [
    {"selector", "redis"},
    {"output", "config"},
    {"files", "configMapName"},
    {"elasticsearch", "loki", "http", "stdout"},
    {"exec", "httpGet", "tcpSocket", "grpc"},
]
"""Fields of which a rule wants one: without them most specs would be refused before anything is rendered."""
DEPTH_OF_NOISE = 5
"""Optional fields further down than this are left out, for a PodSpec reaches far."""


@st.composite
def values(draw: DrawFn, schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that `schema` accepts."""
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if schema.get("x-kubernetes-int-or-string"):
        return draw(QUANTITIES if "KMGTPE" in schema.get("pattern", "") else int_or_text(schema))
    make = {"object": objects, "array": arrays, "string": texts, "integer": integers, "boolean": booleans}
    return draw(make[schema["type"]](schema, depth))


@st.composite
def objects(draw: DrawFn, schema: dict[str, Any], depth: int) -> dict[str, Any]:
    if "properties" not in schema:
        inner = schema.get("additionalProperties", {"type": "string"})
        return {draw(st.sampled_from(NAMES)): draw(values(inner, depth + 1)) for _ in range(draw(st.integers(0, 2)))}
    required, properties = schema.get("required", []), schema["properties"]
    optional = sorted(properties.keys() - set(required))
    most = 3 if depth < DEPTH_OF_NOISE else 0
    chosen = draw(st.lists(st.sampled_from(optional), max_size=most, unique=True)) if optional and most else []
    for group in (group for group in EXACTLY_ONE if group <= properties.keys()):
        chosen = [*(name for name in chosen if name not in group), draw(st.sampled_from(sorted(group)))]
    return {name: draw(values(properties[name], depth + 1)) for name in [*required, *chosen]}


def tidied(spec: dict[str, Any]) -> dict[str, Any]:
    """`spec` with what goes together in the shipper's section put together, which a schema cannot say."""
    logs = spec.get("logSidecar")
    if logs is None:
        return spec
    sources = [] if "config" in logs else logs.get("sources") or [{"path": "*.log"}]
    whole = [{**it, "format": "regex"} if "expression" in it else it for it in sources]
    return {**spec, "logSidecar": {**logs, "sources": whole}}


@st.composite
def arrays(draw: DrawFn, schema: dict[str, Any], depth: int) -> list[Any]:
    count = draw(st.integers(schema.get("minItems", 0), 2))
    entries = [draw(values(schema["items"], depth + 1)) for _ in range(count)]
    keys = schema.get("x-kubernetes-list-map-keys")
    return entries if keys is None else list({tuple(str(it.get(k)) for k in keys): it for it in entries}.values())


def texts(schema: dict[str, Any], depth: int) -> st.SearchStrategy[str]:
    del depth
    pattern, longest = schema.get("pattern"), schema.get("maxLength", 300)
    if schema.get("format") == "date-time":
        return st.just("2025-01-31T12:00:00Z")
    if pattern is None:
        return st.sampled_from(NAMES + TEXTS)
    fitting = [it for it in (*NAMES, *TEXTS, *PATTERNED) if re.search(pattern, it) and len(it) <= longest]
    return st.sampled_from(fitting)


def integers(schema: dict[str, Any], depth: int) -> st.SearchStrategy[int]:
    del depth
    return st.integers(schema.get("minimum", 0), min(schema.get("maximum", 100), 100))


def booleans(schema: dict[str, Any], depth: int) -> st.SearchStrategy[bool]:
    del schema, depth
    return st.booleans()


def int_or_text(schema: dict[str, Any]) -> st.SearchStrategy[int | str]:
    pattern = schema.get("pattern", ".")
    return st.one_of(
        st.integers(1, 9), st.sampled_from(["25%", "http", "60%"]).filter(lambda it: re.search(pattern, it))
    )
