"""For any spec: nothing that the user wrote is lost, the objects are valid, and no text changes their structure."""

import copy
import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from importlib_resources import files
from referencing import Registry, Resource
from tests.render_leaves import DECISIONS, Traces
from tests.render_random import SCHEMA, tidied, values
from tests.render_support import app_of

from haapp.api import InvalidSpec
from haapp.render import Rendered, RenderError, render

VERSION = "v1.37.0-local-strict"
WITHOUT_SCHEMA = {"HTTPRoute", "PodMonitor"}
SECTIONS = sorted(SCHEMA["properties"].keys() - {"app"})
HOSTILE = [
    'it\'s "x" {{ y }} {% z %} &a *b !c | > # d',
    "a\n---\nb: [c\n\tspec: {}\n",
    "\\ ${A} $(B) #{`id`} \x7f\x01\u2028 é😀",
    "x" * 300,
]


@st.composite
def specs(draw: Any) -> dict[str, Any]:
    """A spec of the main container and a few sections, each as the schema has it."""
    chosen = draw(st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=3, unique=True))
    spec = {name: draw(values(SCHEMA["properties"][name])) for name in chosen}
    extra = draw(values(SCHEMA["properties"]["app"])) if draw(st.booleans()) else {}
    return {**tidied(spec), "app": {**extra, "image": "shop:1", "ports": [{"name": "http", "containerPort": 8080}]}}


@functools.cache
def validator_of(kind: str, api_version: str) -> Any:
    """The validator of Kubernetes 1.37 for a kind, strict about unknown fields."""
    folder = files(kubernetes_validate).joinpath("kubernetes-json-schema", VERSION)
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = json.loads(folder.joinpath(f"{kind.lower()}-{group}.json").read_text())
    return jsonschema.Draft202012Validator(schema, registry=_definitions())


@functools.cache
def _definitions() -> Registry[Any]:
    folder = files(kubernetes_validate).joinpath("kubernetes-json-schema", VERSION)
    return Resource.from_contents(json.loads(folder.joinpath("_definitions.json").read_text())) @ Registry()


def faults(result: Rendered) -> list[str]:
    """What Kubernetes 1.37 would not accept in the objects."""
    return [
        f"{it['kind']}: {error.json_path}: {error.message}"
        for it in result.objects
        if it["kind"] not in WITHOUT_SCHEMA
        for error in validator_of(it["kind"], it["apiVersion"]).iter_errors(it)
    ]


@given(specs())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_whatever_is_written_is_rendered_and_valid(spec: dict[str, Any]) -> None:
    try:
        app = app_of(spec)
    except InvalidSpec:
        event("refused by the schema or a rule")
        assume(False)
        return
    try:
        result = render(app)
    except RenderError as error:
        event("refused by rendering")
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert re.match(r"spec(\.\w+(\[\S+\])*)*: .*(;|write|leave|give|add)", refusal)
        return

    assert Traces(spec, result).missing() == []
    assert faults(result) == []
    assert json.dumps(render(app_of(spec)).objects) == json.dumps(result.objects)


def test_something_is_said_of_every_field_of_the_contract() -> None:
    """A field that is added to the API without a place in the objects fails here."""
    checks = {name.removeprefix("has_").replace("_", ".") for name in dir(Traces) if name.startswith("has_")}

    def unknown(schema: dict[str, Any], path: str) -> Iterator[str]:
        for name, inner in schema.get("properties", {}).items():
            field = f"{path}.{name}" if path else name
            if field not in checks | DECISIONS.keys():
                below = list(unknown(inner, field))
                yield from below or ([] if inner.get("properties") else [field])

    assert list(unknown(SCHEMA, "")) == []


WHOLE: dict[str, Any] = yaml.safe_load(r"""
app:
  image: shop:1
  args: [a]
  ports: [{name: http, containerPort: 8080}]
  env: [{name: MODE, value: fast}, {name: KEY, valueFrom: {secretKeyRef: {name: s, key: k}}}]
  volumeMounts: [{name: data, mountPath: /data}]
  livenessProbe: {httpGet: {path: /live, port: http, httpHeaders: [{name: X, value: y}]}}
initSteps: [{name: step, image: step:1, script: go}]
zones: {names: [a]}
cache: {redis: {image: 'redis:1'}}
logSidecar:
  image: ship:1
  directory: /var/log/shop
  env: [{name: A, value: b}]
  sources: [{path: a.log, format: regex, expression: '^(?<a>.*)$', tag: t}]
  output: {elasticsearch: {host: logs, index: shop}}
sidecars:
- {name: db, image: 'db:1', pattern: ambassador, listen: {port: 1, hostEnv: H, portEnv: P}}
- {name: me, image: 'me:1', pattern: adapter, metrics: {port: 2, path: /m}, config: {mountPath: /c, files: {f: text}}}
service: {annotations: {s: t}}
ingress: {className: n, host: h, path: /p, tlsSecretName: t, annotations: {i: j}}
route: {parentRefs: [{name: gate}], hostnames: [h], path: /r}
pod:
  labels: {l: m}
  annotations: {n: o}
  nodeSelector: {disk: ssd}
  volumes: [{name: data, emptyDir: {}}]
  priorityClassName: p
  serviceAccountName: s
  tolerations: [{key: k, operator: Exists}]
""")


def leaf_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all texts."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaf_paths(inner, (*path, key))
    elif isinstance(value, str):
        yield path


def replaced(path: tuple[Any, ...], text: str) -> dict[str, Any]:
    spec = copy.deepcopy(WHOLE)
    place: Any = spec
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = text
    return spec


def shape(value: Any) -> Any:
    """A value without its texts: what no text may change."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def shapes(result: Rendered) -> Any:
    """The shapes of the objects, and of the shipper's configuration in its ConfigMap."""
    (config,) = (it["data"] for it in result.objects if it["metadata"]["name"] == "shop-log-shipper-config")
    return [shape(it) for it in result.objects], shape(yaml.safe_load(config["fluent-bit.yaml"]))


@functools.cache
def expected_shapes() -> Any:
    return shapes(render(app_of(WHOLE)))


@pytest.mark.parametrize("path", list(leaf_paths(WHOLE)), ids=lambda path: ".".join(map(str, path)))
def test_a_hostile_text_arrives_byte_for_byte_or_is_refused(path: tuple[Any, ...]) -> None:
    for text in HOSTILE:
        spec = replaced(path, text)
        try:
            result = render(app_of(spec))
        except (InvalidSpec, RenderError):
            continue
        assert shapes(result) == expected_shapes()
        assert Traces(spec, result).missing() == []


@pytest.mark.parametrize("key", ["labels", "annotations", "nodeSelector"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_key_stays_a_key(key: str, text: str) -> None:
    spec = {**WHOLE, "pod": {key: {text: "v"}, "volumes": WHOLE["pod"]["volumes"]}}

    assert Traces(spec, render(app_of(spec))).missing() == []
