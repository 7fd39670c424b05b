"""The warnings about an object: short, complete, and none where there is nothing to say."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.api_cases import Case
from tests.live_cases import nodes, pod

from haapp.admission.advice import LONGEST, MOST, advise, read, refusals, wanted_cache
from haapp.api import InvalidSpec

THERE = nodes(a=2, b=2, c=2)
NEAR = "{cache: {selector: {matchLabels: {app: redis}}, whenUnsatisfiable: DoNotSchedule}}"


def app(change: str) -> Any:
    return read(Case(change, "", "").app)


def test_all_contradictions_come_in_brief() -> None:
    bad = app("{replicas: 3, disruptionBudget: {minAvailable: 3}, zones: {minDomains: 4}}")
    assert advise(bad, THERE) == (
        "zones.minDomains 4: usable nodes are in 3 zones only; lower it to 3",
        "disruptionBudget.minAvailable 3 with replicas 3 blocks every drain; lower it to 2",
    )


def test_a_good_app_is_not_commented_on() -> None:
    assert advise(app("{zones: {minDomains: 3}}"), THERE) == ()


def test_without_nodes_only_what_needs_none_is_said() -> None:
    bad = app("{disruptionBudget: {minAvailable: 3}, zones: {minDomains: 4}}")
    (warning,) = advise(bad, ())
    assert warning.startswith("disruptionBudget.minAvailable")


def test_a_cache_that_could_not_be_looked_for_is_not_missed() -> None:
    near = app(NEAR)
    assert "cache.selector finds no pod" in advise(near, THERE, cache_pods=())[0]
    assert advise(near, THERE, cache_pods=None) == ()
    assert advise(near, THERE, cache_pods=[pod("redis", "a1", component="cache")]) == ()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (NEAR, True),
        ("{cache: {selector: {matchLabels: {app: redis}}}}", False),
        ("{cache: {redis: {}, whenUnsatisfiable: DoNotSchedule}}", False),
        ("{replicas: 2}", False),
    ],
)
def test_only_a_cache_that_holds_the_app_up_is_looked_for(change: str, wanted: bool) -> None:
    assert (wanted_cache(app(change)) is not None) is wanted


def test_what_cannot_be_rendered_is_said_first() -> None:
    logs = "logSidecar: {directory: /logs, output: {stdout: {}}, sources: [{path: a.log, format: none, tag: 'a b'}]}"
    cannot, *others = advise(app(f"{{disruptionBudget: {{minAvailable: 3}}, {logs}}}"), THERE)
    assert cannot.startswith("logSidecar.sources[0].tag: 'a b' is no tag")
    assert len(others) == 1


def test_a_name_that_the_server_will_make_is_no_fault() -> None:
    made = {**Case("{replicas: 3}", "", "").app, "metadata": {"generateName": "web-", "namespace": "shop"}}
    assert read(made).name == "web-xxxxx"


def test_what_the_operator_will_refuse_is_said_with_its_field() -> None:
    with pytest.raises(InvalidSpec) as caught:
        app("{zones: {maxSkew: 0}}")
    assert refusals(caught.value)[0].startswith("zones.maxSkew: ")


def test_no_more_is_said_than_is_passed_on() -> None:
    steps = ", ".join(f"{{name: step{'x' * 300}, image: a}}" for _ in range(30))
    with pytest.raises(InvalidSpec) as caught:
        app(f"{{initSteps: [{steps}]}}")
    said = refusals(caught.value)
    assert 0 < len(said) <= MOST
    assert all(len(line) <= LONGEST and "\n" not in line for line in said)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda below: (
            st.lists(below)
            | st.dictionaries(st.sampled_from(["metadata", "name", "spec", "app", "image", "cache"]) | st.text(), below)
        ),
    )
)
def test_no_object_is_a_fault(obj: Any) -> None:
    with pytest.raises(InvalidSpec):
        read(obj)
