"""Objects that no schema would let in, and an operator that fails on one: a condition and an Event, never a crash."""

import asyncio
import copy
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haapp.api import names
from haapp.children import Child, child_of
from haapp.cluster.overlay import Overlay
from haapp.cluster.seen import seen_app
from haapp.cluster.view import Indices
from haapp.exceptions import Forbidden, NotFound, Refused, Unavailable
from haapp.placement.model import Node, Pod, ReplicaSet, deployment_of, node_of, pod_of, replica_set_of
from haapp.reconcile import applying, pipeline
from haapp.reconcile.pipeline import FAULT_SECONDS, Reconciler
from haapp.reconcile.ports import Key
from haapp.render import ALL_OPTIONAL_APIS
from haapp.runtime.feed import key_of, name_of, owner_of, sinks
from haapp.runtime.triggers import Triggers
from haapp.runtime.workers import Workers
from haapp.runtime.workqueue import WorkQueue

KEY = Key("shop", "web")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
NODES = tuple(Node(f"{zone}-1", zone, ready=True) for zone in ("a", "b", "c"))


def app(**changes: Any) -> dict[str, Any]:
    meta = {"name": "web", "namespace": "shop", "uid": "u1", "generation": 1, "resourceVersion": "1"}
    spec = {"app": {"image": "example/web:1"}}
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": meta, "spec": spec, **changes}


