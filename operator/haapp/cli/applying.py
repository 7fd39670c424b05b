"""What `kubectl apply` of an app would make of it, asked by dry run, the way the app was applied before."""

from collections.abc import Mapping
from typing import Any, Final

from haapp.api import jsontext
from haapp.api.names import API_VERSION, FIELD_MANAGER, PLURAL
from haapp.api.objects import Object
from haapp.cli.cluster import Cluster
from haapp.cli.differences import LAST_APPLIED

KUBECTL: Final = "kubectl"
"""The field manager of `kubectl apply --server-side`."""


def path_of(app: Object) -> str:
    """Where the API server keeps the app."""
    meta = app["metadata"]
    return f"/apis/{API_VERSION}/namespaces/{meta['namespace']}/{PLURAL}/{meta['name']}"


def applied(cluster: Cluster, app: Object, live: Object | None) -> Object:
    """The app after the apply, as the server would store it. Raises Refused, BadInput.

    An app that was applied server-side is so again, by the same manager; one that carries what client-side apply last
    wrote is patched by the three-way rule that kubectl follows for custom resources.
    """
    path = path_of(app)
    manager = _manager(live) if live is not None else KUBECTL
    if live is None or manager is not None:
        return cluster.dry_run(path, app, manager or KUBECTL)
    last = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    patch = _patch(jsontext.loads(last) if last else {}, app)
    return cluster.dry_patch(path, patch)


def _manager(live: Object) -> str | None:
    """Who applies the spec server-side, `None` where nobody does."""
    for entry in live["metadata"].get("managedFields") or ():
        if (
            entry.get("operation") == "Apply"
            and "f:spec" in (entry.get("fieldsV1") or {})
            and not entry.get("subresource")
        ):
            return None if entry["manager"] == FIELD_MANAGER else str(entry["manager"])
    return None


def _patch(last: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch to the new object: `null` for what was applied before and is asked for no longer."""
    patch: dict[str, Any] = {key: None for key in last if key not in new}
    for key, value in new.items():
        before = last.get(key)
        patch[key] = _patch(before if isinstance(before, dict) else {}, value) if isinstance(value, dict) else value
    return patch
