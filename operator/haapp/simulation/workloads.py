"""An app as the Deployments that it becomes: how many pods of which shape, and how a rollout replaces them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from haapp.api.app import App
from haapp.api.names import COMPONENT_CACHE, LABEL_COMPONENT
from haapp.api.replicas import fewest
from haapp.placement.replicas import scaled
from haapp.render import Environment, render
from haapp.simulation.shapes import Shape, shape_of

REVISION: Final = "simulated"
NEXT_REVISION: Final = "simulated-next"


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """`replicas` pods of one shape; `successor` is the shape of the next revision's pods. `surge` and `unavailable` are
    the rollout's numbers."""

    name: str
    replicas: int
    shape: Shape
    successor: Shape
    surge: int
    unavailable: int


def workloads_of(app: App, environment: Environment, replicas: int | None = None) -> tuple[Workload, ...]:
    """The managed cache if there is one, then the app with `replicas` pods instead of its own number. Raises
    RenderError."""
    deployments = [obj for obj in render(app, environment).objects if obj["kind"] == "Deployment"]
    caches = (it for it in deployments if it["metadata"]["labels"][LABEL_COMPONENT] == COMPONENT_CACHE)
    (own,) = (it for it in deployments if it["metadata"]["name"] == app.name)
    wanted = fewest(app.spec) if replicas is None else replicas
    return (*map(workload_of, caches), workload_of(own, wanted))


def workload_of(deployment: Mapping[str, Any], replicas: int | None = None) -> Workload:
    """Any apps/v1 Deployment, with `replicas` pods instead of its own number."""
    spec, namespace = deployment["spec"], deployment["metadata"].get("namespace") or "default"
    if replicas is None:
        replicas = int(spec.get("replicas", 1))
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return Workload(
        name=deployment["metadata"]["name"],
        replicas=replicas,
        shape=shape_of(spec["template"], namespace, REVISION),
        successor=shape_of(spec["template"], namespace, NEXT_REVISION),
        surge=surge,
        # With neither the Deployment controller would never move: it takes one pod away then.
        unavailable=unavailable if surge or unavailable else 1,
    )
