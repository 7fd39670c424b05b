"""The status as a whole: its shape, its one line for people, and that it changes only when something did."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.live_cases import (
    FAILED,
    NOW,
    START,
    UNAVAILABLE,
    app,
    deployment,
    node,
    nodes,
    observed,
    pod,
    pods,
    state,
)

from haapp.api.crd import crd
from haapp.api.names import ROLLED_BACK_ANNOTATION
from haapp.api.objects import Object
from haapp.api.spec import Cache, InitStep, Nodes, Probes, Redis, Zones
from haapp.placement.finding import Finding
from haapp.status import Observed, Outcome, assess, assess_invalid
from haapp.status.text import coarse, one_line, tally

THERE = nodes(a=2, b=2, c=2)
WELL = observed(pods("a1", "b1", "c1"), THERE, cache_pods=pods("a1", "b1", "c1", prefix="redis"))
RICH: dict[str, Any] = {
    "zones": Zones(min_domains=3, keep_ready=2),
    "nodes": Nodes(keep_ready=1),
    "cache": Cache(redis=Redis()),
    "init_steps": (InitStep(name="db-migration", container={"name": "db-migration", "image": "x"}),),
    "probes": Probes(startup={"tcpSocket": {"port": 80}, "failureThreshold": 30}),
}


def test_a_whole_status() -> None:
    status = assess(app(**RICH), WELL, {})
    conditions = status.pop("conditions")
    assert status == {
        "observedGeneration": 4,
        "replicas": 3,
        "readyReplicas": 3,
        "updatedReplicas": 3,
        "selector": "app.kubernetes.io/component=app,app.kubernetes.io/name=web",
        "placement": {
            "zones": [{"name": name, "ready": 1, "total": 1} for name in "abc"],
            "nodes": 3,
            "zoneSkew": 0,
            "nodeSkew": 1,
        },
        "survives": {
            "zoneLoss": {"worstReadyLeft": 2, "worst": "a"},
            "nodeLoss": {"worstReadyLeft": 2, "worst": "a1"},
        },
        "cache": {"colocated": 3, "total": 3},
        "initSteps": [{"name": "db-migration", "succeeded": 3, "running": 0, "failed": 0, "message": ""}],
        "summary": "3/3 ready, zones a:1 b:1 c:1, cache 3/3 near",
        "columns": {"replicas": "3/3", "zones": "a:1 b:1 c:1", "survives": "zone,node", "cache": "3/3"},
    }
    assert [item["type"] for item in conditions] == [
        "Ready",
        "Reconciled",
        "InitStepsCompleted",
        "Available",
        "Spread",
        "CacheColocated",
        "SurvivesZoneLoss",
        "SurvivesNodeLoss",
        "Progressing",
    ]
    assert {item["status"] for item in conditions} == {"True"}
    assert {item["observedGeneration"] for item in conditions} == {4}
    assert {item["lastTransitionTime"] for item in conditions} == {"2030-01-01T12:00:00Z"}


def test_the_first_visit_has_every_condition() -> None:
    nothing = observed((), THERE, deployment=None, replica_sets=())
    status = assess(app(), nothing, {})
    found = {item["type"]: item["status"] for item in status["conditions"]}
    assert found == {
        "Ready": "Unknown",
        "Reconciled": "True",
        "InitStepsCompleted": "True",
        "Available": "Unknown",
        "Spread": "Unknown",
        "SurvivesZoneLoss": "Unknown",
        "SurvivesNodeLoss": "Unknown",
        "Progressing": "Unknown",
        "Reconciling": "True",
    }
    assert status["selector"] == "app.kubernetes.io/component=app,app.kubernetes.io/name=web"
    assert status["columns"] == {"replicas": "0/3", "zones": "a:0 b:0 c:0", "survives": "none"}


@cache
def validator() -> jsonschema.Draft202012Validator:
    version = crd()["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["status"]

    def closed(part: Object) -> Object:
        """The API server prunes what the schema does not know: here it is an error."""
        inner = {key: closed(value) if isinstance(value, dict) else value for key, value in part.items()}
        if inner.get("type") == "object" and "properties" in inner:
            return {**inner, "additionalProperties": False}
        return inner

    return jsonschema.Draft202012Validator(closed(schema))


container_states = st.builds(
    state,
    st.sampled_from(("app", "db-migration", "redis", "proxy")),
    state=st.sampled_from(("waiting", "running", "terminated")),
    reason=st.sampled_from(("", "CrashLoopBackOff", "ImagePullBackOff", "PodInitializing", "Error")),
    message=st.sampled_from(("", "it\nbroke.")),
    exit_code=st.sampled_from((None, 0, 1)),
    restarts=st.integers(0, 3),
    started=st.sampled_from((None, True, False)),
    ready=st.booleans(),
    since=st.sampled_from((None, START - 100, START - 1000)),
    last_exit_code=st.sampled_from((None, 0, 137)),
    last_reason=st.sampled_from(("", "OOMKilled", "Error")),
)


@st.composite
def observations(draw: st.DrawFn) -> Observed:
    """Anything that the indices may hold, sense or not."""
    there = tuple(
        node(f"n{index}", draw(st.sampled_from(("a", "b", None))), ready=draw(st.booleans())) for index in range(3)
    )
    homes = st.sampled_from(("n0", "n1", "n2", "gone", ""))
    live = tuple(
        pod(
            f"p{index}",
            draw(homes),
            ready=draw(st.booleans()),
            deleting=draw(st.booleans()),
            scheduled_message=draw(st.sampled_from(("", "0/3 nodes are available: 3 Insufficient cpu."))),
            template_hash=draw(st.sampled_from(("new77", "old11"))),
            init=tuple(draw(st.lists(container_states, max_size=2))),
            containers=tuple(draw(st.lists(container_states, max_size=2))),
        )
        for index in range(draw(st.integers(0, 4)))
    )
    seen = draw(
        st.none()
        | st.builds(
            deployment,
            st.integers(0, 4),
            observed_generation=st.sampled_from((1, 2)),
            available=st.integers(0, 4),
            conditions=st.sampled_from(((), UNAVAILABLE, FAILED)),
        )
    )
    outcome = Outcome(draw(st.sampled_from(("Reconciled", "Paused", "ApiError", "InvalidSpec"))), "told.")
    return observed(live, there, deployment=seen, outcome=outcome, cache_pods=live[:1])


@settings(max_examples=150, deadline=None)
@given(observations(), st.booleans())
def test_whatever_is_seen_the_status_is_valid_pure_and_final(live: Observed, rich: bool) -> None:
    spec = app(**RICH) if rich else app()
    first = assess(spec, live, {})
    validator().validate(first)
    assert json.loads(json.dumps(first)) == first
    assert assess(spec, live, {}) == first
    later = replace(live, now=NOW + timedelta(seconds=1))
    assert assess(spec, live, first) == first
    conditions = {item["type"]: item for item in first["conditions"]}
    for item in assess(spec, later, first)["conditions"]:
        assert item["lastTransitionTime"] == conditions[item["type"]]["lastTransitionTime"]
    if conditions["Ready"]["status"] == "True":
        assert {conditions[kind]["status"] for kind in ("Reconciled", "Available", "InitStepsCompleted")} == {"True"}
        assert not rich or {conditions[k]["status"] for k in ("SurvivesZoneLoss", "SurvivesNodeLoss")} == {"True"}
    assert not ({"Stalled", "Reconciling"} <= set(conditions))
    assert all(conditions[kind]["status"] == "True" for kind in ("Stalled", "Reconciling") if kind in conditions)
    assert all(item["message"] and "\n" not in item["message"] for item in first["conditions"])
    assert "\n" not in first["summary"]


def test_a_transition_time_moves_only_when_the_status_flips() -> None:
    spec = app(**RICH)
    first = assess(spec, WELL, {})
    worse = replace(WELL, pods=pods("a1", "a2", "a1"), now=NOW + timedelta(hours=1))
    second = assess(spec, worse, first)
    moved = {
        new["type"]
        for old, new in zip(first["conditions"], second["conditions"], strict=True)
        if new["lastTransitionTime"] != old["lastTransitionTime"]
    }
    assert moved == {"Ready", "Spread", "CacheColocated", "SurvivesZoneLoss"}
    another_reason = replace(worse, nodes=nodes(a=2), now=NOW + timedelta(hours=2))
    third = {item["type"]: item for item in assess(spec, another_reason, second)["conditions"]}
    assert third["Spread"]["reason"] == "TooFewDomains"
    assert third["Spread"]["lastTransitionTime"] == "2030-01-01T13:00:00Z"


def test_a_previous_status_without_times_or_conditions_is_no_trouble() -> None:
    bare = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert assess(app(), WELL, bare)["conditions"][0]["lastTransitionTime"] == "2030-01-01T12:00:00Z"
    assert assess(app(), WELL, {"conditions": None}) == assess(app(), WELL, {})


def slow(left: int) -> Observed:
    waiting = pod("p1", "a1", ready=False, containers=(state(started=False, since=START - 300 + left),))
    return observed((waiting,), THERE, deployment=deployment(1, conditions=UNAVAILABLE, available=0))


def test_a_start_counts_down_in_steps_and_not_by_the_second() -> None:
    told = [assess(app(**RICH), slow(left), {})["summary"] for left in range(300, 0, -1)]
    assert told[0].endswith("; 1 starting (at most 5m left)")
    assert told[-1].endswith("; 1 starting (at most 10s left)")
    assert len(set(told)) == 3 + 12


LOOP = state(
    "db-migration", state="waiting", reason="CrashLoopBackOff", restarts=4, last_exit_code=3, last_message="no\ntable"
)
STUCK = pod("p9", "c1", ready=False, init=(LOOP,))
CRASHED = pod("p3", "c1", ready=False, containers=(state(state="waiting", reason="CrashLoopBackOff", restarts=7),))
BACK = (ROLLED_BACK_ANNOTATION, json.dumps({"generation": 4, "revision": "1", "reason": "timed out"}))
UNPLACED = pod("p3", "", ready=False, scheduled_message="0/6 nodes are available: 6 Insufficient cpu.")


@pytest.mark.parametrize(
    ("live", "spec", "expected"),
    [
        (WELL, {}, "3/3 ready, zones a:1 b:1 c:1"),
        (observed((), THERE, deployment=deployment(0)), {}, "scaled to zero"),
        (observed((pod("p1", "n"),), (node("n", None),)), {}, "1/1 ready"),
        (
            observed((*pods("a1", "b1"), STUCK), THERE, deployment=deployment(3, conditions=FAILED)),
            RICH,
            (
                "2/3 ready, zones a:1 b:1 c:0, cache 0/2 near; db-migration failed (exit 3, restarted 4 times): "
                "no table; 1 of 2 ready pods would be left without zone a; the rollout made no progress within its "
                "deadline"
            ),
        ),
        (
            observed((*pods("a1", "b1"), CRASHED), THERE, deployment=deployment(3, conditions=UNAVAILABLE)),
            {},
            "2/3 ready, zones a:1 b:1 c:0; app: CrashLoopBackOff (restarted 7 times)",
        ),
        (
            observed((*pods("a1", "b1"), UNPLACED), THERE),
            {"zones": Zones()},
            (
                "2/3 ready, zones a:1 b:1 c:0; 1 of 3 pods cannot be scheduled: 0/6 nodes are available: 6 "
                "Insufficient cpu."
            ),
        ),
        (
            replace(WELL, outcome=Outcome("NameConflict", "rename this app")),
            {},
            "3/3 ready, zones a:1 b:1 c:1; NameConflict: rename this app",
        ),
        (
            replace(WELL, deployment=deployment(3, annotations=(BACK,))),
            {},
            "3/3 ready, zones a:1 b:1 c:1; rolled back to revision 1: timed out",
        ),
        (
            replace(WELL, deployment=deployment(3, conditions=FAILED)),
            {},
            "3/3 ready, zones a:1 b:1 c:1; the rollout made no progress within its deadline",
        ),
        (
            observed(pods("a1", "a2", "b1", "b2"), THERE),
            {},
            "4/4 ready, zones a:2 b:2 c:0; skew 2 over zones (a:2 b:2 c:0), zones.maxSkew is 1",
        ),
        (
            replace(WELL, findings=(Finding("TooFewZones", "spec.zones.minDomains", "lower it to 2"),)),
            {},
            "3/3 ready, zones a:1 b:1 c:1; TooFewZones: lower it to 2",
        ),
    ],
)
def test_the_summary_has_the_facts_and_then_the_most_important_cause(
    live: Observed, spec: dict[str, Any], expected: str
) -> None:
    assert assess(app(**spec), live, {})["summary"] == expected


def test_an_init_step_is_counted_pod_by_pod() -> None:
    done = state("db-migration", state="terminated", exit_code=0)
    live = observed(
        (
            pod("p1", "a1"),
            pod("p2", "a2", ready=False, init=(done,)),
            pod("p3", "b1", ready=False, init=(state("db-migration"),)),
            pod("p4", "b2", ready=False, init=(LOOP,)),
            pod("p5", "c1", ready=False, init=(replace(LOOP, restarts=9, last_exit_code=1, last_message=""),)),
            pod("p6", "c1", ready=False, init=(LOOP,), deleting=True),
            pod("p7", "c1", ready=False, init=(LOOP,), template_hash="old11"),
        ),
        THERE,
    )
    assert assess(app(**RICH), live, {})["initSteps"] == [
        {
            "name": "db-migration",
            "succeeded": 2,
            "running": 1,
            "failed": 2,
            "message": "CrashLoopBackOff (exit 1, restarted 9 times)",
        }
    ]


def test_an_app_that_cannot_be_read_is_not_judged() -> None:
    before = assess(app(**RICH), WELL, {})
    outcome = Outcome("InvalidSpec", "spec.zones.maxSkew: write 1")
    later = NOW + timedelta(minutes=5)
    status = assess_invalid({"name": "web", "generation": 5}, outcome, before, later)
    validator().validate(status)
    found = {item["type"]: (item["status"], item["reason"]) for item in status["conditions"]}
    assert found["Ready"] == found["Reconciled"] == ("False", "InvalidSpec")
    assert found["Stalled"] == ("True", "InvalidSpec")
    assert {found[kind][0] for kind in found} - {"False", "True"} == {"Unknown"}
    assert len(found) == 9
    assert status["summary"] == "InvalidSpec: spec.zones.maxSkew: write 1"
    assert (status["observedGeneration"], status["replicas"], status["selector"]) == (5, 3, before["selector"])
    assert "placement" not in status
    assert assess_invalid({"generation": 5}, outcome, status, later + timedelta(1)) == status
    assert "replicas" not in assess_invalid({}, outcome, {}, NOW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "10s"), (1, "10s"), (10, "10s"), (11, "20s"), (111, "2m"), (120, "2m"), (121, "3m"), (300, "5m")],
)
def test_a_rest_of_time_is_coarse_and_never_too_short(seconds: int, text: str) -> None:
    assert coarse(seconds) == text


def test_many_domains_are_told_by_their_ends() -> None:
    numbers = {f"n{index:02}": index for index in range(20)}
    assert tally(numbers, numbers) == "n19:19 n18:18 n17:17 n16:16 n15:15 n14:14 … n05:5 n04:4 n03:3 n02:2 n01:1 n00:0"


def test_one_line_is_one_line_and_not_too_long() -> None:
    assert one_line("a\n b\t c", 5) == "a b c"
    assert one_line("a" * 10, 5) == "aaaa…"
