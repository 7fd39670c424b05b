"""Where an app is to be placed: the machines, the pods of others, and what its own file brings along."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from haapp.api import App, InvalidSpec, Object, parse_app
from haapp.cli import documents
from haapp.cli.documents import Document
from haapp.cli.errors import BadInput
from haapp.cli.surroundings import Surroundings, labels_of
from haapp.placement.selectors import selects
from haapp.render import Environment
from haapp.simulation.changes import Change
from haapp.simulation.layout import Layout, Placement, closest, place
from haapp.simulation.machines import Machine, machine_of
from haapp.simulation.scene import Group
from haapp.simulation.shapes import shape_of
from haapp.simulation.workloads import Workload, workload_of, workloads_of


@dataclass(frozen=True, slots=True)
class Stage:
    """`others` are the pods of others, `before` the workloads that the app's own file brings along, `own` the app's
    pods that run already."""

    app: App
    machines: tuple[Machine, ...]
    others: tuple[Group, ...]
    before: tuple[Workload, ...]
    own: tuple[Group, ...]

    def placed(self, change: Change) -> Layout:
        """The app as changed, as the scheduler would place it. Raises RenderError."""
        return place(change.machines, self.others, (*self.before, *_workloads(change)))

    def running(self, layout: Layout) -> Layout:
        """The same layout with the app's pods where they run now, if there are any."""
        if not self.own:
            return layout
        live = Placement(layout.app.workload, Counter(group.node for group in self.own))
        return Layout(layout.machines, layout.others, (*layout.placements[:-1], live))

    def crowded(self, change: Change) -> Layout:
        """The app as close together as what is required of it allows. Raises RenderError."""
        beside = place(change.machines, self.others, self.before)
        return place(change.machines, beside.groups(), _workloads(change), closest)


def _workloads(change: Change) -> tuple[Workload, ...]:
    return workloads_of(change.app, Environment(), change.replicas)


def stage_of(document: Document, found: Iterable[Document], around: Surroundings) -> Stage:
    """The stage of one app; `found` are all documents that were read. Raises BadInput."""
    try:
        app = parse_app(documents.in_namespace(document.object, around.namespace))
    except InvalidSpec as error:
        raise BadInput(*(f"{document}: {wrong}" for wrong in error.errors)) from None
    brought = [
        documents.in_namespace(it.object, app.namespace)
        for it in found
        if it.source == document.source and it.object["kind"] == "Deployment"
    ]
    own = [pod for pod in around.pods_of(app) if _node(pod)]
    managed = around.cache_pods_of(app) if app.spec.cache is not None and app.spec.cache.redis is not None else ()
    replaced = {id(pod) for pod in (*own, *managed, *_pods_of(brought, around))}
    others = tuple(_group(pod) for pod in around.pods if _node(pod) and id(pod) not in replaced)
    machines = tuple(map(machine_of, around.node_objects))
    return Stage(app, machines, others, tuple(map(workload_of, brought)), tuple(map(_group, own)))


def _pods_of(deployments: Iterable[Object], around: Surroundings) -> Iterable[Object]:
    """The live pods of Deployments: they are placed anew."""
    for deployment in deployments:
        selector, namespace = deployment["spec"]["selector"], deployment["metadata"]["namespace"]
        for pod in around.pods:
            if pod["metadata"].get("namespace") == namespace and selects(selector, labels_of(pod)):
                yield pod


def _group(pod: Object) -> Group:
    return Group(shape_of(pod), _node(pod), deleting=bool(pod["metadata"].get("deletionTimestamp")))


def _node(pod: Object) -> str:
    return str((pod.get("spec") or {}).get("nodeName") or "")
