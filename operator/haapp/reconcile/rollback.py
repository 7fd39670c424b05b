"""onFailure: Rollback. A rollout that has exceeded its deadline gives way to the last revision that still serves.

The decision is an annotation on the Deployment, written together with the template that it puts back: it outlives the
operator, and holds until the app's generation or what is rendered from it changes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from haapp.api import App
from haapp.api.names import COMPONENT_CACHE, HASH_ANNOTATION, ROLLED_BACK_ANNOTATION
from haapp.exceptions import Unavailable
from haapp.placement.model import TEMPLATE_HASH_LABEL, Deployment, ReplicaSet
from haapp.reconcile.ports import Key, View, Writer
from haapp.render.metadata import seal
from haapp.status import Observed, Outcome, reasons
from haapp.status.hindrance import cause_of_failure
from haapp.status.rollback import RolledBack, rollback_target, rolled_back
from haapp.status.scene import scene_of
from haapp.status.text import joined


class Rollback:
    """Replaces the rendered Deployment's pod template where a rollback is due or in force."""

    def __init__(self, view: View, writer: Writer) -> None:
        self._view = view
        self._writer = writer
        self._templates: dict[Key, tuple[str, dict[str, Any]]] = {}

    def forget(self, key: Key) -> None:
        """The app is gone."""
        self._templates.pop(key, None)

    async def consider(
        self, key: Key, app: App, deployment: Deployment | None, objects: tuple[dict[str, Any], ...]
    ) -> tuple[dict[str, Any], ...]:
        """The objects to apply. Raises an ApiError where the old template cannot be read for now."""
        if app.spec.rollout.on_failure != "Rollback" or deployment is None:
            return objects
        rendered = next(obj for obj in objects if _is_main(obj, app))
        record = self._record(key, app, deployment, rendered["metadata"]["annotations"][HASH_ANNOTATION])
        if record is None:
            self._templates.pop(key, None)
            return objects
        replica_set = self._replica_set(key, record, deployment)
        put_back = _with_template(rendered, await self._template(key, replica_set), record)
        return tuple(put_back if obj is rendered else obj for obj in objects)

    def _record(self, key: Key, app: App, deployment: Deployment, desired_hash: str) -> RolledBack | None:
        """The rollback in force, or the one that is due now."""
        record = rolled_back(app, deployment)
        if record is not None:
            return record if record.desired_hash == desired_hash else None
        replica_sets = self._view.replica_sets(key)
        target = rollback_target(app, deployment, replica_sets, desired_hash)
        if target is None:
            return None
        why = joined(target.failure, self._cause(key, app, deployment, replica_sets))
        return RolledBack(app.generation, str(target.revision), why, target.template_hash, desired_hash)

    def _cause(self, key: Key, app: App, deployment: Deployment, replica_sets: tuple[ReplicaSet, ...]) -> str:
        """What kept the new revision from coming up: with its pods goes all that told of it."""
        observed = Observed(
            outcome=Outcome(reasons.RECONCILED, ""),
            deployment=deployment,
            replica_sets=replica_sets,
            pods=tuple(pod for pod in self._view.pods(key) if pod.component != COMPONENT_CACHE),
            cache_pods=(),
            nodes=self._view.nodes(),
            now=datetime.now(UTC),
        )
        return cause_of_failure(scene_of(app, observed))

    def _replica_set(self, key: Key, record: RolledBack, deployment: Deployment) -> ReplicaSet:
        """What serves now. While it was not shown nothing is applied: the template that failed would come back."""
        for replica_set in self._view.replica_sets(key):
            if replica_set.owner_uid == deployment.uid and replica_set.template_hash == record.template_hash:
                return replica_set
        raise Unavailable(f"the ReplicaSet of revision {record.revision}, which was rolled back to, is not to be seen")

    async def _template(self, key: Key, replica_set: ReplicaSet) -> dict[str, Any]:
        """A ReplicaSet's template never changes: it is read once."""
        uid, template = self._templates.get(key, ("", {}))
        if uid != replica_set.uid:
            template = await self._writer.replica_set_template(key.namespace, replica_set)
            self._templates[key] = (replica_set.uid, template)
        return template


def _is_main(obj: dict[str, Any], app: App) -> bool:
    return bool(obj["kind"] == "Deployment" and obj["metadata"]["name"] == app.name)


def _with_template(rendered: dict[str, Any], template: dict[str, Any], record: RolledBack) -> dict[str, Any]:
    """The Deployment with the template put back, less what the Deployment controller added to it."""
    meta = {k: v for k, v in template["metadata"].items() if k != "creationTimestamp"}
    meta["labels"] = {k: v for k, v in meta.get("labels", {}).items() if k != TEMPLATE_HASH_LABEL}
    annotations = {k: v for k, v in rendered["metadata"]["annotations"].items() if k != HASH_ANNOTATION}
    annotations[ROLLED_BACK_ANNOTATION] = record.to_annotation()
    return seal(
        {
            **rendered,
            "metadata": {**rendered["metadata"], "annotations": annotations},
            "spec": {**rendered["spec"], "template": {**template, "metadata": meta}},
        }
    )
