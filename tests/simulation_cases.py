"""Nodes, apps and layouts for the tests of the simulation."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.render_support import app_of

from haapp.api import App
from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.render import Environment
from haapp.simulation.layout import Layout, place
from haapp.simulation.machines import Machine, machine_of
from haapp.simulation.scene import Group
from haapp.simulation.workloads import workloads_of

Object = dict[str, Any]


def node(name: str, zone: str = "", allocatable: Mapping[str, str] | None = None, **spec: Any) -> Object:
    """A Node that is well; without `allocatable` it does not say what fits."""
    labels = {HOSTNAME_KEY: name, **({ZONE_KEY: zone} if zone else {})}
    status = {"allocatable": dict(allocatable)} if allocatable else {}
    conditions = [{"type": "Ready", "status": "True"}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {**status, "conditions": conditions},
    }


ROOMY = {"cpu": "8", "memory": "32Gi", "pods": "110"}


def node_objects(per_zone: int = 2, zones: str = "abc", allocatable: Mapping[str, str] | None = ROOMY) -> list[Object]:
    """Equal nodes in each zone: a1, a2, b1, ..."""
    return [node(f"{zone}{at}", zone, allocatable) for zone in zones for at in range(1, per_zone + 1)]


def machines(per_zone: int = 2, zones: str = "abc", allocatable: Mapping[str, str] | None = ROOMY) -> list[Machine]:
    """The same as the scheduler sees them."""
    return list(map(machine_of, node_objects(per_zone, zones, allocatable)))


def layout(app: App | Object, there: Iterable[Machine], others: Iterable[Group] = ()) -> Layout:
    """An app (or its spec) placed."""
    whole = app if isinstance(app, App) else app_of(app)
    return place(tuple(there), others, workloads_of(whole, Environment()))
