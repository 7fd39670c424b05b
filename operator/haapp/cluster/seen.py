"""What is kept of a HighAvailabilityApp that a watch has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from haapp.api import jsontext
from haapp.children.model import number_of
from haapp.status.previous import is_told

ASKED: Final = ("generation", "labels", "annotations", "deletionTimestamp")


@dataclass(frozen=True, slots=True)
class SeenApp:
    """An app as last seen. `asked` is equal for two states that differ in their status alone; `told` says whether the
    status is of what is asked for now; `text` is the object as JSON: a fraction of what its dictionaries would take,
    and read only when the app is visited."""

    uid: str
    resource_version: str
    asked: int
    told: bool
    text: bytes

    @property
    def version(self) -> int:
        """The resourceVersion as a number."""
        return number_of(self.resource_version)

    def body(self) -> dict[str, Any]:
        """The object, without its managedFields."""
        found: dict[str, Any] = jsontext.loads(self.text)
        return found


def seen_app(obj: Mapping[str, Any]) -> SeenApp:
    """What is kept of the object: managedFields can be larger than the rest, and nobody reads them. An object that is
    nested too deeply to be kept whole is cut, and still too deep for the parser, which tells of it."""
    meta = obj["metadata"]
    kept = {**obj, "metadata": {k: v for k, v in dict(meta).items() if k != "managedFields"}}
    return SeenApp(
        uid=str(meta.get("uid")),
        resource_version=str(meta.get("resourceVersion") or ""),
        asked=hash(jsontext.dumps([meta.get(field) for field in ASKED])),
        told=is_told(obj),
        text=jsontext.dumps(kept),
    )
