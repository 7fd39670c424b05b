"""A review of an app that is being applied, from what the watches have shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from haapp.admission import advice
from haapp.api import App, InvalidSpec
from haapp.cluster.client import Client, Request
from haapp.cluster.selectors import selector_text
from haapp.cluster.view import ClusterView
from haapp.exceptions import ApiError
from haapp.placement.model import Pod, pod_of
from haapp.reconcile.ports import Key

logger = logging.getLogger(__name__)

CACHE_PATIENCE = 0.7
"""Seconds that a review waits for the pods of a cache; without an answer nothing is said about it."""


class Reviewer:
    """Tells of an app what the operator would find in it. `indexed` says whether the indices are whole: half of the
    nodes would give wrong advice."""

    def __init__(self, view: ClusterView, client: Client, indexed: Callable[[], bool]) -> None:
        self._view = view
        self._client = client
        self._indexed = indexed

    async def review(self, obj: Mapping[str, Any]) -> tuple[str, ...]:
        """The warnings about an object; none where a fault keeps it from being judged."""
        try:
            app = advice.read(obj)
            return await self._advise(app)
        except InvalidSpec as error:
            return advice.refusals(error)
        except Exception:
            logger.exception("A fault in the review of an app: nothing was said about it.")
            return ()

    async def _advise(self, app: App) -> tuple[str, ...]:
        if not self._indexed():
            return advice.advise(app, ())
        pods = self._view.pods(Key(app.namespace, app.name))
        return advice.advise(app, self._view.nodes(), pods, await self._cache_pods(app))

    async def _cache_pods(self, app: App) -> tuple[Pod, ...] | None:
        """Asked for once, without the watch that a reconcile would begin: the app may only be tried out."""
        selector = advice.wanted_cache(app)
        if selector is None:
            return ()
        request = Request(
            "GET",
            f"/api/v1/namespaces/{app.namespace}/pods",
            params={"labelSelector": selector_text(selector), "resourceVersion": "0"},
            timeout=CACHE_PATIENCE,
        )
        try:
            answer = await self._client.send(request)
        except ApiError as error:
            logger.info("Nothing was said about the cache of %s/%s: %s", app.namespace, app.name, error)
            return None
        return tuple(pod_of(obj) for obj in answer.get("items") or ())
