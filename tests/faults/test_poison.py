"""Objects that a laxer schema let in: each is told what is wrong with it, none of them holds the others up."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.cluster.conftest import CRDS
from tests.faults.trial import Stage
from tests.space import NotYet, Object, Space, app

from haapp.api import names

APPS = 25
SPEC: Object = app()["spec"]
HUGE = 10**15
"""The longest text and the largest list stay below what the API server takes of one object, 1.5 MiB."""

POISON: dict[str, Any] = {
    "no-app": {},
    "null-app": {"app": None},
    "null-image": {"app": {"image": None}},
    "texts-for-lists": {**SPEC, "initSteps": "one", "sidecars": "two"},
    "lists-for-maps": {**SPEC, "zones": [], "cache": [1], "pod": [[]]},
    "null-items": {**SPEC, "initSteps": [None], "sidecars": [None, {}]},
    "huge-number": {**SPEC, "replicas": HUGE},
    "negative": {**SPEC, "replicas": -1, "zones": {"maxSkew": -3}},
    "unknown": {**SPEC, "zoness": {}, "app": {**SPEC["app"], "imagee": "x"}},
    "long-text": {"app": {"image": "x" * 1_000_000}},
    "long-list": {"app": {"image": "a", "env": [{"name": f"N{n}", "value": "v" * 80} for n in range(10_000)]}},
    "many-unknown": {**SPEC, **{f"unknown-{number}": {"a": [number]} for number in range(20_000)}},
    "deep": {**SPEC, "pod": json.loads('{"a":' * 100 + "1" + "}" * 100)},
}
"""Specs that no schema of ours lets in, each by a name of its own."""


@pytest.fixture
def lax_schema(stage: Stage) -> Iterator[None]:
    """The CRD of a time when it checked nothing; afterwards the strict one again, with what was let in."""
    stage.cluster.install_crds(*CRDS)
    (file,) = CRDS
    crd = yaml.safe_load(file.read_text())
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    for version in crd["spec"]["versions"]:
        properties = {"spec": anything, "status": anything}
        version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    stage.cluster.kubectl("replace", "-f", "-", stdin=json.dumps(with_version(stage, crd)))
    yield
    restore(stage)


def with_version(stage: Stage, crd: Object) -> Object:
    there = stage.cluster.get("crd", crd["metadata"]["name"])
    return {**crd, "metadata": {**crd["metadata"], "resourceVersion": there["metadata"]["resourceVersion"]}}


def restore(stage: Stage) -> None:
    """The schema of now."""
    (file,) = CRDS
    crd = yaml.safe_load(file.read_text())
    stage.cluster.kubectl("replace", "-f", "-", stdin=json.dumps(with_version(stage, crd)))


@pytest.mark.usefixtures("lax_schema")
def test_what_an_older_schema_let_in_is_told_and_holds_nobody_up(stage: Stage) -> None:
    stage.expected("create")
    with stage.trials("create", "create") as (healthy, poisoned):
        alone = seconds_until_made(stage, healthy.space, "alone")
        poisoned.space.wait(lambda: let_in(poisoned.space), "a server that checks nothing")
        restore(stage)
        beside = seconds_until_made(stage, healthy.space, "beside")
        for name in POISON:
            told = poisoned.space.wait_condition("Reconciled", "False", "InvalidSpec", name=name, timeout=60)
            assert len(told["message"]) < 32_768
            assert poisoned.space.condition("Ready", name)["status"] == "False"
            assert ("InvalidSpec", True) in {(reason, bool(note)) for reason, note in poisoned.space.events(name)}
        poisoned.wait_quiet()
        before = len(stage.proxy.writes(poisoned.space.name))
        time.sleep(5)
        assert len(stage.proxy.writes(poisoned.space.name)) == before, "what cannot be is not tried again and again"
        stage.found.poison = {"nothing": alone, f"{len(POISON)} poisonous apps": beside}
        for name in POISON:
            poisoned.space.delete(names.PLURAL, name)


def let_in(space: Space) -> bool:
    for name, spec in POISON.items():
        obj = {**app(name), "spec": spec}
        if not space.has(names.PLURAL, name):
            try:
                space.create(obj)
            except Exception as error:
                raise NotYet(f"{name}: {str(error)[-300:]}") from error
    return True


def seconds_until_made(stage: Stage, space: Space, prefix: str) -> list[float]:
    """Make apps one after the other; how long each waited for its Deployment to be asked for."""
    seconds = []
    for number in range(APPS):
        name = f"{prefix}-{number}"
        began = time.monotonic()
        space.apply(app(name, replicas=0))
        stage.wait(lambda name=name: asked_for(stage, space, name), f"the Deployment of {name}")
        seconds.append(asked_for(stage, space, name) - began)
    return seconds


def asked_for(stage: Stage, space: Space, name: str) -> float:
    """When the operator sent the Deployment of an app; 0 if it has not."""
    of_app = (call for call in stage.proxy.writes(space.name) if (call.resource, call.name) == ("deployments", name))
    return next((call.at for call in of_app), 0.0)
