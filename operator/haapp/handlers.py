"""Kopf's decorators: what is watched, and what belongs to the start and the end of the process.

Nothing is decided here. Kopf's handlers with a memory (create, update, delete, timers) would put finalizers and
annotations on the objects, and all of its handlers cost a task and a memory for each object: of its watches only the
events are used, which go to `runtime.feed`.
"""

from __future__ import annotations

from typing import Any

import kopf

from haapp.api.names import GROUP, PLURAL, VERSION
from haapp.cluster import access, following, kopf_settings
from haapp.cluster.view import Indices
from haapp.runtime import feed, process
from haapp.settings import from_environment

SETTINGS = from_environment()


@kopf.on.login()
async def login(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo | None:
    return kopf_settings.login(settings)


@kopf.on.startup()
async def startup(memo: kopf.Memo, settings: kopf.OperatorSettings, **_: Any) -> None:
    kopf_settings.configure(settings, one_namespace=bool(SETTINGS.namespaces), shard=SETTINGS.shard)
    indices = Indices()
    try:
        memo.runtime = await process.start(indices, SETTINGS)
    except OSError as error:
        raise kopf.PermanentError(f"a port cannot be opened: {error}") from error
    sinks = feed.sinks(indices, memo.runtime.triggers, nodes=SETTINGS.nodes)
    following.install(sinks, SETTINGS.namespaces, SETTINGS.shard)
    memo.runtime.begin()
    settings.admission.server = memo.runtime.webhook()
    await access.until_served()


@kopf.on.cleanup()
async def cleanup(memo: kopf.Memo, **_: Any) -> None:
    await memo.runtime.stop()


async def watched(**_: Any) -> None:
    """Never called. For this handler's sake Kopf watches a kind."""


for _resource in kopf_settings.watched(nodes=SETTINGS.nodes):
    kopf.index(*_resource, id="watched")(watched)


async def validate(memo: kopf.Memo, body: kopf.Body, warnings: list[str], **_: Any) -> None:
    warnings += await memo.runtime.reviewer.review(dict(body))


if SETTINGS.admission:
    kopf.on.validate(GROUP, VERSION, PLURAL, id="validate", operations=["CREATE", "UPDATE"])(validate)
