"""A visit that has nothing to write renders nothing; any change of what is ours makes it look again."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from haapp.api import App, parse_app
from haapp.api.names import API_VERSION, HASH_ANNOTATION, KIND
from haapp.children import Child
from haapp.reconcile import applying
from haapp.reconcile.applying import Applier
from haapp.reconcile.ports import Key
from haapp.render import Environment

KEY = Key("shop", "web")


def owned_fields(value: Any) -> Any:
    """fieldsV1 of an object whose every map is granular and every list atomic."""
    return {f"f:{k}": owned_fields(v) for k, v in value.items()} if isinstance(value, dict) else {}


class Cluster:
    """A View and Writer in one: what is written is there."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Child] = {}
        self.writes = 0

    def children(self, key: Key) -> tuple[Child, ...]:
        return tuple(self.stored.values())

    async def create(self, key: Key, obj: dict[str, Any], replicas: int | None = None) -> Child:
        return self._store(obj)

    async def update(self, key: Key, obj: dict[str, Any], child: Child, replicas: int | None = None) -> Child:
        return self._store(obj)

    async def delete(self, key: Key, child: Child) -> None:
        self.writes += 1
        del self.stored[child.key]

    def event(self, *_: Any, **__: Any) -> None:
        return None

    def _store(self, obj: dict[str, Any]) -> Child:
        self.writes += 1
        meta = obj["metadata"]
        fields = {k: v for k, v in obj.items() if k not in {"apiVersion", "kind"}}
        child = Child(
            kind=obj["kind"],
            namespace=meta["namespace"],
            name=meta["name"],
            uid=f"uid-{self.writes}",
            resource_version=str(self.writes),
            owner_uid="app-uid",
            desired_hash=meta["annotations"][HASH_ANNOTATION],
            owned=orjson.dumps(owned_fields(fields)),
            deleting=False,
        )
        self.stored[child.key] = child
        return child


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> list[App]:
    seen: list[App] = []
    true_render = applying.render

    def render(app: App, environment: Environment) -> Any:
        seen.append(app)
        return true_render(app, environment)

    monkeypatch.setattr(applying, "render", render)
    return seen


def app_of(generation: int = 1, **spec: Any) -> App:
    obj = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "web", "namespace": "shop", "uid": "app-uid", "generation": generation},
        "spec": {"app": {"image": "nginx:1"}, **spec},
    }
    return parse_app(obj)


async def visit(applier: Applier, app: App, environment: Environment | None = None) -> None:
    written = await applier.apply(KEY, app, {"metadata": {}}, environment or Environment())
    assert written.outcome.ok


async def test_the_second_visit_renders_nothing(cluster: Cluster, renders: list[App]) -> None:
    applier = Applier(cluster, cluster)  # type: ignore[arg-type]
    await visit(applier, app_of())
    writes = cluster.writes
    await visit(applier, app_of())
    assert (len(renders), cluster.writes) == (1, writes)


@pytest.mark.parametrize(
    ("app", "environment"),
    [
        (app_of(2, replicas=4), Environment()),
        (app_of(), Environment(server_version=(1, 36))),
        (app_of(), Environment(config_versions={("ConfigMap", "a"): "2"})),
    ],
    ids=["generation", "server", "config"],
)
async def test_whatever_rendering_depends_on_makes_it_look_again(
    cluster: Cluster, renders: list[App], app: App, environment: Environment
) -> None:
    applier = Applier(cluster, cluster)  # type: ignore[arg-type]
    await visit(applier, app_of())
    await visit(applier, app, environment)
    assert len(renders) == 2


async def test_drift_and_loss_are_put_right(cluster: Cluster, renders: list[App]) -> None:
    applier = Applier(cluster, cluster)  # type: ignore[arg-type]
    await visit(applier, app_of())
    key = ("Deployment", "web")
    cluster.stored[key] = replace(cluster.stored[key], owned=b"{}", resource_version="99")
    writes = cluster.writes
    await visit(applier, app_of())
    assert cluster.writes == writes + 1
    del cluster.stored[key]
    await visit(applier, app_of())
    assert cluster.writes == writes + 2
    await visit(applier, app_of())
    assert cluster.writes == writes + 2


async def test_what_drifts_while_the_round_writes_is_put_right_by_the_next(cluster: Cluster) -> None:
    applier = Applier(cluster, cluster)  # type: ignore[arg-type]
    await visit(applier, app_of())
    drifting = ("PodDisruptionBudget", "web")
    store = cluster._store

    def store_and_drift(obj: dict[str, Any]) -> Child:
        cluster.stored[drifting] = replace(cluster.stored[drifting], owned=b"{}", resource_version="99")
        return store(obj)

    cluster._store = store_and_drift  # type: ignore[method-assign]
    cluster.stored["Deployment", "web"] = replace(cluster.stored["Deployment", "web"], owned=b"{}")
    await visit(applier, app_of())
    assert cluster.stored[drifting].owned == b"{}"
    cluster._store = store  # type: ignore[method-assign]
    await visit(applier, app_of())
    assert cluster.stored[drifting].owned != b"{}"


async def test_with_automatic_rollback_each_visit_looks_at_the_rollout(cluster: Cluster, renders: list[App]) -> None:
    applier = Applier(cluster, cluster)  # type: ignore[arg-type]
    for _ in range(2):
        await visit(applier, app_of(rollout={"onFailure": "Rollback"}))
    assert len(renders) == 2
