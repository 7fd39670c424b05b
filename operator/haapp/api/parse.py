"""From an object as the API server or a file gives it to an `App`."""

from typing import Any

from haapp.api.app import App
from haapp.api.decode import decode
from haapp.api.spec import Spec


def parse_app(obj: Any) -> App:
    """The HighAvailabilityApp in `obj`. Raises InvalidSpec, and nothing else, if it is none."""
    metadata = obj["metadata"]
    return App(
        name=metadata["name"],
        namespace=metadata.get("namespace") or "default",
        uid=metadata.get("uid") or "",
        generation=metadata.get("generation") or 0,
        labels=dict(metadata.get("labels") or {}),
        annotations=dict(metadata.get("annotations") or {}),
        spec=decode(Spec, obj["spec"]),
    )
