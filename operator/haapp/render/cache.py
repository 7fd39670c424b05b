"""The managed cache: a Redis of its own (Deployment and Service), or one in every pod, and how the app finds it."""

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Cache, Redis, Zones
from haapp.render.affinity import only_in_zones
from haapp.render.environment import Environment
from haapp.render.merge import given
from haapp.render.metadata import metadata, selector
from haapp.render.quantities import whole
from haapp.render.spread import node_constraint, zone_constraint
from haapp.render.templating import fill
from haapp.render.traffic import traffic_distribution

DATA_VOLUME = f"{names.VOLUME_PREFIX}cache-data"
MEBIBYTE = 1024**2


def cache_env(app: App) -> list[Object]:
    """REDIS_HOST, REDIS_PORT and REDIS_URL, where the operator runs the Redis."""
    redis = _redis(app)
    if redis is None:
        return []
    host = "localhost" if in_pod(app) else names.cache_name(app.name)
    values = {"REDIS_HOST": host, "REDIS_PORT": str(redis.port), "REDIS_URL": f"redis://{host}:{redis.port}"}
    return [{"name": name, "value": value} for name, value in values.items()]


def in_pod(app: App) -> bool:
    """Whether each pod has a Redis of its own."""
    return _redis(app) is not None and app.spec.cache is not None and app.spec.cache.colocate == "Pod"


def cache_sidecars(app: App) -> list[Object]:
    """The Redis in the pod: a native sidecar that is up before the steps and the app."""
    redis = _redis(app)
    return [_container(redis, sidecar=True)] if redis is not None and in_pod(app) else []


def cache_volumes(app: App) -> list[Object]:
    """The volume of the Redis in the pod."""
    return [{"name": DATA_VOLUME, "emptyDir": {}}] if in_pod(app) else []


def cache_service(app: App, environment: Environment) -> tuple[Object | None, str]:
    """The cache's Service, and a note if the server is too old for what it asks for."""
    redis, cache = _redis(app), app.spec.cache
    if redis is None or cache is None or in_pod(app):
        return None, ""
    wanted = {"Node": "PreferSameNode", "Zone": "PreferSameZone"}[cache.colocate]
    distribution, note = traffic_distribution(wanted, environment.server_version)
    service = fill(
        "cache-service.yaml.j2",
        meta=metadata(app, names.cache_name(app.name), names.COMPONENT_CACHE),
        selector=selector(app, names.COMPONENT_CACHE),
        port=redis.port,
        traffic_distribution=distribution,
    )
    return service, note


def cache_deployment(app: App) -> Object | None:
    """The cache's Deployment. It never waits for the app, so it can come up first."""
    redis, spec = _redis(app), app.spec
    if redis is None or in_pod(app):
        return None
    found_by = selector(app, names.COMPONENT_CACHE)
    return fill(
        "cache-deployment.yaml.j2",
        meta=metadata(app, names.cache_name(app.name), names.COMPONENT_CACHE),
        selector=found_by,
        replicas=_zones_asked_for(spec.zones) if redis.replicas is None else redis.replicas,
        container=_container(redis, sidecar=False),
        data_volume=DATA_VOLUME,
        spread=[zone_constraint(spec.zones, found_by), node_constraint(spec.nodes, found_by)],
        # Where the app may run the cache must be able to run too: else it could never be near.
        placement=given(
            affinity=given(nodeAffinity=only_in_zones((spec.pod.affinity or {}).get("nodeAffinity"), spec.zones)),
            nodeSelector=spec.pod.node_selector,
            tolerations=list(spec.pod.tolerations),
            priorityClassName=spec.pod.priority_class_name,
            imagePullSecrets=list(spec.pod.image_pull_secrets),
        ),
    )


def _redis(app: App) -> Redis | None:
    cache: Cache | None = app.spec.cache
    return cache.redis if cache is not None else None


def _zones_asked_for(zones: Zones | None) -> int:
    return max(1, zones.min_domains or len(zones.names)) if zones is not None else 1


def _container(redis: Redis, *, sidecar: bool) -> Object:
    memory = whole(redis.max_memory, "spec.cache.redis.maxMemory")
    return fill(
        "redis-container.yaml.j2",
        name=names.REDIS_CONTAINER,
        redis=redis,
        max_memory=str(memory),
        resources=redis.resources if redis.resources is not None else _resources(memory),
        data_volume=DATA_VOLUME,
        sidecar=sidecar,
    )


def _resources(max_memory: int) -> Object:
    """Room for the data, and half as much again for what Redis needs besides (buffers, fragmentation)."""
    limit = f"{-(-max_memory * 3 // (2 * MEBIBYTE)) + 16}Mi"
    return {"requests": {"cpu": "50m", "memory": limit}, "limits": {"memory": limit}}
