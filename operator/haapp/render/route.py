"""The Gateway API's HTTPRoute."""

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.environment import GATEWAY_API, Environment
from haapp.render.metadata import metadata
from haapp.render.ports import main_port
from haapp.render.templating import fill


def route(app: App, environment: Environment) -> tuple[Object | None, str]:
    """The HTTPRoute to the app's main port, and a note where the API is not installed."""
    wanted = app.spec.route
    if wanted is None:
        return None, ""
    if GATEWAY_API not in environment.apis:
        return None, f"HTTPRoute is not rendered: {GATEWAY_API} is not installed"
    filled = fill(
        "httproute.yaml.j2",
        meta=metadata(app, app.name),
        route=wanted,
        parents=list(wanted.parent_refs),
        hostnames=list(wanted.hostnames),
        service=app.name,
        port=main_port(app.spec)["containerPort"],
    )
    return filled, ""
