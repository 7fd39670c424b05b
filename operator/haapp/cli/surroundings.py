"""What an app is judged against: nodes and pods from a file, or those of a live cluster."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from haapp.api import App, Object
from haapp.api.names import COMPONENT_APP, COMPONENT_CACHE, LABEL_COMPONENT, LABEL_NAME
from haapp.cli import documents
from haapp.cli.errors import BadInput
from haapp.placement.live import FINISHED
from haapp.placement.model import Node, node_of
from haapp.placement.selectors import selects

if TYPE_CHECKING:
    from haapp.cli.cluster import Cluster

DEFAULT_NAMESPACE: Final = "default"


@dataclass(frozen=True)
class Surroundings:
    """Whole objects. `live` says that they are those of a cluster, so that what is not among them does not exist.
    `namespace` is for apps that name none."""

    node_objects: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    live: bool = False
    namespace: str = DEFAULT_NAMESPACE

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes as placement sees them."""
        return tuple(map(node_of, self.node_objects))

    def pods_of(self, app: App) -> tuple[Object, ...]:
        """The app's own pods."""
        return self._labelled(app, {LABEL_NAME: app.name, LABEL_COMPONENT: COMPONENT_APP})

    def cache_pods_of(self, app: App) -> tuple[Object, ...]:
        """The pods of the cache that the app runs near to."""
        cache = app.spec.cache
        if cache is not None and cache.selector is not None:
            return tuple(pod for pod in self._in_namespace(app) if selects(cache.selector, labels_of(pod)))
        return self._labelled(app, {LABEL_NAME: app.name, LABEL_COMPONENT: COMPONENT_CACHE})

    def _labelled(self, app: App, wanted: Mapping[str, str]) -> tuple[Object, ...]:
        return tuple(pod for pod in self._in_namespace(app) if wanted.items() <= labels_of(pod).items())

    def _in_namespace(self, app: App) -> Iterable[Object]:
        return (pod for pod in self.pods if (pod["metadata"].get("namespace") or DEFAULT_NAMESPACE) == app.namespace)


NOTHING: Final = Surroundings()


def add_arguments(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """The options `--nodes FILE` and `--context C`, of which only one may be given."""
    chosen = parser.add_mutually_exclusive_group(required=required)
    chosen.add_argument(
        "--nodes",
        metavar="FILE",
        help="nodes, and pods if there are any in it, as `kubectl get nodes,pods -A -o yaml` prints them",
    )
    chosen.add_argument("--context", help="read nodes and pods from the cluster of this context in the kubeconfig")
    parser.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig (default: $KUBECONFIG or ~/.kube/config)")
    parser.add_argument("-n", "--namespace", help="for apps that name none (default: the context's, or default)")


def surroundings(arguments: argparse.Namespace) -> Surroundings:
    """What the options name. Raises BadInput."""
    if arguments.nodes:
        return from_file(arguments.nodes, arguments.namespace or DEFAULT_NAMESPACE)
    if not arguments.context:
        return NOTHING
    from haapp.cli.cluster import connect  # noqa: PLC0415  (what works offline is not to wait for it)

    return from_cluster(connect(arguments))


def from_file(filename: str, namespace: str = DEFAULT_NAMESPACE) -> Surroundings:
    """Nodes, and pods if there are any. Raises BadInput."""
    found = [document.object for document in documents.read_documents([filename])]
    nodes = tuple(obj for obj in found if obj["kind"] == "Node")
    if not nodes:
        raise BadInput(f"there is no Node in {filename}")
    return Surroundings(nodes, _present(obj for obj in found if obj["kind"] == "Pod"), namespace=namespace)


def from_cluster(cluster: "Cluster") -> Surroundings:
    """All nodes and all pods. Raises BadInput."""
    nodes, pods = cluster.items("/api/v1/nodes"), cluster.items("/api/v1/pods")
    return Surroundings(tuple(nodes), _present(pods), live=True, namespace=cluster.namespace)


def labels_of(obj: Object) -> dict[str, str]:
    """The labels of an object."""
    return dict(obj["metadata"].get("labels") or {})


def _present(pods: Iterable[Object]) -> tuple[Object, ...]:
    return tuple(pod for pod in pods if (pod.get("status") or {}).get("phase") not in FINISHED)
