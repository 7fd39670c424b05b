"""Taking over a Deployment that was written by hand: from then on its spec is what the app asks for, and no more.

A server-side apply leaves fields alone that another manager owns, so a container that only the old manifest knows
would stay for ever. Ownership of the whole spec is therefore moved to the operator first, as client-go's csaupgrade
does for kubectl; the apply that follows then removes what the app does not ask for. Labels and annotations of the
Deployment itself stay with whoever set them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from haapp.api.names import FIELD_MANAGER

SPEC = "f:spec"


def absorbed(managed_fields: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The managedFields with all ownership of spec fields in one Apply entry of the operator's.

    Entries of subresources (status, scale) are kept as they are.
    """
    kept: list[dict[str, Any]] = []
    spec: dict[str, Any] = {}
    api_version, time = "", None
    for entry in managed_fields:
        fields = dict(entry.get("fieldsV1") or {})
        if not entry.get("subresource") and SPEC in fields:
            spec = _union(spec, fields.pop(SPEC))
            api_version, time = entry["apiVersion"], entry.get("time")
        if fields:
            kept.append({**entry, "fieldsV1": fields})
    if not spec:
        return kept
    ours = {
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "apiVersion": api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": {SPEC: spec},
    }
    return [*kept, ours]


def _union(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _union(a.get(key, {}), b.get(key, {})) for key in [*a, *(k for k in b if k not in a)]}
