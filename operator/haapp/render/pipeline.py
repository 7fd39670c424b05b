"""From an app to all of its objects."""

from collections.abc import Iterable

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.autoscaler import autoscaler
from haapp.render.cache import cache_deployment, cache_service
from haapp.render.config_map import config_maps
from haapp.render.deployment import deployment
from haapp.render.disruption_budget import disruption_budget
from haapp.render.environment import Environment, Rendered
from haapp.render.ingress import ingress
from haapp.render.log_shipper import log_notes
from haapp.render.metadata import digest, seal
from haapp.render.metadata import selector as own_selector
from haapp.render.monitoring import monitoring_notes, pod_monitor
from haapp.render.network_policy import network_notes, network_policy
from haapp.render.rollout import rollout_notes
from haapp.render.route import route
from haapp.render.service import service
from haapp.render.service_account import service_account
from haapp.render.versions import versions_used

DEFAULT_ENVIRONMENT = Environment()


def render(app: App, environment: Environment = DEFAULT_ENVIRONMENT) -> Rendered:
    """All that `app` becomes. Equal input gives equal output. Raises RenderError where the spec contradicts itself."""
    selector = dict(environment.adopted_selector or own_selector(app, names.COMPONENT_APP))
    configs = config_maps(app)
    own_service, service_note = service(app, environment, selector)
    near_service, cache_note = cache_service(app, environment)
    own_route, route_note = route(app, environment)
    objects = [
        service_account(app),
        *configs,
        own_service,
        near_service,
        cache_deployment(app),
        network_policy(app, selector),
        deployment(app, selector, config_hash(app, environment, configs), versions_used(app, environment)),
        disruption_budget(app, selector),
        autoscaler(app),
        ingress(app),
        own_route,
        pod_monitor(app, environment, selector),
    ]
    spec = app.spec
    notes = [
        *(note for note in (service_note, cache_note, route_note) if note),
        *monitoring_notes(spec, environment),
        *network_notes(spec),
        *log_notes(spec),
        *rollout_notes(spec),
    ]
    return Rendered(tuple(seal(desired) for desired in objects if desired is not None), tuple(notes))


def config_hash(app: App, environment: Environment, configs: Iterable[Object]) -> str | None:
    """What changes with the pods' configuration; None where they have none."""
    rendered = {config["metadata"]["name"]: config["data"] for config in configs}
    used = versions_used(app, environment)
    return digest([rendered, used]) if rendered or used else None
