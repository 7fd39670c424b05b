"""The little that is kept of each child: enough to say, without a request, whether it is as it was applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from haapp.api import jsontext
from haapp.api.names import FIELD_MANAGER, HASH_ANNOTATION, KIND
from haapp.placement.model import Deployment, deployment_of

_INTERNED: dict[bytes, bytes] = {}
_INTERNED_LIMIT = 4096
_NOTHING = b"{}"


@dataclass(frozen=True, slots=True)
class Child:
    """A child as last seen. `owned` is the set of fields that the operator's applied configuration holds (the JSON of
    managedFields' fieldsV1), `owner_uid` the uid of the controlling HighAvailabilityApp ("" if there is none)."""

    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str
    owner_uid: str
    desired_hash: str
    owned: bytes
    deleting: bool
    deployment: Deployment | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name: what tells the children of one namespace apart."""
        return self.kind, self.name

    @property
    def applied(self) -> bool:
        """Whether the operator has ever applied this object."""
        return self.owned != _NOTHING

    @property
    def version(self) -> int:
        """The resourceVersion as a number."""
        return number_of(self.resource_version)


def number_of(resource_version: str) -> int:
    """A resourceVersion as a number: later versions of one object are greater (KEP-5504). 0 where it is none."""
    return int(resource_version) if resource_version.isdigit() else 0


def child_of(kind: str, obj: dict[str, Any]) -> Child:
    """The projection of an object of the given kind, as the API server sends it."""
    meta = obj["metadata"]
    return Child(
        kind=kind,
        namespace=meta.get("namespace") or "",
        name=meta["name"],
        uid=meta.get("uid") or "",
        resource_version=meta.get("resourceVersion") or "",
        owner_uid=_owner_uid(meta),
        desired_hash=(meta.get("annotations") or {}).get(HASH_ANNOTATION) or "",
        owned=_intern(jsontext.dumps(_owned_fields(meta), option=orjson.OPT_SORT_KEYS)),
        deleting=bool(meta.get("deletionTimestamp")),
        deployment=deployment_of(obj) if kind == "Deployment" else None,
    )


def _owner_uid(meta: dict[str, Any]) -> str:
    for reference in meta.get("ownerReferences") or ():
        if reference.get("controller") and reference.get("kind") == KIND:
            return str(reference.get("uid") or "")
    return ""


def _owned_fields(meta: dict[str, Any]) -> dict[str, Any]:
    for entry in meta.get("managedFields") or ():
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource"):
            fields = dict(entry.get("fieldsV1") or {})
            fields["f:metadata"] = {k: v for k, v in fields.get("f:metadata", {}).items() if k != "f:ownerReferences"}
            return fields
    return {}


def _intern(fields: bytes) -> bytes:
    """Apps of one shape own the same fields: one copy of the text serves all of them."""
    if len(_INTERNED) >= _INTERNED_LIMIT:
        _INTERNED.clear()
    return _INTERNED.setdefault(fields, fields)
