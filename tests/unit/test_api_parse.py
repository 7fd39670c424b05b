"""From any JSON to an app, or to an error that names the field and what to write instead."""

import dataclasses
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.api_cases import MINIMAL, MISSHAPEN, UNKNOWN, WHOLE, Case, merged

from haapp.api import InvalidSpec, parse_app
from haapp.api.hints import properties_of
from haapp.api.schema import schema_of, visible_default
from haapp.api.spec import Cache, NetworkPolicy, Redis, Spec, Zones

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20)
NAMES = st.sampled_from(sorted(schema_of(Spec)["properties"])) | st.text(max_size=8)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5))


def whole() -> dict[str, Any]:
    app: dict[str, Any] = yaml.safe_load(WHOLE)
    return app


def parsed(change: str) -> Spec:
    app = yaml.safe_load(MINIMAL)
    return parse_app({**app, "spec": merged(app["spec"], yaml.safe_load(change))}).spec


def test_defaults_of_a_minimal_app() -> None:
    app = parse_app(yaml.safe_load(MINIMAL))
    assert (app.name, app.namespace, app.uid, app.generation) == ("hello", "default", "", 0)
    assert app.spec.app == {"name": "app", "image": "nginx"}
    assert (app.spec.replicas, app.spec.paused) == (3, False)
    assert app.spec.zones is None
    assert app.spec.nodes.anti_affinity == "Preferred"
    assert app.spec.rebalance.cooldown == 300
    assert app.spec.disruption_budget.max_unavailable == 1


def test_metadata() -> None:
    app = parse_app(merged(whole(), {"metadata": {"uid": "u", "generation": 7, "annotations": {"a": "b"}, "other": 1}}))
    assert (app.namespace, app.uid, app.generation) == ("store", "u", 7)
    assert (app.labels, app.annotations) == ({"team": "web"}, {"a": "b"})


def test_values_of_a_whole_app() -> None:
    spec = parse_app(whole()).spec
    assert spec.zones == Zones(min_domains=3, names=("a", "b", "c"), keep_ready="60%")
    assert spec.cache == Cache(colocate="Zone", redis=Redis(max_memory="256Mi", replicas=3))
    assert spec.probes.start_within == 5400
    assert spec.rebalance.cooldown == 90
    assert spec.disruption_budget.max_unavailable is None
    assert spec.autoscaling is not None
    assert spec.autoscaling.target_cpu_utilization_percentage == 70
    assert spec.network_policy == NetworkPolicy(from_=({"podSelector": {"matchLabels": {"app": "front"}}},), egress=())
    assert spec.log_sidecar is not None
    assert spec.log_sidecar.output is not None
    assert spec.log_sidecar.output.elasticsearch is not None
    assert spec.log_sidecar.output.elasticsearch.port == 9200


def test_core_values_stay_as_written() -> None:
    spec = parse_app(whole()).spec
    assert spec.app["resources"] == {"requests": {"cpu": "250m", "memory": 67108864}, "limits": {"memory": "128Mi"}}
    assert spec.probes.liveness == {"httpGet": {"path": "/healthz", "port": "http"}, "successThreshold": 1}
    assert spec.pod.volumes == ({"name": "data", "emptyDir": {"sizeLimit": "1Gi"}},)
    assert spec.app["ports"][0] == {"name": "http", "containerPort": 8080, "protocol": "TCP"}


def test_own_fields_do_not_reach_the_container() -> None:
    migrate, _ = parse_app(whole()).spec.init_steps
    assert (migrate.name, migrate.script) == ("migrate", "migrate up")
    assert migrate.container == {"name": "migrate", "image": "migrate:4"}
    ambassador, adapter = parse_app(whole()).spec.sidecars
    assert ambassador.container == {"name": "db", "image": "envoy:1"}
    assert adapter.container == {"name": "exporter", "image": "exporter:1", "restartPolicy": "Always"}


def test_a_sidecar_starts_by_its_pattern() -> None:
    ambassador, adapter = parse_app(whole()).spec.sidecars
    assert (ambassador.start, adapter.start) == ("BeforeInitSteps", "BeforeApp")
    (stated,) = parsed("sidecars: [{name: a, image: b, pattern: ambassador, start: BeforeApp}]").sidecars
    assert stated.start == "BeforeApp"


def test_null_is_absent() -> None:
    assert parsed("{zones: null, replicas: null, pod: {labels: {a: null}}, app: {ports: null}}") == parsed("{}")


def test_the_object_is_left_alone() -> None:
    before = whole()
    parse_app(before)
    assert before == whole()


@pytest.mark.parametrize("case", [*MISSHAPEN, *UNKNOWN], ids=str)
def test_what_the_schema_refuses(case: Case) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse_app(case.app)
    assert any(error.path == case.path and case.message in error.message for error in refusal.value.errors)
    assert case.path in str(refusal.value)


@pytest.mark.parametrize(
    ("obj", "path"),
    [
        (None, ""),
        ([], ""),
        ({}, "metadata.name"),
        ({"metadata": None, "spec": None}, "spec.app"),
        ({"metadata": {"name": 3}}, "metadata.name"),
        ({"metadata": {"name": "a", "labels": {"b": 1}}}, "metadata.labels.b"),
        ({"kind": "Deployment"}, "kind"),
        ({"apiVersion": "apps/v1"}, "apiVersion"),
        ({"metadata": {"name": "a"}, "spec": {"app": {"image": "b"}, 3: 4}}, "spec.3"),
        ({"metadata": {"name": "a"}, "spec": {"app": {"image": "\ud800"}}}, "spec.app.image"),
        ({"metadata": {"name": "a"}, "spec": {"app": {"image": "b"}, "replicas": 10**5000}}, "spec.replicas"),
    ],
)
def test_what_is_no_app_at_all(obj: object, path: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse_app(obj)
    assert path in [error.path for error in refusal.value.errors]


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_arbitrary_json_is_an_app_or_invalid(obj: object) -> None:
    for candidate in (obj, {"metadata": {"name": "a"}, "spec": obj}, {"metadata": obj, "spec": obj}):
        parse_or_refuse(candidate)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_whole_app_with_any_value_replaced_is_an_app_or_invalid(data: st.DataObject) -> None:
    app = whole()
    part: Any = app["spec"]
    while True:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
            break
        part = part[key]
    part[key] = data.draw(JSON)
    parse_or_refuse(app)


def parse_or_refuse(obj: object) -> None:
    try:
        parse_app(obj)
    except InvalidSpec as refusal:
        errors = refusal.errors
    else:
        return
    assert errors
    assert all(error.message for error in errors)


def test_every_default_of_the_crd_is_that_of_python() -> None:
    """What the API server fills in and what Python fills in for a section that is there are the same."""
    app = parse_app(yaml.safe_load(MINIMAL)).spec
    for prop in properties_of(Spec):
        default = visible_default(prop)
        if default is not dataclasses.MISSING:
            stored = {**yaml.safe_load(MINIMAL), "spec": {"app": {"image": "nginx"}, prop.name: default}}
            assert getattr(parse_app(stored).spec, prop.attribute) == getattr(app, prop.attribute)
