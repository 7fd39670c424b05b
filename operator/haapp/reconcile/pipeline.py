"""The way of one change, in this order: validate, render, compare, write, assess, report.

Each visit looks at what is, never at what happened. Every step but the writes is a pure function of haapp.api,
haapp.render, haapp.children, haapp.placement and haapp.status.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from haapp.api import App, InvalidSpec, parse_app
from haapp.api.names import COMPONENT_CACHE
from haapp.api.text import cut
from haapp.exceptions import ApiError, NotLeading, Refused
from haapp.placement.contradictions import find
from haapp.placement.finding import Finding
from haapp.placement.model import Pod
from haapp.reconcile.announcing import announcements
from haapp.reconcile.applying import Applier, Written, failed, main_deployment
from haapp.reconcile.ports import Key, View, Writer
from haapp.reconcile.rebalancing import Rebalancer
from haapp.render import GATEWAY_API, MONITORING_API, Environment, config_references, versions_of
from haapp.status import Observed, Outcome, assess, assess_invalid, reasons
from haapp.status.pace import hearing, patience
from haapp.status.previous import with_readable_status
from haapp.status.text import one_line
from haapp.status.verdict import MESSAGE_LIMIT
from haapp.status.waiting import next_look

logger = logging.getLogger(__name__)

NEVER = datetime.min.replace(tzinfo=UTC)

MISSING_API_SECONDS = 65.0
"""When to look again for an optional API that the app wants and the cluster lacks."""

FAULT = "Fault"
FAULT_SECONDS = 30.0
"""When an app is tried again, at the earliest, on which the operator itself failed, or whose status was refused: most
likely it fails again."""

REFUSED = (
    "its status cannot be written: the API server refuses it, mostly because the app was stored under an older schema; "
    "the operator's log has its words. Change the spec to what `kubectl haapp check` accepts"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """How a visit ended. `again_in` (seconds) asks for another without an event; `failure` is the reason of one that
    did not reach its end and is retried with backoff, but not within `retry_after` seconds; `gone` tells that the app
    does not exist any more. `status` is what the app's status says now."""

    again_in: float | None = None
    failure: str = ""
    retry_after: float = 0.0
    message: str = ""
    gone: bool = False
    status: Mapping[str, Any] | None = None


