"""desired x actual -> writes: what an app becomes is made so, and how that went is told in one outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from haapp import exceptions
from haapp.api import App
from haapp.api.names import ADOPT_ANNOTATION
from haapp.api.replicas import fewest
from haapp.children import Child, Plan, plan
from haapp.children.ownership import first_missing
from haapp.placement.model import Deployment
from haapp.reconcile.adoption import kept_selector, with_adopted
from haapp.reconcile.fights import Fights
from haapp.reconcile.ports import Foreign, Key, View, Writer
from haapp.reconcile.rollback import Rollback
from haapp.render import Environment, RenderError, render
from haapp.status import Outcome, reasons
from haapp.status.previous import is_told

FIRST = frozenset({"ServiceAccount", "ConfigMap"})
"""Kinds that have to be there before the pods that use them."""

REFUSED_SECONDS = 300.0
"""When to try again what the API server refuses: a policy of the cluster may do so, and be changed."""

INSTEAD = {
    "Deployment": f', or take it over with the annotation {ADOPT_ANNOTATION}: "true"',
    "Service": ", or keep it with spec.service.enabled: false",
    "ServiceAccount": ", or use it with spec.pod.serviceAccountName",
}
"""What else a user can do about an object of the same name."""


@dataclass(frozen=True, slots=True)
class Written:
    """How the writes went. `failure` names the reason of a failure that is retried, "" where there is none or where
    only a person can help; `again_in` and `retry_after` are in seconds, as in Visit. `children` are those that were
    compared, with the answers to the writes in the place of what was written."""

    outcome: Outcome
    notes: tuple[str, ...] = ()
    failure: str = ""
    again_in: float | None = None
    retry_after: float = 0.0
    children: tuple[Child, ...] = ()


class Applier:
    """Renders an app and writes what differs."""

    def __init__(self, view: View, writer: Writer) -> None:
        self._view = view
        self._writer = writer
        self._rollback = Rollback(view, writer)
        self._fights = Fights()
        self._settled: dict[Key, tuple[int, tuple[str, ...]]] = {}

    def forget(self, key: Key) -> None:
        """The app is gone."""
        self._settled.pop(key, None)
        self._rollback.forget(key)

    async def apply(self, key: Key, app: App, obj: Mapping[str, Any], environment: Environment) -> Written:
        """One round of writes for the app; `obj` is the app as the API server sent it. Raises NotLeading, and an
        ApiError where the app itself is gone or cannot be asked for.

        Where neither the app nor anything that is ours of its children has changed since a round that left nothing to
        write, nothing is rendered either: most visits are about pods.
        """
        settled = self._settled.get(key)
        if settled and settled[0] == _mark(app, environment, self._view.children(key)):
            return _reconciled(settled[1])
        written = await self._apply(key, app, obj, environment)
        if written.outcome.ok and written.again_in is None and app.spec.rollout.on_failure != "Rollback":
            self._settled[key] = (_mark(app, environment, written.children), written.notes)
        else:
            self._settled.pop(key, None)
        return written

    async def _apply(self, key: Key, app: App, obj: Mapping[str, Any], environment: Environment) -> Written:
        try:
            actual = await with_adopted(self._writer, key, app, self._view.children(key))
            deployment = main_deployment(actual, app)
            rendered = render(app, replace(environment, adopted_selector=kept_selector(app, deployment)))
            desired = await self._rollback.consider(key, app, deployment, rendered.objects)
        except RenderError as error:
            return Written(Outcome(reasons.RENDER_ERROR, str(error)))
        except (exceptions.ApiError, Foreign) as error:
            return failed(error, ())
        planned = plan(desired, actual, app.uid)
        if app.spec.paused:
            return Written(Outcome(reasons.PAUSED, _paused_message(planned)), rendered.notes)
        if _looks_deleted(planned, obj):
            await self._writer.confirm(obj)
        planned, again_in = self._fights.paced(planned)
        written, errors = await self._write(key, planned, fewest(app.spec))
        if errors:
            return failed(errors[0], rendered.notes)
        self._tell(obj, planned)
        gone = {child.uid for child in planned.deletes}
        children = {child.key: child for child in (*actual, *written) if child.uid not in gone}
        return replace(_reconciled(rendered.notes), children=tuple(children.values()), again_in=again_in)

    async def _write(self, key: Key, planned: Plan, replicas: int) -> tuple[list[Child], list[Exception]]:
        """What comes first is written first; what does not depend on each other is written at the same time."""
        written: list[Child] = []
        errors: list[Exception] = []
        for early in (True, False):
            if errors:
                return written, errors
            taken = [child for child in planned.conflicts if (child.kind in FIRST) is early]
            errors += [Foreign(child.kind, child.name, _owner(child)) for child in taken]
            made, failed = await _gather(
                [
                    self._writer.create(key, obj, _begins_with(obj, replicas))
                    for obj in planned.creates
                    if (obj["kind"] in FIRST) is early
                ]
                + [
                    self._writer.update(key, obj, child, _begins_with(obj, replicas))
                    for obj, child in planned.updates
                    if (child.kind in FIRST) is early
                ]
            )
            written += made
            errors += failed
        if not errors:
            _, errors = await _gather([self._writer.delete(key, child) for child in planned.deletes])
        return written, errors

    def _tell(self, obj: Mapping[str, Any], planned: Plan) -> None:
        drifted = {child.uid for child in planned.drifted}
        changed = [child for _, child in planned.updates if child.uid not in drifted]
        if planned.creates:
            self._writer.event(obj, "Created", f"Created {_names(planned.creates)}.")
        if changed:
            self._writer.event(obj, "Updated", f"Updated {_child_names(changed)}.")
        for desired, child in planned.updates:
            if child.uid in drifted:
                field = first_missing(desired, child.owned) or "metadata.ownerReferences"
                message = f"{child.kind} {child.name}: {field} was changed by somebody else and is put right."
                self._writer.event(obj, "DriftCorrected", message)
        if planned.deletes:
            self._writer.event(obj, "Deleted", f"Deleted {_child_names(planned.deletes)}: no longer asked for.")


def main_deployment(children: Iterable[Child], app: App) -> Deployment | None:
    """The app's own Deployment among its children, as last seen."""
    name = ("Deployment", app.name)
    return next((c.deployment for c in children if c.key == name and c.owner_uid in ("", app.uid)), None)


