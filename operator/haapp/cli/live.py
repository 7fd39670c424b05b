"""One app as a cluster has it now: what map, explain and report are made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from haapp.api import App, InvalidSpec, Object, parse_app
from haapp.api.names import COMPONENT_APP, COMPONENT_CACHE, LABEL_COMPONENT, LABEL_NAME
from haapp.cli.cluster import Cluster
from haapp.cli.errors import BadInput
from haapp.placement.domains import eligible_nodes
from haapp.placement.live import active_pods, by_name, current_hash, ready_pods
from haapp.placement.model import (
    Deployment,
    Node,
    Pod,
    ReplicaSet,
    deployment_of,
    node_of,
    pod_of,
    replica_set_of,
    selector_text,
)


@dataclass(frozen=True)
class LiveApp:
    """Implements `haapp.placement.live.Live`. `object` is the HighAvailabilityApp itself."""

    object: Object
    app: App
    deployment: Deployment | None
    replica_sets: tuple[ReplicaSet, ...]
    pods: tuple[Pod, ...]
    cache_pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]

    @property
    def status(self) -> dict[str, Any]:
        """What the operator says; empty before its first visit."""
        return dict(self.object.get("status") or {})

    @property
    def conditions(self) -> tuple[Object, ...]:
        """The status' conditions."""
        return tuple(self.status.get("conditions") or ())

    def condition(self, kind: str) -> Object:
        """One condition, or an empty one."""
        return next((it for it in self.conditions if it.get("type") == kind), {})

    @property
    def unseen(self) -> bool:
        """Whether the operator has not looked at the app as it is now."""
        return bool(self.status.get("observedGeneration") != self.object["metadata"].get("generation"))

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """The nodes under their names."""
        return dict(by_name(self.nodes))

    @cached_property
    def ready(self) -> tuple[Pod, ...]:
        """The pods that serve."""
        return ready_pods(self.pods, self.by_name)

    @cached_property
    def active(self) -> tuple[Pod, ...]:
        """The pods that are neither being deleted nor finished."""
        return active_pods(self.pods)

    @cached_property
    def eligible(self) -> tuple[Node, ...]:
        """The nodes that the app may use now."""
        return eligible_nodes(self.app.spec, self.nodes)

    @cached_property
    def template_hash(self) -> str | None:
        """That of the newest revision."""
        return current_hash(self.deployment, self.replica_sets)


def look(cluster: Cluster, name: str) -> LiveApp:
    """The app of that name. Raises BadInput."""
    return _look(cluster, cluster.app(name), cluster.items("/api/v1/nodes"))


def look_all(cluster: Cluster) -> tuple[LiveApp, ...]:
    """All apps of the namespace. Raises BadInput."""
    apps = cluster.apps()
    nodes = cluster.items("/api/v1/nodes") if apps else []
    return tuple(_look(cluster, obj, nodes) for obj in apps)


def events_of(cluster: Cluster, kind: str, name: str) -> list[Object]:
    """The core/v1 Events about one object, the latest last. Raises BadInput."""
    path = f"/api/v1/namespaces/{cluster.namespace}/events"
    selector = f"involvedObject.kind={kind},involvedObject.name={name}"
    return sorted(cluster.items(path, fieldSelector=selector), key=when)


def when(event: Object) -> str:
    """The time of an event's last occurrence, as RFC 3339 text."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next(filter(None, times), None) or event["metadata"].get("creationTimestamp") or "")


def _look(cluster: Cluster, obj: Object, nodes: Iterable[Object]) -> LiveApp:
    obj = {"apiVersion": "highavailability.dev/v1alpha1", "kind": "HighAvailabilityApp", **obj}
    try:
        app = parse_app(obj)
    except InvalidSpec as error:
        raise BadInput(*(f"{obj['metadata']['name']}: {wrong}" for wrong in error.errors)) from None
    apps = f"/apis/apps/v1/namespaces/{app.namespace}"
    found = cluster.get(f"{apps}/deployments/{app.name}")
    selector = str((obj.get("status") or {}).get("selector") or "") or _labelled(app, COMPONENT_APP)
    deployment = deployment_of(found) if found is not None else None
    return LiveApp(
        object=obj,
        app=app,
        deployment=deployment,
        replica_sets=tuple(map(replica_set_of, cluster.items(f"{apps}/replicasets", labelSelector=selector))),
        pods=_pods(cluster, app, selector),
        cache_pods=_cache_pods(cluster, app),
        nodes=tuple(map(node_of, nodes)),
    )


def _cache_pods(cluster: Cluster, app: App) -> tuple[Pod, ...]:
    cache = app.spec.cache
    if cache is None or cache.colocate == "Pod":
        return ()
    selector = selector_text(cache.selector) if cache.selector is not None else _labelled(app, COMPONENT_CACHE)
    return _pods(cluster, app, selector)


def _pods(cluster: Cluster, app: App, selector: str) -> tuple[Pod, ...]:
    found = cluster.items(f"/api/v1/namespaces/{app.namespace}/pods", labelSelector=selector)
    return tuple(map(pod_of, found))


def _labelled(app: App, component: str) -> str:
    return f"{LABEL_NAME}={app.name},{LABEL_COMPONENT}={component}"
