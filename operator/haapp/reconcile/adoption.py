"""Adoption: with the annotation on the app, a hand-written Deployment of its name is taken over instead of refused."""

from __future__ import annotations

from haapp.api import App
from haapp.api.names import ADOPT_ANNOTATION, COMPONENT_APP
from haapp.children import Child
from haapp.placement.model import Deployment
from haapp.reconcile.ports import Key, Writer
from haapp.render import RenderError
from haapp.render.metadata import selector


async def with_adopted(writer: Writer, key: Key, app: App, children: tuple[Child, ...]) -> tuple[Child, ...]:
    """The children, with the Deployment that is to be taken over among them if there is one. Raises an ApiError,
    Foreign where another controller owns it, and RenderError where its selector cannot be kept."""
    name = ("Deployment", app.name)
    if app.annotations.get(ADOPT_ANNOTATION) != "true" or app.spec.paused or any(c.key == name for c in children):
        return children
    found = await writer.find("Deployment", key.namespace, app.name)
    if found is None or found.owner_uid == app.uid:
        return children
    kept_selector(app, found.deployment)
    return (*children, await writer.absorb(found))


def kept_selector(app: App, deployment: Deployment | None) -> dict[str, str] | None:
    """The matchLabels that an adopted Deployment has for good, `None` where it has the usual ones."""
    if deployment is None or not deployment.selector:
        return None
    terms = [term.split("=") for term in deployment.selector.split(",")]
    if any(len(term) != 2 for term in terms):
        message = "that Deployment's selector has matchExpressions, which cannot be kept; create it anew without them"
        raise RenderError(f"metadata.annotations[{ADOPT_ANNOTATION}]", message)
    labels = dict(terms)
    return None if labels == selector(app, COMPONENT_APP) else labels