def _mark(app: App, environment: Environment, children: Iterable[Child]) -> int:
    """Equal for two rounds that would write the same. A child's status and foreign fields do not count."""
    ours = frozenset((c.key, c.uid, c.owner_uid, c.desired_hash, c.owned, c.deleting) for c in children)
    versions = frozenset(environment.config_versions.items())
    adopt = app.annotations.get(ADOPT_ANNOTATION)
    return hash((app.uid, app.generation, adopt, environment.server_version, environment.apis, versions, ours))


def _reconciled(notes: tuple[str, ...]) -> Written:
    return Written(Outcome(reasons.RECONCILED, "Everything asked for is applied."), notes)


async def _gather(writes: Iterable[Awaitable[Child | None]]) -> tuple[list[Child], list[Exception]]:
    """Run the writes together; what they gave, and what they raised. Losing the lease, or a fault, ends the visit."""
    results = await asyncio.gather(*writes, return_exceptions=True)
    errors: list[Exception] = []
    for result in results:
        if isinstance(result, exceptions.ApiError | Foreign):
            errors.append(result)
        elif isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, Child)], errors


def failed(error: Exception, notes: tuple[str, ...]) -> Written:
    """What became of a round that ended with this error."""
    if isinstance(error, Foreign):
        message = f"{error}, and is left alone: rename this app, or delete that object{INSTEAD.get(error.kind, '')}"
        return Written(Outcome(reasons.NAME_CONFLICT, message), notes, failure=reasons.NAME_CONFLICT)
    if isinstance(error, exceptions.Refused):
        outcome = Outcome(reasons.INVALID_SPEC, f"The API server refuses {error}")
        return Written(outcome, notes, again_in=REFUSED_SECONDS)
    if isinstance(error, exceptions.Forbidden):
        return Written(Outcome(reasons.FORBIDDEN, str(error)), notes, failure=reasons.FORBIDDEN)
    retry_after = getattr(error, "retry_after", 0.0)
    return Written(Outcome(reasons.API_ERROR, str(error)), notes, failure=reasons.API_ERROR, retry_after=retry_after)


def _owner(child: Child) -> str:
    return "belongs to another app" if child.owner_uid else "exists already"


def _looks_deleted(planned: Plan, obj: Mapping[str, Any]) -> bool:
    """Whether children that an app had are gone, or have lost their owner.

    The watch of the app may be behind those of its children. Made again, what is collected with a deleted app would be
    collected for ever; owned again, what `--cascade=orphan` has let go of would be collected after all. What a newer
    spec brings is made without a question: the app's status tells of that spec once all of it is there.
    """
    lost_owner = any(not child.owner_uid for _, child in planned.updates)
    return lost_owner or bool(planned.creates and is_told(obj))


def _begins_with(obj: Mapping[str, Any], replicas: int) -> int | None:
    """How many pods to begin with, for a Deployment that leaves their number to an autoscaler."""
    return replicas if obj["kind"] == "Deployment" and "replicas" not in obj["spec"] else None


def _paused_message(planned: Plan) -> str:
    waiting = len(planned.creates) + len(planned.updates) + len(planned.deletes)
    return "spec.paused is true: nothing is written" + (f"; {waiting} changes wait." if waiting else ".")


def _names(objects: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"{obj['kind']} {obj['metadata']['name']}" for obj in objects)


def _child_names(children: Iterable[Child]) -> str:
    return ", ".join(f"{child.kind} {child.name}" for child in children)
