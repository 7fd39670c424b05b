"""What all objects of an app have in common: labels, owner, hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.errors import RenderError


def labels(app: App, component: str) -> dict[str, str]:
    """The labels of everything that belongs to `app`."""
    return {
        names.LABEL_NAME: app.name,
        names.LABEL_INSTANCE: names.instance(app.name),
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_COMPONENT: component,
        names.LABEL_PART_OF: app.name,
    }


def selector(app: App, component: str) -> dict[str, str]:
    """The matchLabels by which the pods of one component are found. Fixed for good: a Deployment keeps its selector."""
    return {names.LABEL_NAME: app.name, names.LABEL_COMPONENT: component}


def metadata(
    app: App, name: str, component: str = names.COMPONENT_APP, annotations: Mapping[str, str] | None = None
) -> Object:
    """What the template `metadata.yaml.j2` asks for."""
    return {
        "name": name,
        "namespace": app.namespace,
        "labels": labels(app, component),
        "annotations": dict(annotations or {}),
        "owner": {"name": app.name, "uid": app.uid} if app.uid else None,
    }


def refuse_reserved(annotations: Iterable[str] | None, path: str) -> None:
    """Raises RenderError on an annotation by which the operator knows what it wrote itself."""
    for key in annotations or ():
        if key.startswith(names.ANNOTATION_PREFIX):
            raise RenderError(path, f"{key} is an annotation of the operator's; leave it out")


def seal(desired: Object) -> Object:
    """`desired` with the hash of itself as an annotation, by which an unchanged object is known."""
    meta = desired["metadata"]
    annotations = {**meta.get("annotations", {}), names.HASH_ANNOTATION: digest(desired)}
    return {**desired, "metadata": {**meta, "annotations": annotations}}


def digest(value: Any) -> str:
    """16 hexadecimal digits that stand for any JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
