"""A View and a Writer in one, without an API server: what is written is there, and every write is remembered."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from haapp.api.names import API_VERSION, HASH_ANNOTATION, KIND
from haapp.children import Child
from haapp.placement.model import Node, Pod, ReplicaSet
from haapp.reconcile.ports import Key

KEY = Key("shop", "web")
UID = "app-uid"


def app_object(generation: int = 1, **spec: Any) -> dict[str, Any]:
    """An app as the API server sends it."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": KEY.name, "namespace": KEY.namespace, "uid": UID, "generation": generation},
        "spec": {"app": {"image": "nginx:1", "ports": [{"containerPort": 80, "name": "http"}]}, **spec},
    }


def owned_fields(value: Any) -> Any:
    """fieldsV1 of an object whose every map is granular and every list atomic."""
    return {f"f:{k}": owned_fields(v) for k, v in value.items()} if isinstance(value, dict) else {}


class PlainCluster:
    """`refuse` maps a verb and kind (`create Service`) to what that write raises."""

    def __init__(self, app: dict[str, Any] | None = None) -> None:
        self.stored_app = app
        self.stored: dict[tuple[str, str], Child] = {}
        self.writes: list[str] = []
        self.statuses: list[Mapping[str, Any]] = []
        self.events: list[tuple[str, str]] = []
        self.replicas: dict[str, int | None] = {}
        self.refuse: dict[str, Exception] = {}
        self.apis: frozenset[str] = frozenset()

    # what is seen

    def app(self, key: Key) -> Mapping[str, Any] | None:
        return self.stored_app

    def children(self, key: Key) -> tuple[Child, ...]:
        return tuple(self.stored.values())

    def pods(self, key: Key) -> tuple[Pod, ...]:
        return ()

    async def selected_pods(self, key: Key, selector: Mapping[str, Any] | None) -> tuple[Pod, ...]:
        if selector is not None:
            self._try("list pods")
        return ()

    def replica_sets(self, key: Key) -> tuple[ReplicaSet, ...]:
        return ()

    def nodes(self) -> tuple[Node, ...]:
        return ()

    async def config_versions(
        self, key: Key, references: frozenset[tuple[str, str]], last: Mapping[tuple[str, str], str]
    ) -> dict[tuple[str, str], str]:
        self._try("list configs")
        return {}

    async def cluster(self, wanted: frozenset[str]) -> tuple[tuple[int, int], frozenset[str]]:
        self._try("discover")
        return (1, 37), self.apis

    # what is written

    async def create(self, key: Key, obj: dict[str, Any], replicas: int | None = None) -> Child:
        self.replicas[obj["kind"]] = replicas
        return self._store("create", obj)

    async def update(self, key: Key, obj: dict[str, Any], child: Child, replicas: int | None = None) -> Child:
        return self._store("update", obj)

    async def delete(self, key: Key, child: Child) -> None:
        self._try(f"delete {child.kind}")
        del self.stored[child.key]

    async def confirm(self, app: Mapping[str, Any]) -> None:
        self._try("confirm")

    async def patch_status(self, app: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        self._try("status")
        self.statuses.append(status)
        if self.stored_app is not None:
            self.stored_app = {**self.stored_app, "status": status}

    async def evict(self, namespace: str, pod: Pod) -> None:
        self._try("evict")

    async def find(self, kind: str, namespace: str, name: str) -> Child | None:
        return None

    def event(self, app: Mapping[str, Any], reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append((reason, message))

    # what tests ask

    def made(self, verbs: Iterable[str] = ("create", "update", "delete")) -> list[str]:
        """The writes of children so far."""
        return [write for write in self.writes if write.split()[0] in verbs]

    def _try(self, what: str) -> None:
        self.writes.append(what)
        if what in self.refuse:
            raise self.refuse[what]

    def _store(self, verb: str, obj: dict[str, Any]) -> Child:
        self._try(f"{verb} {obj['kind']}")
        meta = obj["metadata"]
        child = Child(
            kind=obj["kind"],
            namespace=meta["namespace"],
            name=meta["name"],
            uid=f"uid-{len(self.writes)}",
            resource_version=str(len(self.writes)),
            owner_uid=UID,
            desired_hash=meta["annotations"][HASH_ANNOTATION],
            owned=orjson.dumps(owned_fields({k: v for k, v in obj.items() if k not in {"apiVersion", "kind"}})),
            deleting=False,
        )
        self.stored[child.key] = child
        return child
