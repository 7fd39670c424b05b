"""The app's Deployment."""

from collections.abc import Mapping

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.metadata import metadata
from haapp.render.pod import pod_template
from haapp.render.templating import fill


def deployment(app: App, selector: Mapping[str, str], config_hash: str | None) -> Object:
    """The Deployment. `replicas` stays out while an autoscaler owns it."""
    return fill(
        "deployment.yaml.j2",
        meta=metadata(app, app.name),
        selector=dict(selector),
        replicas=app.spec.replicas if app.spec.autoscaling is None else None,
        rollout=app.spec.rollout,
        pod=pod_template(app, selector, config_hash),
    )
