"""Kopf's decorators: what is watched, what is kept of it, and which app each event is about.

Nothing is decided here. Kopf's handlers with a memory (create, update, delete, timers) would put finalizers and
annotations on the objects, so only its raw events and its indices are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kopf

from haapp.api.names import GROUP, PLURAL, VERSION
from haapp.children import KINDS, Child, child_of
from haapp.cluster import access, kopf_settings
from haapp.cluster.view import Indices
from haapp.placement.model import Node, Pod, ReplicaSet, node_of, pod_of, replica_set_of
from haapp.reconcile.ports import Key
from haapp.runtime import process
from haapp.runtime.triggers import app_body, app_key
from haapp.settings import from_environment

SETTINGS = from_environment()


@kopf.on.login()
async def login(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo | None:
    return kopf_settings.login(settings)


@kopf.on.startup()
async def startup(memo: kopf.Memo, settings: kopf.OperatorSettings, **kwargs: Any) -> None:
    kopf_settings.configure(settings, one_namespace=bool(SETTINGS.namespaces))
    indices = Indices(**{name: kwargs.get(name, {}) for name in Indices.__dataclass_fields__})
    try:
        memo.runtime = await process.start(indices, SETTINGS)
    except OSError as error:
        raise kopf.PermanentError(f"a port cannot be opened: {error}") from error
    settings.admission.server = memo.runtime.webhook()
    await access.until_served()


@kopf.on.cleanup()
async def cleanup(memo: kopf.Memo, **_: Any) -> None:
    await memo.runtime.stop()


@kopf.index(GROUP, VERSION, PLURAL, id="apps")
async def index_app(body: kopf.Body, **_: Any) -> Mapping[Key, Mapping[str, Any]]:
    return {Key(body.meta.namespace or "", body.meta.name or ""): app_body(body)}


@kopf.on.event(GROUP, VERSION, PLURAL, id="app")
async def on_app(memo: kopf.Memo, event: kopf.RawEvent, **_: Any) -> None:
    memo.runtime.triggers.app(event)


async def index_child(resource: kopf.Resource, body: kopf.Body, **_: Any) -> Mapping[Key, Child]:
    return {app_key(body): child_of(resource.kind or "", dict(body))}


async def on_child(memo: kopf.Memo, resource: kopf.Resource, event: kopf.RawEvent, **_: Any) -> None:
    memo.runtime.triggers.child(resource.kind, event)


for _kind in KINDS:
    kopf.index(_kind.group, _kind.version, _kind.plural, id="children")(index_child)
    kopf.on.event(_kind.group, _kind.version, _kind.plural, id="child")(on_child)


@kopf.index("", "v1", "pods", id="pods")
async def index_pod(body: kopf.Body, **_: Any) -> Mapping[Key, Pod]:
    return {app_key(body): pod_of(dict(body))}


@kopf.index("apps", "v1", "replicasets", id="replica_sets")
async def index_replica_set(body: kopf.Body, **_: Any) -> Mapping[Key, ReplicaSet]:
    return {app_key(body): replica_set_of(dict(body))}


@kopf.on.event("", "v1", "pods", id="pod")
@kopf.on.event("apps", "v1", "replicasets", id="replica_set")
async def on_dependent(memo: kopf.Memo, event: kopf.RawEvent, **_: Any) -> None:
    memo.runtime.triggers.dependent(event)


async def index_node(body: kopf.Body, **_: Any) -> Mapping[str, Node]:
    return {body.meta.name or "": node_of(dict(body))}


async def on_node(memo: kopf.Memo, event: kopf.RawEvent, **_: Any) -> None:
    memo.runtime.triggers.node(event)


if SETTINGS.nodes:
    kopf.index("", "v1", "nodes", id="nodes")(index_node)
    kopf.on.event("", "v1", "nodes", id="node")(on_node)


async def validate(memo: kopf.Memo, body: kopf.Body, warnings: list[str], **_: Any) -> None:
    warnings += await memo.runtime.reviewer.review(dict(body))


if SETTINGS.admission:
    kopf.on.validate(GROUP, VERSION, PLURAL, id="validate", operations=["CREATE", "UPDATE"])(validate)
