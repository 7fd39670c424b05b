"""Rules about resources and scaling."""

from collections.abc import Iterator
from typing import Final

from haapp.api import App, Object
from haapp.api.replicas import fewest
from haapp.cli.findings import Finding
from haapp.cli.practice import walk
from haapp.placement.quantities import whole


def no_requests(app: App) -> Iterator[Finding]:
    missing = [name for name in ("cpu", "memory") if name not in _requests(app.spec.app)]
    if missing:
        yield Finding(
            "no-requests",
            "warning",
            "spec.app.resources.requests",
            f"the scheduler takes the pod for one that needs no {' and no '.join(missing)}, packs nodes too full,"
            " and these pods are the first to be evicted",
            f"requests of {' and '.join(missing)} as the app needs under load",
        )


def autoscaling_without_requests(app: App) -> Iterator[Finding]:
    """Utilization is use divided by requests, over all containers of the pod."""
    autoscaling = app.spec.autoscaling
    if autoscaling is None:
        return
    targets = {
        "cpu": autoscaling.target_cpu_utilization_percentage,
        "memory": autoscaling.target_memory_utilization_percentage,
    }
    for container in walk.containers(app):
        for resource, target in targets.items():
            if target and not container.step and resource not in _requests(container.spec):
                yield Finding(
                    "autoscaling-without-requests",
                    "error",
                    f"{container.path}.resources.requests.{resource}",
                    f"without it the {resource} utilization cannot be computed, and the autoscaler never scales",
                    f"a {resource} request for this container",
                )


def single_replica(app: App) -> Iterator[Finding]:
    if fewest(app.spec) == 1:
        path = "spec.replicas"
        if app.spec.autoscaling and app.spec.autoscaling.min_replicas:
            path = "spec.autoscaling.minReplicas"
        yield Finding(
            "single-replica",
            "warning",
            path,
            "a lost node is an outage, and so is a drain: a disruption budget is not made for one pod",
            "2 or more",
        )


def fewer_than_zones(app: App) -> Iterator[Finding]:
    zones = app.spec.zones
    if zones and zones.min_domains and 1 < fewest(app.spec) < zones.min_domains:
        yield Finding(
            "fewer-than-zones",
            "warning",
            "spec.autoscaling.minReplicas" if app.spec.autoscaling else "spec.replicas",
            f"{fewest(app.spec)} pods cannot stand in the {zones.min_domains} zones that are asked for",
            f"{zones.min_domains} or more",
        )


def redis_out_of_memory(app: App) -> Iterator[Finding]:
    redis = app.spec.cache.redis if app.spec.cache else None
    limit = ((redis.resources if redis else None) or {}).get("limits", {}).get("memory")
    if redis and limit is not None and whole(limit) <= whole(redis.max_memory):
        yield Finding(
            "redis-out-of-memory",
            "error",
            "spec.cache.redis.resources.limits.memory",
            f"Redis may keep {redis.max_memory} of data and needs more than that: it is killed before it evicts a key",
            f"a limit above {redis.max_memory}, by a quarter or more",
        )


def _requests(container: Object) -> Object:
    """What is requested; a limit without a request is the request."""
    resources = container.get("resources") or {}
    return {**(resources.get("limits") or {}), **(resources.get("requests") or {})}


RULES: Final = (no_requests, autoscaling_without_requests, single_replica, fewer_than_zones, redis_out_of_memory)
