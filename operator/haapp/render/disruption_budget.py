"""The PodDisruptionBudget."""

from collections.abc import Mapping

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.replicas import most
from haapp.render.metadata import metadata
from haapp.render.templating import fill


def disruption_budget(app: App, selector: Mapping[str, str]) -> Object | None:
    """The budget; none where there is never more than one pod, for it would only block drains."""
    if most(app.spec) <= 1:
        return None
    return fill(
        "poddisruptionbudget.yaml.j2",
        meta=metadata(app, app.name),
        selector=dict(selector),
        budget=app.spec.disruption_budget,
    )