class Untold(Exception):
    """A visit whose end the app's status cannot tell."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit.message)
        self.visit = visit


class Reconciler:
    """Visits one app at a time; different apps may be visited concurrently. `now` returns an aware UTC time, `crowded`
    whether many apps are being made or changed at the moment."""

    def __init__(
        self,
        view: View,
        writer: Writer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self._view = view
        self._writer = writer
        self._now = now
        self._crowded = crowded
        self._applier = Applier(view, writer)
        self._rebalancer = Rebalancer(writer, started=int(now().timestamp()))
        self._reported: dict[Key, datetime] = {}
        self._unheard: dict[Key, tuple[datetime, float]] = {}

    async def visit(self, key: Key) -> Visit:
        """Make the cluster what the app asks for, as far as one look tells, and its status what is so.

        Raises an ApiError where the status could not be written now, and NotLeading where this process must not write.
        """
        obj = self._view.app(key)
        if obj is None:
            self._applier.forget(key)
            self._rebalancer.forget(key)
            self._reported.pop(key, None)
            self._unheard.pop(key, None)
            return Visit(gone=True)
        if obj["metadata"].get("deletionTimestamp"):
            return Visit()
        try:
            return await self._look(key, with_readable_status(obj))
        except Untold as untold:
            return untold.visit

    async def _look(self, key: Key, obj: Mapping[str, Any]) -> Visit:
        try:
            return await self._visit(key, obj, parse_app(obj))
        except InvalidSpec as error:
            return await self._report_unread(key, obj, Outcome(reasons.INVALID_SPEC, str(error)))
        except (ApiError, NotLeading, Untold):
            raise
        except Exception as error:
            logger.exception("%s: a fault of the operator", key)
            return await self._report_fault(key, obj, error)

    async def _visit(self, key: Key, obj: Mapping[str, Any], app: App) -> Visit:
        try:
            environment = await self._environment(key, app)
        except ApiError as error:
            environment, written = Environment(), failed(error, ())
        else:
            written = await self._applier.apply(key, app, obj, environment)
        observed = await self._observe(key, app, written)
        status = assess(app, observed, obj.get("status") or {})
        waiting = await self._report(key, obj, status, observed.findings)
        moved = await self._rebalancer.move(key, app, obj, observed)
        missing_api = MISSING_API_SECONDS if optional_apis(app) - environment.apis else None
        return Visit(
            again_in=_soonest(moved, waiting, written.again_in, missing_api, next_look(observed)),
            failure=written.failure,
            retry_after=written.retry_after,
            message=written.outcome.message,
            status=status,
        )

    async def _environment(self, key: Key, app: App) -> Environment:
        version, apis = await self._view.cluster(optional_apis(app))
        references = config_references(app) if app.spec.rollout.restart_on_config_change else frozenset()
        deployment = main_deployment(self._view.children(key), app)
        last = versions_of(dict(deployment.annotations)) if deployment is not None else {}
        versions = await self._view.config_versions(key, references, last)
        return Environment(server_version=version, apis=apis, config_versions=versions)

    async def _observe(self, key: Key, app: App, written: Written) -> Observed:
        pods = self._view.pods(key)
        app_pods = tuple(pod for pod in pods if pod.component != COMPONENT_CACHE)
        cache_pods = await self._cache_pods(key, app, pods)
        nodes = self._view.nodes()
        return Observed(
            outcome=written.outcome,
            deployment=main_deployment(self._view.children(key), app),
            replica_sets=self._view.replica_sets(key),
            pods=app_pods,
            cache_pods=cache_pods,
            nodes=nodes,
            findings=find(app, nodes, app_pods, cache_pods),
            notes=written.notes,
            now=self._now(),
        )

    async def _cache_pods(self, key: Key, app: App, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        selector = app.spec.cache.selector if app.spec.cache else None
        elsewhere = await self._view.selected_pods(key, selector)
        if selector is not None:
            return elsewhere
        return tuple(pod for pod in pods if pod.component == COMPONENT_CACHE)

    async def _report_unread(self, key: Key, obj: Mapping[str, Any], outcome: Outcome) -> Visit:
        status = assess_invalid(obj["metadata"], outcome, obj.get("status") or {}, self._now())
        waiting = await self._report(key, obj, status)
        return Visit(again_in=waiting, status=status)

    async def _report_fault(self, key: Key, obj: Mapping[str, Any], error: Exception) -> Visit:
        """The operator itself failed on this app: it is told of, and tried again, though not often."""
        what = one_line(f"{type(error).__name__}: {error}", 256)
        message = f"a fault of the operator, please report it: {what}; it is tried again, and at each change of the app"
        visit = await self._report_unread(key, obj, Outcome(reasons.RENDER_ERROR, message))
        return replace(visit, failure=FAULT, message=message, retry_after=FAULT_SECONDS)

    async def _report(
        self, key: Key, obj: Mapping[str, Any], status: Mapping[str, Any], findings: Iterable[Finding] = ()
    ) -> float | None:
        """Write the status if it differs; seconds until then where it may wait."""
        before = obj.get("status") or {}
        if status == before:
            return None
        now = self._now()
        paced = _left(self._reported.get(key, NEVER), now, patience(before, status))
        waiting = max(paced, self._unheard_for(key, hearing(before, status, crowded=self._crowded()), now))
        if waiting > 0:
            return waiting
        try:
            await self._writer.patch_status(obj, status)
        except Refused as error:
            self._announce(obj, status, findings)
            self._writer.event(obj, reasons.STATUS_REFUSED, REFUSED, warning=True)
            self._reported[key] = now
            message = cut(str(error), MESSAGE_LIMIT)
            visit = Visit(failure=reasons.STATUS_REFUSED, retry_after=FAULT_SECONDS, message=message, status=status)
            raise Untold(visit) from error
        self._reported[key] = now
        self._announce(obj, status, findings)
        return None

    def _announce(self, obj: Mapping[str, Any], status: Mapping[str, Any], findings: Iterable[Finding]) -> None:
        for reason, message, warning in announcements(obj.get("status") or {}, status, findings):
            self._writer.event(obj, reason, message, warning=warning)

    def _unheard_for(self, key: Key, enough: float, now: datetime) -> float:
        """Seconds that are left of those for which the Deployment's controller is waited for: the most that it was
        given so far, since it stays late for some time after many apps were changed."""
        if not enough:
            self._unheard.pop(key, None)
            return 0.0
        since, most = self._unheard.get(key, (now, enough))
        self._unheard[key] = since, max(most, enough)
        return _left(since, now, max(most, enough))


def optional_apis(app: App) -> frozenset[str]:
    """The APIs that the app would use and a cluster may lack."""
    wanted = {GATEWAY_API} if app.spec.route else set()
    if app.spec.monitoring and app.spec.monitoring.pod_monitor:
        wanted.add(MONITORING_API)
    return frozenset(wanted)


def _left(since: datetime, now: datetime, enough: float) -> float:
    """Seconds that are left of `enough`; none if the clock was set back."""
    passed = (now - since).total_seconds()
    return enough - passed if 0 <= passed < enough else 0.0


def _soonest(*delays: float | None) -> float | None:
    return min((delay for delay in delays if delay is not None), default=None)
