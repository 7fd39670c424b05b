"""Kopf's decorators: what is watched, what is kept of it, and which app each event is about.

Nothing is decided here. Kopf's handlers with a memory (create, update, delete, timers) would put finalizers and
annotations on the objects, so only its raw events and its indices are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kopf

from haapp.api.names import GROUP, PLURAL, VERSION
from haapp.children import KINDS
from haapp.cluster import access, following, kopf_settings
from haapp.cluster.view import Indices
from haapp.placement.model import Node, node_of
from haapp.reconcile.ports import Key
from haapp.runtime import feed, process
from haapp.runtime.triggers import app_body
from haapp.settings import from_environment

SETTINGS = from_environment()


@kopf.on.login()
async def login(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo | None:
    return kopf_settings.login(settings)


@kopf.on.startup()
async def startup(memo: kopf.Memo, settings: kopf.OperatorSettings, **kwargs: Any) -> None:
    kopf_settings.configure(settings, one_namespace=bool(SETTINGS.namespaces))
    indices = Indices(apps=kwargs["apps"], nodes=kwargs.get("nodes", {}))
    try:
        memo.runtime = await process.start(indices, SETTINGS)
    except OSError as error:
        raise kopf.PermanentError(f"a port cannot be opened: {error}") from error
    following.install(feed.sinks(indices, memo.runtime.triggers))
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


async def watched(**_: Any) -> None:
    """Never called: the events of these kinds go to `runtime.feed`. For this handler's sake Kopf watches them, and
    holds back the first events of apps until the lists are whole."""


for _kind in KINDS:
    kopf.index(_kind.group, _kind.version, _kind.plural, id="watched")(watched)
for _dependent in kopf_settings.DEPENDENTS:
    kopf.index(*_dependent, id="watched")(watched)


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
