"""The chart: helm accepts it, it says what the kustomize bases say, and installs where a cluster is."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.delivery.conftest import output
from tests.programs import program
from tests.space import least_crd

from devcluster.cluster import Cluster, wait_for
from haapp.cluster.shard_lease import lease_name
from haapp.main import parse
from haapp.settings import Settings
from haapp.sharding import MOST_SHARDS, WHOLE, Shard

CHART = Path(__file__).parents[2] / "charts" / "haapp-operator"
SYSTEM = "haapp-system"
HELMS_OWN = ("app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart")
KEEP = "helm.sh/resource-policy"
EVERYTHING = (
    "--set=metrics.serviceMonitor.enabled=true",
    "--set=metrics.alerts.enabled=true",
    "--set=metrics.dashboard.enabled=true",
)

Object = dict[str, Any]
Helm = Callable[..., str]
Kustomize = Callable[[str], tuple[Object, ...]]


def template(helm: Helm, *options: str, namespace: str = SYSTEM) -> list[Object]:
    said = helm("template", "haapp-operator", CHART, f"--namespace={namespace}", *options)
    return [obj for obj in yaml.safe_load_all(said) if obj]


def plain(obj: Object, namespace: str) -> Object:
    """The object without what only one of the two ways writes."""
    meta = dict(obj["metadata"])
    labels = {key: value for key, value in meta.pop("labels", {}).items() if key not in HELMS_OWN}
    labels.pop("app.kubernetes.io/name", None)  # kustomize labels only what is in the base
    annotations = {key: value for key, value in meta.pop("annotations", {}).items() if key != KEEP}
    meta.setdefault("namespace", namespace)
    subjects = [{**it, "namespace": it.get("namespace", namespace)} for it in obj.get("subjects", ())]
    parts = {"metadata": {**meta, "labels": labels, "annotations": annotations}}
    return without_defaults({**obj, **parts, **({"subjects": subjects} if subjects else {})})


def without_defaults(obj: Object) -> Object:
    """Without the pull policy, which the chart states as the API server would fill it in."""
    for container in obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ()):
        assert container.pop("imagePullPolicy", "IfNotPresent") == "IfNotPresent"
    return obj


def by_name(objects: list[Object], namespace: str) -> dict[tuple[str, str], Object]:
    cluster_scoped = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}
    return {
        (obj["kind"], obj["metadata"]["name"]): plain(obj, "" if obj["kind"] in cluster_scoped else namespace)
        for obj in objects
        if obj["kind"] != "Namespace"
    }


def test_lint(helm: Helm) -> None:
    for options in ((), ("--set=scope=Namespace",), EVERYTHING):
        assert "0 chart(s) failed" in helm("lint", "--strict", CHART, *options)


@pytest.mark.parametrize(
    ("mode", "options", "namespace"),
    [
        ("cluster-wide", (), SYSTEM),
        ("namespaced", ("--set=scope=Namespace", "--set=crd.install=false"), "team-a"),
    ],
)
def test_it_says_what_the_kustomize_base_says(
    helm: Helm, kustomize: Kustomize, mode: str, options: tuple[str, ...], namespace: str
) -> None:
    chart = by_name(template(helm, *options, namespace=namespace), namespace)
    base = by_name(list(kustomize(mode)), namespace)
    assert chart.keys() == base.keys()
    for key, obj in base.items():
        assert chart[key] == obj, key


def test_the_crd_outlives_the_release(helm: Helm) -> None:
    (crd,) = (obj for obj in template(helm) if obj["kind"] == "CustomResourceDefinition")
    assert crd["metadata"]["annotations"][KEEP] == "keep"


def test_each_shard_is_a_deployment_of_its_own(helm: Helm) -> None:
    objects = template(helm, "--set=shards=2")
    deployments = [obj for obj in objects if obj["kind"] == "Deployment"]
    assert [obj["metadata"]["name"] for obj in deployments] == ["haapp-operator-0", "haapp-operator-1"]
    for index, obj in enumerate(deployments):
        labels = obj["spec"]["selector"]["matchLabels"]
        pod = obj["spec"]["template"]
        assert labels["highavailability.dev/shard"] == str(index)
        assert labels.items() <= pod["metadata"]["labels"].items()
        assert all(c["labelSelector"]["matchLabels"] == labels for c in pod["spec"]["topologySpreadConstraints"])
        assert parse(pod["spec"]["containers"][0]["args"]).shard == Shard(index, 2)
    (budget,) = (obj for obj in objects if obj["kind"] == "PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("count", [1, 2, 3, MOST_SHARDS])
def test_the_leases_of_shards_may_be_renewed_and_no_others(helm: Helm, count: int) -> None:
    (role,) = (obj for obj in template(helm, f"--set=shards={count}") if obj["kind"] == "Role")
    of_all, by_name = role["rules"]
    assert "resourceNames" not in of_all
    assert of_all["verbs"] == ["list", "create"]
    shards = (Shard(index, count) for index in range(count))
    assert set(by_name["resourceNames"]) == {lease_name(Settings().lease_name, shard) for shard in (WHOLE, *shards)}
    assert by_name["verbs"] == ["get", "update"]


def test_one_namespace_cannot_be_split() -> None:
    options = ("--set=shards=2", "--set=scope=Namespace")
    said = output(program("helm"), "template", CHART, *options, codes=(1,), complaint=True)
    assert "with scope Namespace there is one" in said


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("scope=Everywhere", "scope"),
        ("replica=3", "replica"),
        ("image.digest=sha256:12", "digest"),
        ("podDisruptionBudget.minAvailable=1", "minAvailable"),
        ("metrics.serviceMonitor.interval=fast", "interval"),
        ("shards=0", "shards"),
    ],
)
def test_a_value_that_there_is_not_is_refused(value: str, word: str) -> None:
    said = output(program("helm"), "template", CHART, "--set", value, codes=(1,), complaint=True)
    assert word in said


def test_the_monitoring_is_that_of_the_manifests(helm: Helm, kustomize: Kustomize) -> None:
    runbook = "https://docs.example.com/runbook.html"
    made = {obj["kind"]: obj for obj in template(helm, *EVERYTHING, f"--set=metrics.alerts.runbook={runbook}")}
    shipped = {obj["kind"]: obj for obj in kustomize("monitoring")}
    assert made["ConfigMap"]["data"] == shipped["ConfigMap"]["data"]
    rules = json.dumps(made["PrometheusRule"]["spec"])
    assert rules.replace(runbook, "docs/runbook.md") == json.dumps(shipped["PrometheusRule"]["spec"])
    assert rules.count(f"{runbook}#") == 9
    assert made["ServiceMonitor"]["spec"]["endpoints"][0]["honorLabels"] is True
    selector = made["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
    (service,) = (obj for obj in template(helm, *EVERYTHING) if obj["kind"] == "Service")
    assert selector.items() <= service["metadata"]["labels"].items()


# On a cluster

MONITORING = {"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"}
MONITORING_GROUP = "monitoring.coreos.com"


@dataclass(frozen=True, slots=True)
class Release:
    """The chart in a namespace of its own."""

    cluster: Cluster
    helm: Helm
    namespace: str

    def run(self, verb: str, *options: str | Path) -> str:
        at = (f"--kubeconfig={self.cluster.kubeconfig}", f"--kube-context={self.cluster.context}")
        return self.helm(verb, "haapp-operator", *options, *at, f"--namespace={self.namespace}")

    def install(self, *options: str) -> None:
        self.run("install", CHART, "--create-namespace", *options)

    def wait_available(self, replicas: int) -> None:
        def available() -> bool:
            status = self.get("deployment").get("status", {})
            return bool(status.get("availableReplicas") == status.get("updatedReplicas") == replicas)

        wait_for(available, 90, f"{replicas} operators")

    def get(self, kind: str, name: str = "haapp-operator") -> Object:
        return self.cluster.get(kind, name, "-n", self.namespace)


@pytest.fixture
def release(cluster: Cluster, helm: Helm) -> Iterator[Callable[[str], Release]]:
    made: list[Release] = []

    def of(namespace: str) -> Release:
        made.append(Release(cluster, helm, namespace))
        return made[-1]

    yield of
    for it in made:
        it.run("uninstall", "--ignore-not-found")
        cluster.kubectl("delete", "namespace", it.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def prometheus(cluster: Cluster) -> Iterator[None]:
    """The kinds of the Prometheus Operator."""
    cluster.apply(*(least_crd(plural, MONITORING_GROUP, kind) for plural, kind in MONITORING.items()))
    yield
    cluster.kubectl("delete", "crd", *(f"{plural}.{MONITORING_GROUP}" for plural in MONITORING))


@pytest.mark.fake_nodes("its image is nowhere to be had")
def test_it_installs_upgrades_and_leaves_the_apps_alone(release: Callable[[str], Release]) -> None:
    """Where our CRD is there already, by kubectl."""
    subject = release(SYSTEM)
    namespaces = subject.cluster.kubectl("get", "namespaces", "-o", "name").split()
    assert f"namespace/{SYSTEM}" not in namespaces, "an operator's own, which would lose its account at the end"
    subject.install("--take-ownership", "--force-conflicts")
    subject.wait_available(2)
    budget = subject.get("poddisruptionbudget")["status"]
    assert (budget["expectedPods"], budget["disruptionsAllowed"]) == (2, 1)
    subject.run("upgrade", CHART, "--set=replicas=3")
    subject.wait_available(3)
    pods = json.loads(subject.cluster.kubectl("get", "pods", "-n", SYSTEM, "-o", "json"))["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) > 1
    subject.run("uninstall")
    assert subject.cluster.is_served("highavailabilityapps.highavailability.dev")


@pytest.mark.usefixtures("prometheus")
@pytest.mark.fake_nodes("its image is nowhere to be had")
def test_it_installs_for_one_namespace_with_monitoring(release: Callable[[str], Release]) -> None:
    subject = release("team-helm")
    subject.install("--set=scope=Namespace", "--set=crd.install=false", *EVERYTHING)
    subject.wait_available(2)
    for kind in MONITORING.values():
        assert subject.get(kind)["spec"]
    wide = json.loads(subject.cluster.kubectl("get", "clusterroles,clusterrolebindings", "-o", "json"))["items"]
    assert [it["metadata"]["name"] for it in wide if "haapp" in it["metadata"]["name"]] == []
    subject.run("uninstall")
    left = subject.cluster.kubectl("get", "all,roles,poddisruptionbudgets", "-n", subject.namespace, "-o", "name")
    assert "deployment" not in left
    assert "role" not in left
