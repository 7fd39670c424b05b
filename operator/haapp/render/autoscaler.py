"""The HorizontalPodAutoscaler."""

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.replicas import fewest
from haapp.api.spec import Autoscaling
from haapp.render.metadata import metadata
from haapp.render.templating import fill


def autoscaler(app: App) -> Object | None:
    """The autoscaler, where it is asked for. Without any metric the API server fills in 80 % of the CPU requests."""
    wanted = app.spec.autoscaling
    if wanted is None:
        return None
    return fill(
        "horizontalpodautoscaler.yaml.j2",
        meta=metadata(app, app.name),
        min_replicas=fewest(app.spec),
        max_replicas=wanted.max_replicas,
        resources=_resource_targets(wanted),
        metrics=list(wanted.metrics),
        behavior=wanted.behavior,
    )


def _resource_targets(wanted: Autoscaling) -> dict[str, int]:
    targets = {
        "cpu": wanted.target_cpu_utilization_percentage,
        "memory": wanted.target_memory_utilization_percentage,
    }
    return {resource: percentage for resource, percentage in targets.items() if percentage is not None}
