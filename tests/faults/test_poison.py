"""Objects that a laxer schema let in: each is told what is wrong with it, none of them holds the others up."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from tests.cluster.conftest import CRDS
from tests.faults.rules import EVENTS
from tests.faults.trial import Stage
from tests.space import NotYet, Object, Space, app

from haapp.api import names

APPS = 20
SPEC: Object = app()["spec"]
HUGE = 10**15

HOLE = "a hole"
DEEP = {f"deep-{levels}": levels for levels in (300, 1_100, 5_000, 9_000)}
"""Levels of what fills the HOLE of a spec: an API server takes 10,000 of a whole object, its managedFields included."""

POISON: dict[str, Any] = {
    "no-app": {},
    "null-app": {"app": None},
    "null-image": {"app": {"image": None}},
    "texts-for-lists": {**SPEC, "initSteps": "one", "sidecars": "two"},
    "lists-for-maps": {**SPEC, "zones": [], "cache": [1], "pod": [[]]},
    "null-items": {**SPEC, "initSteps": [None], "sidecars": [None, {}]},
    "huge-number": {**SPEC, "zones": {"maxSkew": HUGE}},
    "negative": {**SPEC, "zones": {"maxSkew": -3}},
    "unknown": {**SPEC, "zoness": {}, "app": {**SPEC["app"], "imagee": "x"}},
    "long-text": {"app": {"image": "x" * 1_000_000}},
    "long-list": {"app": {"image": "a", "env": [{"name": f"N{n}", "value": "v" * 80} for n in range(10_000)]}},
    "many-unknown": {**SPEC, **{f"unknown-{number}": {"a": [number]} for number in range(20_000)}},
    "deep": {**SPEC, "pod": json.loads('{"a":' * 100 + "1" + "}" * 100)},
    **{name: {**SPEC, "pod": {"a": HOLE}} for name in DEEP},
}
"""Specs that no schema of ours lets in, each by a name of its own; the largest stay below what the API server takes of
one object, 1.5 MiB."""

PRUNED = {"unknown", "many-unknown", "deep", *DEEP}
"""Those of which the strict schema leaves what is well."""

STEADY_SECONDS = 5.0
"""That nothing is tried again shows only after some time without."""

HEAD_START = 0.1
"""Seconds after which the first changes of the poisonous apps are being looked at."""


@pytest.fixture
def lax_schema(stage: Stage) -> Iterator[None]:
    """The CRD of a time when it checked nothing; afterwards the strict one again, with what was let in."""
    put_crd(stage, lax=True)
    yield
    put_crd(stage)


def put_crd(stage: Stage, *, lax: bool = False) -> None:
    """Our CRD in the place of what is there; a lax one lets any JSON in."""
    (file,) = CRDS
    crd = yaml.safe_load(file.read_text())
    there = stage.cluster.get("crd", crd["metadata"]["name"])
    crd["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
    if lax:
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        for version in crd["spec"]["versions"]:
            properties = {"spec": anything, "status": anything}
            version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    stage.cluster.kubectl("replace", "-f", "-", stdin=json.dumps(crd))


@pytest.mark.matrix(0)
@pytest.mark.usefixtures("lax_schema")
def test_what_an_older_schema_let_in_is_told_and_holds_nobody_up(stage: Stage) -> None:
    stage.expected("create")
    with stage.trials("create", "create") as (healthy, poisoned):
        stage.found.poison["nothing"] = seconds_until_made(stage, healthy.space, "alone", lambda _: None)
        poisoned.space.wait(lambda: let_in(poisoned.space), "a server that checks nothing")
        for name in POISON:
            assert_told(poisoned.space, name)
        change = f"{len(POISON)} poisonous apps, all being changed"
        beside = seconds_until_made(stage, healthy.space, "beside", lambda number: touch(poisoned.space, number))
        stage.found.poison[change] = beside
        poisoned.wait_quiet()
        assert_no_storm(stage, poisoned.space)

        stage.operator.stop()
        for name in POISON:
            poisoned.space.patch(names.PLURAL, name, {"status": {"conditions": None}}, subresource="status")
        put_crd(stage)
        stage.operator.start()
        for name in POISON.keys() - PRUNED:
            poisoned.space.wait(lambda name=name: told_or_warned(poisoned.space, name), f"a word about {name}", 60)
        poisoned.space.wait_ready(*PRUNED)
        assert_no_storm(stage, poisoned.space)
        for name in POISON:
            poisoned.space.delete(names.PLURAL, name)
        poisoned.wait_until_gone()


def assert_no_storm(stage: Stage, space: Space) -> None:
    """What cannot be is not tried again and again: a status that was put off may still come, once for each of them, and
    so may an Event, or the count of one."""
    before = len(stage.proxy.calls)
    time.sleep(STEADY_SECONDS)
    calls = [call for call in stage.proxy.calls[before:] if call.namespace == space.name]
    told = [call for call in calls if call.resource == EVENTS]
    assert len(told) <= len(POISON), told
    assert len(calls) - len(told) <= len(POISON), calls


def assert_told(space: Space, name: str) -> None:
    """The app's status and an Event say that its spec cannot be."""
    told = space.wait_condition("Reconciled", "False", "InvalidSpec", name=name, timeout=60)
    assert told["message"]
    assert len(json.dumps(space.status(name))) < 65_536
    assert space.condition("Ready", name)["status"] == "False"
    space.wait(lambda: "InvalidSpec" in warned(space, name), "an Event")


def warned(space: Space, name: str) -> set[str]:
    """The reasons of the Events on an app."""
    return {reason for reason, _ in space.events(name)}


def told_or_warned(space: Space, name: str) -> bool:
    """Whether the status says that the app cannot be, or an Event that the status cannot."""
    ready = space.condition("Ready", name)
    return (ready["status"] == "False") if ready else "StatusRefused" in warned(space, name)


def touch(space: Space, number: int) -> None:
    """Change each of them, so that it is looked at anew."""
    for name in POISON:
        space.patch(names.PLURAL, name, {"spec": {"replicas": number + 1}})


def let_in(space: Space) -> bool:
    for name, spec in POISON.items():
        obj = {**app(name), "spec": spec}
        if not space.has(names.PLURAL, name):
            try:
                space.create(obj, filled(obj, DEEP.get(name, 0)))
            except Exception as error:
                raise NotYet(f"{name}: {str(error)[-300:]}") from error
    return True


def filled(obj: Object, levels: int) -> bytes:
    """The object's JSON with its hole filled: no encoder of Python writes so many levels."""
    return json.dumps(obj).replace(json.dumps(HOLE), '{"a":' * levels + "1" + "}" * levels).encode()


def seconds_until_made(stage: Stage, space: Space, prefix: str, beside: Callable[[int], None]) -> list[float]:
    """Make apps one after the other, while something else is done; how long each waited for its Deployment to be asked
    for."""
    seconds = []
    with ThreadPoolExecutor() as pool:
        for number in range(APPS):
            other = pool.submit(beside, number)
            time.sleep(HEAD_START)
            name = f"{prefix}-{number}"
            began = time.monotonic()
            space.apply(app(name, replicas=0))
            stage.wait(lambda name=name: asked_for(stage, space, name), f"the Deployment of {name}")
            seconds.append(asked_for(stage, space, name) - began)
            other.result()
    return seconds


def asked_for(stage: Stage, space: Space, name: str) -> float:
    """When the operator sent the Deployment of an app; 0 if it has not."""
    of_app = (call for call in stage.proxy.writes(space.name) if (call.resource, call.name) == ("deployments", name))
    return next((call.at for call in of_app), 0.0)
