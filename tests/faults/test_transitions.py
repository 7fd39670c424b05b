"""From any spec to any other and back: what is there then is what a fresh app of that spec would have."""

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from tests.faults.conftest import SEED, WHOLE
from tests.faults.features import pairs, rendered
from tests.faults.operations import CHILDREN, end_state
from tests.faults.trial import Stage, Trial
from tests.space import NotYet, Object, Space, app

from haapp.api import names
from haapp.children import KINDS
from haapp.status import reasons

PAIRS = 10 if WHOLE else 6
CANDIDATES = 4 * PAIRS
"""Some of what the schema lets in is refused by the API server, the app itself or what it becomes."""

ROUNDS = 5 if WHOLE else 1
SETTLE_SECONDS = 90.0
STEADY_SECONDS = 4.0

OPTIONAL_KINDS = {kind.kind for kind in KINDS if kind.optional}
PLACED = {reasons.SPREAD, reasons.CACHE_COLOCATED, reasons.SURVIVES_ZONE_LOSS, reasons.SURVIVES_NODE_LOSS}
UNLUCKY = {reasons.SKEWED, reasons.FAR_FROM_CACHE, reasons.TOO_FEW_LEFT}


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@seed(int(SEED))
@settings(max_examples=ROUNDS, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(candidates=st.lists(pairs, min_size=CANDIDATES, max_size=CANDIDATES))
def test_there_and_back_again(stage: Stage, candidates: list[tuple[Object, Object]]) -> None:
    with stage.trials("create", "create", "create") as (fresh_a, fresh_b, moving):
        taken = (pair for pair in candidates if all(fits(moving.space, spec) for spec in pair))
        drawn = list(itertools.islice(taken, PAIRS))
        note(json.dumps(drawn))
        assert len(drawn) == PAIRS, f"only {len(drawn)} of {CANDIDATES} pairs are taken by the API server"
        first = {f"app-{number}": a for number, (a, _) in enumerate(drawn)}
        second = {f"app-{number}": b for number, (_, b) in enumerate(drawn)}
        apply(fresh_a.space, first)
        apply(fresh_b.space, second)
        apply(moving.space, first)
        settle(fresh_a, fresh_b, moving)
        wanted = {"A": states(fresh_a), "B": states(fresh_b)}
        good = {n for n in first if all(came_about(wanted[step][n]) for step in "AB")}
        assert len(good) >= len(first) * 2 // 3, {n: wanted["A"][n]["conditions"] for n in first}
        for name in first.keys() - good:
            moving.space.delete(names.PLURAL, name)
        differing = {}
        for step, specs in (("B", second), ("A", first)):
            apply(moving.space, {name: specs[name] for name in good})
            settle(moving, wanted={name: wanted[step][name] for name in good})
            came = states(moving)
            for name in sorted(good):
                expected, found = dict(wanted[step][name]), dict(came[name])
                told = expected.pop("conditions"), found.pop("conditions")
                other = stage.found.compare(expected, found)
                if other or told[0] != told[1]:
                    differing[f"{step} {name}"] = {**other, "conditions": told}
        assert not differing, json.dumps({"differing": differing, "specs": drawn}, indent=1, default=str)
        scaled = {name for specs in (first, second) for name, spec in specs.items() if "autoscaling" in spec}
        assert_generations(moving, good - scaled)
        assert_steady(stage, moving, fresh_a, fresh_b)
        stage.found.moved += len(good)


def fits(space: Space, spec: Object) -> bool:
    """Whether the API server takes the app and all that it becomes."""
    objects = ({**app(), "spec": spec}, *rendered(spec, space.name))
    return all(space.takes(obj) for obj in objects if obj["kind"] not in OPTIONAL_KINDS)


def apply(space: Space, specs: dict[str, Object]) -> None:
    space.apply(*({**app(name), "spec": spec} for name, spec in specs.items()))


def settle(*trials: Trial, wanted: dict[str, Any] | None = None) -> None:
    """Wait until nothing is written any more and, where it is known, the state is the wanted one (or will not be)."""
    for trial in trials:
        trial.space.wait(lambda trial=trial: all_judged(trial.space), "a verdict on each app", SETTLE_SECONDS)
    deadline = time.monotonic() + SETTLE_SECONDS
    for trial in trials:
        trial.wait_quiet()
        while wanted and any(states(trial)[n] != state for n, state in wanted.items()) and time.monotonic() < deadline:
            time.sleep(0.5)


def all_judged(space: Space) -> bool:
    for obj in space.items(names.PLURAL):
        conditions = {c["type"]: c for c in obj.get("status", {}).get("conditions", ())}
        told = conditions.get("Ready", {}).get("observedGeneration") == obj["metadata"]["generation"]
        # What no node may run goes on until its deadline, and will not come about.
        if not told or ("Reconciling" in conditions and conditions["Spread"]["reason"] != reasons.UNSCHEDULABLE):
            raise NotYet(f"{obj['metadata']['name']}: {conditions}")
    return True


def states(trial: Trial) -> dict[str, Any]:
    """Children and conditions of each app."""
    children = end_state(trial.space)
    found: dict[str, Any] = {}
    for obj in trial.space.items(names.PLURAL):
        name = obj["metadata"]["name"]
        if f"horizontalpodautoscalers/{name}" in children:
            children[f"deployments/{name}"]["spec"].pop("replicas", None)  # the autoscaler's, whatever it was before
        found[name] = {"conditions": verdicts(obj)} | {
            key: value for key, value in children.items() if key.rpartition("/")[2].startswith(name)
        }
    return found


def verdicts(obj: Object) -> dict[str, tuple[str, str]]:
    """The conditions, but for what depends on where the scheduler happened to put the pods."""
    told = {c["type"]: (c["status"], c["reason"]) for c in obj.get("status", {}).get("conditions", ())}
    found = {kind: verdict for kind, verdict in told.items() if kind not in PLACED}
    if found.get(reasons.READY, ("", ""))[1] in UNLUCKY:
        found[reasons.READY] = ("True", reasons.READY)
    return found


def came_about(state: dict[str, Any]) -> bool:
    """Whether the cluster took everything and can run it: else a part would be left of what was before."""
    return state["conditions"]["Reconciled"][0] == "True" and "Reconciling" not in state["conditions"]


def assert_generations(moving: Trial, plain: set[str]) -> None:
    """Each of three specs is applied once, and an object is written no more often than that. An autoscaler writes, too,
    which the apps of `plain` never have."""
    for plural in CHILDREN:
        for obj in moving.space.items(plural, f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"):
            generation, name = obj["metadata"].get("generation", 1), obj["metadata"]["name"]
            if any(name == app or name.startswith(f"{app}-") for app in plain):
                assert generation <= 3, f"{plural}/{name}"


def assert_steady(stage: Stage, moving: Trial, *settled: Trial) -> None:
    """Nothing is written, and hardly anything asked, when all has been said; a watch may begin anew. What is still said
    of namespaces that earlier tests have left to be deleted is none of these apps' business."""
    ours = {"", *(trial.space.name for trial in (moving, *settled))}
    before = len(stage.proxy.calls)
    time.sleep(STEADY_SECONDS)
    calls = [call for call in stage.proxy.calls[before:] if call.namespace in ours]
    assert [call for call in calls if call.is_write] == []
    assert len([call for call in calls if call.namespace == moving.space.name or call.verb != "watch"]) <= 2, calls
