"""`make demo`: a cluster of six nodes in three zones, the operator, and two applications to look at; left running."""

import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import cluster as clusters
from . import nodes
from .binaries import TOOLS, say
from .cluster import Cluster
from .config import Object
from .process import Operator
from .shell import ClusterError, wait_for

NAME = "demo"
NAMESPACE = "demo"
REPOSITORY = TOOLS.parent
EXAMPLES = ("00-minimal.yaml", "14-enterprise-web-service.yaml")
READY_SECONDS = 180


def up() -> int:
    """Set all up and wait until both applications are Ready; 0, or 1 when they are not in time."""
    started = time.monotonic()

    def step(text: str) -> None:
        say(f"demo: {time.monotonic() - started:5.1f} s  {text}")

    cluster = clusters.create(NAME)
    step("the control plane answers")
    nodes.add_nodes(cluster, *nodes.machines())
    step("six nodes in three zones are Ready")
    cluster.install_crds(*sorted((REPOSITORY / "crds").glob("*.yaml")))
    operator = operator_beside(cluster)
    operator.stop()
    operator.start()
    step(f"the operator runs, its log is {operator.log}")
    apply_examples(cluster)
    step(f"applied to the namespace {NAMESPACE}: {', '.join(EXAMPLES)}")
    try:
        wait_for(Progress(cluster).all_ready, READY_SECONDS, "Ready on both applications", every=0.3)
    except ClusterError as error:
        report_trouble(cluster, operator, error)
        return 1
    step("both are Ready\n")
    report(cluster)
    return 0


def down() -> None:
    """Stop the operator and the cluster, and remove all that is left of them."""
    operator = operator_beside(clusters.embedded(NAME, Path()))
    operator.stop()
    shutil.rmtree(operator.folder, ignore_errors=True)
    clusters.delete(NAME)
    say("demo: gone")


def operator_beside(cluster: Cluster) -> Operator:
    """The demo's operator, running or not."""
    return Operator(cluster, clusters.kwok_home().parent / NAME)


def apply_examples(cluster: Cluster) -> None:
    """Create the namespace, and the examples in it."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    files = [f"--filename={REPOSITORY / 'manifests' / 'examples' / name}" for name in EXAMPLES]
    cluster.kubectl("apply", "--server-side", f"--namespace={NAMESPACE}", *files)


def apps(cluster: Cluster) -> list[Object]:
    """The demo's HighAvailabilityApps, in the order of their names."""
    found: list[Object] = cluster.get("haapp", f"--namespace={NAMESPACE}")["items"]
    return found


def condition(app: Object, kind: str) -> Object:
    """The condition of that type, or an empty one."""
    conditions = app.get("status", {}).get("conditions", [])
    return next((item for item in conditions if item["type"] == kind), {})


class Progress:
    """Shows how far the applications are: one line that changes on a terminal, else a line for each change."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.shown = ""

    def all_ready(self) -> bool:
        """Show the present state; whether all are Ready."""
        present = apps(self.cluster)
        ready = bool(present) and all(condition(app, "Ready").get("status") == "True" for app in present)
        self.show("   ".join(progress_of(app) for app in present), last=ready)
        return ready

    def show(self, text: str, *, last: bool) -> None:
        """Print `text` if it is new."""
        if sys.stdout.isatty():
            print(f"\r\x1b[K  {text}", end="\n" if last else "", flush=True)
        elif text != self.shown:
            say(f"  {text}")
        self.shown = text


def progress_of(app: Object) -> str:
    """One application on the progress line."""
    summary = app.get("status", {}).get("summary") or "waiting for the operator"
    return f"{app['metadata']['name']}: {summary}"


def report(cluster: Cluster) -> None:
    """Say where the pods are, what a lost zone would leave, and how to look around."""
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"][nodes.ZONE_KEY] for node in cluster.get("nodes")["items"]
    }
    pods = cluster.get("pods", f"--namespace={NAMESPACE}")["items"]
    for line in [*placement(pods, zones), "", *(survival(app) for app in apps(cluster)), ""]:
        say(line)
    say("It keeps running until `make demo-down`. To look around:")
    say(f"  export KUBECONFIG={cluster.kubeconfig}")
    say(f"  {cluster.kubectl_path} get haapp -A")


def placement(pods: Sequence[Object], zones: dict[str, str]) -> Iterator[str]:
    """A line for each node, grouped by zone, with the pods on it."""
    by_node = defaultdict(list)
    for pod in pods:
        by_node[pod["spec"].get("nodeName", "")].append(pod["metadata"]["name"])
    yield f"{'ZONE':8} {'NODE':10} PODS"
    for node, zone in sorted(zones.items(), key=lambda item: (item[1], item[0])):
        yield f"{zone:8} {node:10} {'  '.join(sorted(by_node[node])) or '-'}"


def survival(app: Object) -> str:
    """What the status says of the loss of the worst zone."""
    name, status = app["metadata"]["name"], app.get("status", {})
    loss = status.get("survives", {}).get("zoneLoss")
    if not loss:
        return f"{name}: the status does not say what a lost zone leaves"
    return f"{name}: losing {loss['worst']} leaves {loss['worstReadyLeft']} of {status['readyReplicas']} pods ready"


def report_trouble(cluster: Cluster, operator: Operator, error: Exception) -> None:
    """Say which application is not Ready and why, with the end of the operator's log."""
    say(f"\ndemo: {error}")
    for app in apps(cluster):
        for item in app.get("status", {}).get("conditions", []):
            say(f"  {app['metadata']['name']}: {item['type']}={item['status']} {item['reason']}: {item['message']}")
    say(operator.log_tail(30))
    say(f"The cluster is left as it is: export KUBECONFIG={cluster.kubeconfig}")
