"""The condition CacheColocated, and `status.cache`."""

from haapp.api.objects import Object
from haapp.placement.colocation import Nearness, nearness
from haapp.status import reasons
from haapp.status.scene import NODES_UNSEEN, Scene, serving
from haapp.status.text import joined, listed, plural
from haapp.status.verdict import Verdict


def cache_nearness(scene: Scene) -> Nearness | None:
    """How many ready pods have a ready cache near; `None` for an app without a cache."""
    cache = scene.app.spec.cache
    if cache is None:
        return None
    return nearness(cache.colocate, scene.ready, serving(scene.observed.cache_pods, scene.nodes), scene.nodes)


def cache_status(near: Nearness) -> Object:
    """`status.cache`."""
    return {"colocated": near.colocated, "total": near.total}


def cache_colocated(scene: Scene, near: Nearness) -> Verdict:
    """True when every ready pod has a ready cache as near as asked."""
    cache = scene.app.spec.cache
    required = cache is not None and cache.when_unsatisfiable == "DoNotSchedule"
    place = {"Node": "on its node", "Zone": "in its zone"}.get(cache.colocate if cache else "", "in it")
    if scene.desired == 0:
        return Verdict(reasons.CACHE_COLOCATED, "True", reasons.SCALED_TO_ZERO, "no pod is asked for", required)
    if cache is not None and cache.colocate == "Zone" and not scene.nodes:
        return Verdict(reasons.CACHE_COLOCATED, "Unknown", reasons.ZONES_UNKNOWN, NODES_UNSEEN, required)
    if near.total == 0:
        message = "no pod is ready yet"
        return Verdict(reasons.CACHE_COLOCATED, "Unknown", reasons.NO_READY_PODS, message, required)
    counted = f"{near.colocated} of {plural(near.total, 'ready pod')} with a ready cache {place}"
    if near.colocated == near.total:
        return Verdict(reasons.CACHE_COLOCATED, "True", reasons.COLOCATED, counted, required)
    if cache is not None and cache.colocate != "Pod" and not serving(scene.observed.cache_pods, scene.nodes):
        return _false(reasons.CACHE_NOT_READY, counted, _no_cache(scene), required)
    remedy = f"far from it: {listed(near.apart)}; {_bring_near(scene)}"
    return _false(reasons.FAR_FROM_CACHE, counted, remedy, required)


def _no_cache(scene: Scene) -> str:
    cache, there = scene.app.spec.cache, len(scene.observed.cache_pods)
    if there:
        return f"none of {plural(there, 'cache pod')} is ready: see their logs"
    if cache is not None and cache.selector is not None:
        return "cache.selector finds no pod: start the cache, or correct cache.selector"
    return f"the cache has no pod yet: see the Deployment {scene.app.name}-cache"


def _bring_near(scene: Scene) -> str:
    cache = scene.app.spec.cache
    if cache is not None and cache.colocate == "Pod":
        return "see the log of their container redis"
    if cache is not None and cache.redis is not None:
        return (
            "raise cache.redis.replicas, or set cache.colocate: Zone"
            if cache.colocate == "Node"
            else ("raise cache.redis.replicas")
        )
    return "run the cache in more places"


def _false(reason: str, counted: str, remedy: str, required: bool) -> Verdict:
    return Verdict(reasons.CACHE_COLOCATED, "False", reason, joined(counted, remedy), required, f"cache: {counted}")
