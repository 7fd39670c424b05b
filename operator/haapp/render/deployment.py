"""The app's Deployment."""

from collections.abc import Mapping

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.metadata import metadata
from haapp.render.pod import pod_template
from haapp.render.templating import fill
from haapp.render.versions import versions_annotation


def deployment(app: App, selector: Mapping[str, str], config_hash: str | None, versions: Mapping[str, str]) -> Object:
    """The Deployment, which records the `versions` of its configuration. `replicas` stays out while an autoscaler owns
    it."""
    return fill(
        "deployment.yaml.j2",
        meta=metadata(app, app.name, annotations=versions_annotation(versions)),
        selector=dict(selector),
        replicas=app.spec.replicas if app.spec.autoscaling is None else None,
        rollout=app.spec.rollout,
        pod=pod_template(app, selector, config_hash),
    )
