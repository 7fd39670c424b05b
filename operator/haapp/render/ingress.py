"""The Ingress."""

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.metadata import metadata, refuse_reserved
from haapp.render.ports import main_port
from haapp.render.templating import fill


def ingress(app: App) -> Object | None:
    """The Ingress to the app's main port, where it is asked for."""
    wanted = app.spec.ingress
    if wanted is None:
        return None
    refuse_reserved(wanted.annotations, "spec.ingress.annotations")
    return fill(
        "ingress.yaml.j2",
        meta=metadata(app, app.name, annotations=wanted.annotations),
        ingress=wanted,
        service=app.name,
        port=main_port(app.spec)["name"],
    )
