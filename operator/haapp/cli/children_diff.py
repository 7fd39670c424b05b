"""What the operator would then write: the children as they are against what server-side dry runs make of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from haapp.api import App, Object
from haapp.api.names import ADOPT_ANNOTATION, FIELD_MANAGER, LABEL_MANAGED_BY, LABEL_PART_OF, MANAGED_BY
from haapp.children import Child, child_of, plan
from haapp.children.kinds import KINDS, kind_of
from haapp.cli.cluster import Cluster, Refused
from haapp.cli.differences import Difference, compare
from haapp.cli.errors import BadInput
from haapp.reconcile.adoption import kept_selector
from haapp.render import Environment, Rendered, config_references, render

Action = Literal["create", "change", "delete", "adopt", "conflict", "refused"]
METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PLURALS: Final = {"ConfigMap": "configmaps", "Secret": "secrets"}


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of one object; `message` is the server's where it refuses, else a remark."""

    kind: str
    name: str
    action: Action
    fields: tuple[Difference, ...] = ()
    message: str = ""


def changes(cluster: Cluster, app: App) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The operator's writes for an app as it would be stored, and its notes. Raises BadInput, RenderError."""
    environment, notes = environment_of(cluster, app)
    live = _live(cluster, app)
    adopted = _to_adopt(cluster, app, live)
    deployment = live.get(("Deployment", app.name)) or adopted
    child = child_of("Deployment", deployment) if deployment is not None else None
    selector = kept_selector(app, child.deployment if child is not None else None)
    rendered = render(app, replace(environment, adopted_selector=selector))
    if app.spec.paused:
        return (), (*notes, *rendered.notes, "spec.paused is true: the operator writes nothing")
    return tuple(_changes(cluster, app, rendered, live, adopted)), (*notes, *rendered.notes)


def environment_of(cluster: Cluster, app: App) -> tuple[Environment, tuple[str, ...]]:
    """The cluster as rendering has to know it. Whoever may not see a Secret's metadata gets a note instead."""
    versions: dict[tuple[str, str], str] = {}
    notes = []
    for kind, name in sorted(config_references(app) if app.spec.rollout.restart_on_config_change else ()):
        try:
            found = cluster.get(f"/api/v1/namespaces/{app.namespace}/{PLURALS[kind]}/{name}", METADATA_ONLY)
        except BadInput as error:
            notes.append(f"a restart because of {kind} {name} cannot be foretold: {error}")
            continue
        if found is not None:
            versions[kind, name] = f"{found['metadata']['uid']}/{found['metadata']['resourceVersion']}"
    return Environment(cluster.version(), cluster.api_versions(), versions), tuple(notes)


def _live(cluster: Cluster, app: App) -> dict[tuple[str, str], Object]:
    """Every object that the operator made for the app."""
    selector = f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_PART_OF}={app.name}"
    apis = cluster.api_versions()
    found = {}
    for kind in KINDS:
        if not kind.optional or kind.api_version in apis:
            folder = kind.path(app.namespace, "").rstrip("/")
            for item in cluster.items(folder, labelSelector=selector):
                found[kind.kind, item["metadata"]["name"]] = {"kind": kind.kind, "apiVersion": kind.api_version, **item}
    return found


def _to_adopt(cluster: Cluster, app: App, live: dict[tuple[str, str], Object]) -> Object | None:
    if app.annotations.get(ADOPT_ANNOTATION) != "true" or ("Deployment", app.name) in live:
        return None
    return cluster.get(f"/apis/apps/v1/namespaces/{app.namespace}/deployments/{app.name}")


def _changes(
    cluster: Cluster, app: App, rendered: Rendered, live: dict[tuple[str, str], Object], adopted: Object | None
) -> Iterator[Change]:
    own = {key: child_of(key[0], obj) for key, obj in live.items()}
    for obj in rendered.objects:
        key = obj["kind"], obj["metadata"]["name"]
        if adopted is not None and key == ("Deployment", app.name):
            yield _adopted(cluster, obj, adopted)
            continue
        if key not in live and (found := cluster.get(_path(obj))) is not None:
            live[key], own[key] = found, child_of(key[0], found)
    planned = plan(_without(rendered, adopted, app), own.values(), app.uid)
    conflicts = (Change(it.kind, it.name, "conflict", message=_conflict(it)) for it in planned.conflicts)
    created = (_dry(cluster, obj, None) for obj in planned.creates)
    updated = (_dry(cluster, obj, live[child.key]) for obj, child in planned.updates)
    deleted = (Change(child.kind, child.name, "delete") for child in planned.deletes)
    yield from (change for found in (conflicts, created, updated, deleted) for change in found if _tells(change))


def _without(rendered: Rendered, adopted: Object | None, app: App) -> list[Object]:
    mine = ("Deployment", app.name) if adopted is not None else None
    return [obj for obj in rendered.objects if (obj["kind"], obj["metadata"]["name"]) != mine]


def _tells(change: Change) -> bool:
    """An update may be of our own bookkeeping only."""
    return change.action != "change" or bool(change.fields)


def _dry(cluster: Cluster, obj: Object, before: Object | None) -> Change:
    kind, name = obj["kind"], obj["metadata"]["name"]
    try:
        after = cluster.dry_run(_path(obj), obj, FIELD_MANAGER)
    except Refused as error:
        return Change(kind, name, "refused", message=str(error))
    if before is None:
        return Change(kind, name, "create")
    return Change(kind, name, "change", compare(before, after))


def _adopted(cluster: Cluster, obj: Object, before: Object) -> Change:
    """The operator makes the whole spec its own first, so what it does not ask for goes: a replacement."""
    name, meta = obj["metadata"]["name"], before["metadata"]
    if any(reference.get("controller") for reference in meta.get("ownerReferences") or ()):
        return Change("Deployment", name, "conflict", message="another controller owns it")
    labels, annotations = (
        {**(meta.get(key) or {}), **obj["metadata"].get(key, {})} for key in ("labels", "annotations")
    )
    merged = {**meta, "labels": labels, "annotations": annotations}
    replicas = before["spec"].get("replicas")
    spec: dict[str, Any] = {**({"replicas": replicas} if replicas is not None else {}), **obj["spec"]}
    try:
        after = cluster.dry_replace(_path(obj), {**obj, "metadata": merged, "spec": spec})
    except Refused as error:
        return Change("Deployment", name, "refused", message=str(error))
    return Change(
        "Deployment", name, "adopt", compare({"kind": "Deployment", "apiVersion": "apps/v1", **before}, after)
    )


def _conflict(child: Child) -> str:
    owner = "belongs to another app" if child.owner_uid else "was not made by the operator"
    return f"it {owner}, so it is left alone and the app becomes Reconciled=False, NameConflict"


def _path(obj: Object) -> str:
    return kind_of(obj).path(obj["metadata"]["namespace"], obj["metadata"]["name"])
