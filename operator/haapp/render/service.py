"""The Service over the app's ports."""

from collections.abc import Mapping

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.environment import Environment
from haapp.render.metadata import metadata, refuse_reserved
from haapp.render.ports import service_ports
from haapp.render.templating import fill
from haapp.render.traffic import traffic_distribution


def service(app: App, environment: Environment, selector: Mapping[str, str]) -> tuple[Object | None, str]:
    """The Service, and a note if the server is too old for what it asks for."""
    wanted, ports = app.spec.service, service_ports(app.spec)
    if wanted.enabled is False or not ports:
        return None, ""
    refuse_reserved(wanted.annotations, "spec.service.annotations")
    distribution, note = traffic_distribution(wanted.traffic_distribution, environment.server_version)
    filled = fill(
        "service.yaml.j2",
        meta=metadata(app, app.name, annotations=wanted.annotations),
        selector=dict(selector),
        type=wanted.type,
        session_affinity=wanted.session_affinity,
        traffic_distribution=distribution,
        ports=ports,
    )
    return filled, note
