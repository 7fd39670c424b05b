"""What all objects of an app have in common: labels, owner, hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

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


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the template `metadata.yaml.j2` asks for. A file's app has no uid, and can own nothing."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owner: App | None


def metadata(
    app: App, name: str, component: str = names.COMPONENT_APP, annotations: Mapping[str, str] | None = None
) -> Metadata:
    """What an object of `app` has in common with all others."""
    return Metadata(
        name=name,
        namespace=app.namespace,
        labels=labels(app, component),
        annotations=annotations or {},
        owner=app if app.uid else None,
    )


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
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # a number of more than 64 bits, or more levels than it takes
        text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(text).hexdigest()[:16]