class World:
    """A cluster of one namespace: implements the pipeline's View and Writer."""

    def __init__(self, *apps: dict[str, Any]) -> None:
        self.apps = {Key(obj["metadata"]["namespace"], obj["metadata"]["name"]): obj for obj in apps}
        self.made: dict[Key, list[Child]] = {}
        self.events: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.unlisted: Exception | None = None
        self.unwritable: Exception | None = None
        self.gone = False

    def app(self, key: Key) -> Mapping[str, Any] | None:
        return self.apps.get(key)

    def children(self, key: Key) -> tuple[Child, ...]:
        return tuple(self.made.get(key, ()))

    def pods(self, _: Key) -> tuple[Pod, ...]:
        return ()

    def replica_sets(self, _: Key) -> tuple[ReplicaSet, ...]:
        return ()

    def nodes(self) -> tuple[Node, ...]:
        return NODES

    async def selected_pods(self, _: Key, __: Mapping[str, Any] | None) -> tuple[Pod, ...]:
        return ()

    async def config_versions(self, *_: Any) -> dict[tuple[str, str], str]:
        if self.unlisted:
            raise self.unlisted
        return {}

    async def cluster(self, _: frozenset[str]) -> tuple[tuple[int, int], frozenset[str]]:
        return (1, 37), ALL_OPTIONAL_APIS

    async def confirm(self, _: Mapping[str, Any]) -> None:
        self.asked.append("confirm")
        if self.gone:
            raise NotFound("gone")

    async def find(self, *_: str) -> None:
        return None

    async def create(self, key: Key, obj: dict[str, Any], replicas: int | None = None) -> Child:
        self.asked.append(f"create {obj['kind']}")
        child = child_of(obj["kind"], {**obj, "metadata": {**obj["metadata"], "uid": f"uid-{len(self.asked)}"}})
        self.made.setdefault(key, []).append(child)
        return child

    async def update(self, key: Key, obj: dict[str, Any], child: Child, replicas: int | None = None) -> Child:
        self.asked.append(f"update {obj['kind']}")
        return child

    async def delete(self, _: Key, child: Child) -> None:
        self.asked.append(f"delete {child.kind}")

    async def patch_status(self, obj: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        self.asked.append("status")
        if self.unwritable:
            raise self.unwritable
        key = Key(obj["metadata"]["namespace"], obj["metadata"]["name"])
        self.apps[key] = {**obj, "status": dict(status)}

    def event(self, _: Mapping[str, Any], reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append((reason, message))

    def condition(self, kind: str, key: Key = KEY) -> dict[str, Any]:
        conditions = self.apps[key].get("status", {}).get("conditions", ())
        return next((dict(c) for c in conditions if c["type"] == kind), {})


def reconciler(world: World) -> Reconciler:
    return Reconciler(cast("Any", world), cast("Any", world), lambda: NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.none() | st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=3)
ODD: dict[tuple[str, ...], st.SearchStrategy[Any]] = {
    ("metadata", "labels"): TEXTS,
    ("metadata", "annotations"): TEXTS,
    ("metadata", "generation"): st.none() | st.integers(0, 2**63),
    ("metadata", "ownerReferences"): st.none() | st.lists(st.fixed_dictionaries({"uid": st.text(), "name": st.text()})),
    **dict.fromkeys((("spec",), ("status",), ("status", "conditions"), ("status", "replicas")), JSON),
    **{("spec", name): JSON for name in ("app", "replicas", "zones", "cache", "autoscaling", "rollout", "pod")},
    **{("spec", name): JSON for name in ("initSteps", "template", "taints", "sidecars", "logSidecar", "selector")},
    **{("status", name): JSON for name in ("selector", "containerStatuses", "initContainerStatuses", "allocatable")},
}
"""Fields, and what an API server may let stand in them: it holds every object's metadata to its types."""


@st.composite
def broken_objects(draw: st.DrawFn) -> dict[str, Any]:
    """An app in which a few fields hold whatever JSON may be."""
    obj = copy.deepcopy(app(status={}))
    obj["spec"] |= {"replicas": 3, "zones": {"minDomains": 3}, "cache": {"redis": {}}}
    for path in sorted(draw(st.lists(st.sampled_from(list(ODD)), min_size=1, max_size=3, unique=True))):
        parent: Any = obj
        for field in path[:-1]:
            parent = parent.get(field)
        if isinstance(parent, dict):
            parent[path[-1]] = draw(ODD[path])
    return obj


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken_objects())
async def test_any_app_is_visited_and_told_of(obj: dict[str, Any]) -> None:
    world = World(obj)
    visit = await reconciler(world).visit(KEY)
    assert world.condition("Ready")
    assert world.condition("Reconciled")["status"] in ("True", "False")
    assert visit.failure == ""
    if world.condition("Reconciled")["status"] == "False":
        assert world.events


@settings(max_examples=150, deadline=None)
@given(broken_objects())
def test_any_object_has_its_projections(obj: dict[str, Any]) -> None:
    for projection in (pod_of, node_of, deployment_of, replica_set_of):
        projection(obj)
    child_of("Deployment", obj)
    for key in (key_of, name_of, owner_of):
        hash(key(obj))
    seen_app(obj).body()


@settings(max_examples=100, deadline=None)
@given(broken_objects(), st.sampled_from(["ADDED", "MODIFIED", "DELETED", None]))
def test_any_object_may_be_told_of(obj: dict[str, Any], kind: str | None) -> None:
    indices = Indices()
    for sink in sinks(indices, Triggers(WorkQueue(), Overlay(), indices.apps)).values():
        sink({"type": kind, "object": obj})


@pytest.mark.parametrize(
    "obj",
    [
        app(spec={"app": {"image": "x" * 1_048_576}}),
        app(spec={"app": {"image": "a", "env": [{"name": f"N{n}", "value": "v" * 100} for n in range(10_000)]}}),
        app(spec={"app": {"image": "a"}, "replicas": 10**30}),
        app(spec={"app": {"image": "a"}, "unknown": {}}),
        app(spec={"app": {"image": "a"}, **{f"unknown-{n}": {} for n in range(20_000)}}),
        app(spec={"app": {"image": "a"}, "u" * 1_000_000: {}}),
        app(spec={"app": {"image": "a"}, "initSteps": [None] * 100_000}),
        app(spec={"app": {"image": "a", "env": [{"name": "N", "value": "v"}] * 10_000}}),
        app(spec=None),
        app(status=None),
        app(status={"conditions": None}),
        app(status={"conditions": [None, 3, {}]}),
    ],
    ids=[
        "long",
        "many",
        "huge",
        "unknown",
        "many unknown",
        "long unknown",
        "many nulls",
        "many twice",
        "no spec",
        "null status",
        "null conditions",
        "odd conditions",
    ],
)
async def test_what_is_too_much_ends_in_a_condition(obj: dict[str, Any]) -> None:
    world = World(obj)
    began = time.monotonic()
    await reconciler(world).visit(KEY)
    assert world.condition("Ready")
    assert len(str(world.apps[KEY]["status"])) < 65_536
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("step", ["parse_app", "assess", "find", "render", "plan"])
async def test_a_fault_of_the_operator_is_told_and_tried_again_slowly(
    step: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(applying if step in ("render", "plan") else pipeline, step, fails)
    world = World(app())
    visit = await reconciler(world).visit(KEY)
    told = world.condition("Reconciled")
    assert (told["status"], told["reason"]) == ("False", "RenderError")
    assert "a fault of the operator, please report it: ZeroDivisionError: no such luck" in told["message"]
    assert world.condition("Ready")["status"] == "False"
    assert "spec is not valid" not in str(world.apps[KEY]["status"])
    assert [reason for reason, _ in world.events][-1:] == ["RenderError"]
    assert visit.retry_after == FAULT_SECONDS
    assert "Traceback" in caplog.text
    status = world.apps[KEY]["status"]
    monkeypatch.undo()
    await reconciler(world).visit(KEY)
    assert world.condition("Reconciled")["status"] == "True"
    assert world.apps[KEY]["status"] != status


async def test_a_poisonous_app_is_not_tried_again_at_once_and_holds_no_other_up() -> None:
    keys = [Key("shop", f"app-{number}") for number in range(50)]
    visits: dict[Key, int] = {}
    queue: WorkQueue[Key] = WorkQueue()

    async def visit(key: Key) -> pipeline.Visit:
        visits[key] = visits.get(key, 0) + 1
        if key == keys[0]:
            raise RuntimeError("poison")
        return pipeline.Visit()

    workers = Workers(queue, visit, 4)
    for key in keys:
        queue.add(key)
    workers.start()
    for _ in range(1000):
        await asyncio.sleep(0)
    await workers.stop()
    assert visits == dict.fromkeys(keys, 1)


async def test_a_status_that_the_api_server_refuses_is_told_by_events() -> None:
    """It holds the whole object to its schema when the status is written."""
    world = World(app(spec={"app": None}))
    world.unwritable = Refused("spec.app: Required value")
    visit = await reconciler(world).visit(KEY)
    assert (visit.failure, visit.gone) == ("StatusRefused", False)
    assert "spec.app: Required value" in visit.message
    assert visit.status is not None
    conditions = {c["type"]: (c["status"], c["reason"]) for c in visit.status["conditions"]}
    assert conditions["Reconciled"] == ("False", "InvalidSpec")
    assert conditions["Ready"][0] == "False"
    told = dict(world.events)
    assert told["InvalidSpec"] == "spec.app: is missing: it must be given"
    assert "its status cannot be written" in told["StatusRefused"]
    assert visit.retry_after == FAULT_SECONDS


async def test_what_the_api_server_says_of_a_status_at_length_is_cut() -> None:
    world = World(app(spec={"app": None}))
    world.unwritable = Refused("x" * 10**6)
    visit = await reconciler(world).visit(KEY)
    assert len(visit.message) == 4096


async def test_a_fault_whose_status_is_refused_is_not_tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(pipeline, "assess", fails)
    world = World(app())
    world.unwritable = Refused("no")
    visit = await reconciler(world).visit(KEY)
    assert visit.retry_after == FAULT_SECONDS
    assert {"RenderError", "StatusRefused"} <= dict(world.events).keys()


async def test_what_the_api_server_says_at_length_is_cut() -> None:
    """It quotes a value that it refuses, of whatever length."""
    world = World(app())
    world.unlisted = Unavailable("quoted " + "x" * 1_000_000)
    await reconciler(world).visit(KEY)
    assert world.condition("Reconciled")["message"].startswith("quoted xxx")
    assert len(str(world.apps[KEY]["status"])) < 65_536


async def test_a_configuration_that_could_not_be_listed_changes_no_pods() -> None:
    world = World(app())
    world.unlisted = Unavailable("no answer")
    visit = await reconciler(world).visit(KEY)
    assert [asked for asked in world.asked if asked != "status"] == []
    assert world.condition("Reconciled")["reason"] == "ApiError"
    assert visit.failure == "ApiError"
    world.unlisted = Forbidden("no")
    await reconciler(world).visit(KEY)
    assert world.condition("Reconciled")["reason"] == "Forbidden"


async def test_what_a_deleted_app_has_lost_is_not_made_again() -> None:
    """The app's own watch is behind, that of its children is not: they are collected, and must not come back."""
    world = World(app())
    await reconciler(world).visit(KEY)
    assert "confirm" not in world.asked
    world.made.clear()
    world.asked.clear()
    world.gone = True
    with pytest.raises(NotFound):
        await reconciler(world).visit(KEY)
    assert world.asked == ["confirm"]
    world.gone = False
    await reconciler(world).visit(KEY)
    assert "create Deployment" in world.asked


async def test_nothing_is_kept_of_apps_that_are_gone() -> None:
    """Every dictionary and set of the reconciler, and of what it consists of, is as large after as before."""
    world = World()
    served = reconciler(world)
    before = sizes(served)
    keys = [Key("shop", f"app-{number}") for number in range(30)]
    for key in keys:
        obj = app(spec={"app": {"image": "example/web:1"}, "rollout": {"onFailure": "Rollback"}})
        obj["metadata"] |= {"name": key.name, "uid": f"uid-of-{key.name}"}
        world.apps[key] = obj
        await served.visit(key)
    assert sizes(served) != before
    world.apps.clear()
    world.made.clear()
    for key in keys:
        assert (await served.visit(key)).gone
    assert sizes(served) == before


def sizes(root: object) -> dict[str, int]:
    """The length of each collection that hangs on the object's attributes, but for those of the cluster itself."""
    found: dict[str, int] = {}

    def look(obj: object, path: str) -> None:
        for name, value in vars(obj).items():
            if isinstance(value, dict | set | list):
                found[f"{path}.{name}"] = len(value)
            elif type(value).__module__.startswith("haapp.reconcile"):
                look(value, f"{path}.{name}")

    look(root, "")
    return found
