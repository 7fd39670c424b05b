"""Each kind of child: made when it is asked for, deleted when it is not, and left out where its API is missing."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pykube
import pytest
from tests.space import Object, Space, app, least_crd, owners

from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names

NOTICED_SECONDS = 90.0
"""An API that is installed later is looked for every 65 s."""


@dataclass(frozen=True)
class Child:
    """One kind of child: what an app's spec says to have it, and to have it no more."""

    plural: str
    asked: Object
    without: Object = field(default_factory=dict)
    suffix: str = ""
    component: str = names.COMPONENT_APP


REDIS: Object = {"cache": {"redis": {}}}
LOGS: Object = {"logSidecar": {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}}
CHILDREN = {
    "account": Child("serviceaccounts", {}, {"pod": {"serviceAccountName": "default"}}),
    "config": Child("configmaps", LOGS, suffix="-log-shipper-config"),
    "service": Child("services", {}, {"service": {"enabled": False}}),
    "budget": Child("poddisruptionbudgets", {}, {"replicas": 1}),
    "scaler": Child("horizontalpodautoscalers", {"autoscaling": {"minReplicas": 1, "maxReplicas": 2}}),
    "ingress": Child("ingresses", {"ingress": {"host": "web.example.com"}}),
    "policy": Child("networkpolicies", {"networkPolicy": {"from": []}}),
    "cached": Child("deployments", REDIS, suffix="-cache", component=names.COMPONENT_CACHE),
    "near": Child("services", REDIS, suffix="-cache", component=names.COMPONENT_CACHE),
}
OPTIONAL = {
    "httproutes": ("gateway.networking.k8s.io", "HTTPRoute"),
    "podmonitors": ("monitoring.coreos.com", "PodMonitor"),
}


@pytest.fixture(scope="module")
def routed(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Space]:
    """A namespace with an app that wants an HTTPRoute and a PodMonitor, in a cluster that has the APIs from now on."""
    space = Space(api, f"test-{uuid.uuid4().hex[:8]}")
    cluster.kubectl("create", "namespace", space.name)
    space.apply(wants_more())
    message = space.wait_condition("Reconciled")["message"]
    for plural, (group, kind) in OPTIONAL.items():
        assert f"{kind} is not rendered: {group}/v1 is not installed" in message, plural
    space.wait_ready()
    cluster.apply(*(least_crd(plural, *api) for plural, api in OPTIONAL.items()))
    yield space
    cluster.kubectl("delete", "namespace", space.name, "--wait=false")
    cluster.kubectl("delete", "crd", *(f"{plural}.{group}" for plural, (group, _) in OPTIONAL.items()))


def wants_more(**spec: Any) -> Object:
    monitoring = {"port": "http", "podMonitor": True}
    return app(route={"parentRefs": [{"name": "public"}]}, monitoring=monitoring, replicas=1, **spec)


def test_the_rest_goes_on_where_an_api_is_not_installed(routed: Space) -> None:
    assert routed.has("deployments")
    assert routed.has("services")


@pytest.mark.usefixtures("operator")
def test_children_come_and_go(space: Space) -> None:
    space.apply(*(app(name, **{"replicas": 2, **child.asked}) for name, child in CHILDREN.items()))
    space.wait_reconciled(*CHILDREN)
    for name, child in CHILDREN.items():
        assert_made(space, space.get(child.plural, name + child.suffix), name, child.component)
        assert_made(space, space.get("deployments", name), name, names.COMPONENT_APP)
    everything = {f"{name}{child.suffix} {child.plural}" for name, child in CHILDREN.items()}
    space.apply(*(app(name, **{"replicas": 2, **child.without}) for name, child in CHILDREN.items()))
    space.wait_reconciled(*CHILDREN)

    def left() -> set[str]:
        return {
            f"{name}{child.suffix} {child.plural}"
            for name, child in CHILDREN.items()
            if space.has(child.plural, name + child.suffix)
        }

    space.wait(lambda: not left(), f"the end of {everything}")
    assert all(space.has("deployments", name) for name in CHILDREN)
    told = [note for reason, note in space.events("ingress") if reason == "Deleted"]
    assert told == ["Deleted Ingress ingress: no longer asked for."]


@pytest.mark.usefixtures("operator")
def test_a_changed_config_changes_the_pods(space: Space) -> None:
    space.apply(app(replicas=1, **LOGS))
    space.wait_reconciled()
    before = pod_annotations(space)[names.CONFIG_HASH_ANNOTATION]
    changed: Object = json.loads(json.dumps(LOGS).replace("a.log", "b.log"))
    space.apply(app(replicas=1, **changed))
    space.wait_reconciled()
    assert pod_annotations(space)[names.CONFIG_HASH_ANNOTATION] != before
    assert "b.log" in str(space.get("configmaps", "web-log-shipper-config")["data"])


@pytest.mark.usefixtures("operator")
def test_an_app_is_served_by_kubectls_own_words(space: Space, kubectl: Callable[..., str]) -> None:
    space.apply(app(replicas=1))
    space.wait_ready()
    header, row = kubectl("get", names.SHORT_NAME).splitlines()
    assert header.split() == ["NAME", "READY", "REPLICAS", "ZONES", "SURVIVES", "CACHE", "AGE"]
    assert row.split()[:3] == ["web", "True", "1/1"]
    kubectl("wait", "--for=condition=Ready", f"{names.SHORT_NAME}/web", "--timeout=5s")


def test_an_api_that_is_installed_later_is_noticed(routed: Space) -> None:
    routed.wait(lambda: all(map(routed.has, OPTIONAL)), "the HTTPRoute and the PodMonitor", NOTICED_SECONDS)
    routed.wait(lambda: "not installed" not in routed.condition("Reconciled")["message"], "a message without a lack")
    for plural in OPTIONAL:
        assert_made(routed, routed.get(plural), "web", names.COMPONENT_APP)
    routed.delete("httproutes", "web")
    routed.wait(lambda: routed.has("httproutes"), "the HTTPRoute again")
    routed.apply(app(replicas=1))
    routed.wait(lambda: not any(map(routed.has, OPTIONAL)), "the end of both")


def assert_made(space: Space, child: Object, name: str, component: str) -> None:
    """Owner, labels, hash, and that it was applied by the operator."""
    meta = child["metadata"]
    assert owners(child) == [f"{names.KIND}/{name}"]
    assert meta["ownerReferences"][0]["uid"] == space.get(names.PLURAL, name)["metadata"]["uid"]
    assert meta["labels"] == {
        names.LABEL_NAME: name,
        names.LABEL_INSTANCE: names.instance(name),
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_COMPONENT: component,
        names.LABEL_PART_OF: name,
    }
    assert re.fullmatch("[0-9a-f]{16}", meta["annotations"][names.HASH_ANNOTATION])
    assert ("ha-operator", "Apply") in [(entry["manager"], entry["operation"]) for entry in meta["managedFields"]]


def pod_annotations(space: Space) -> dict[str, str]:
    annotations: dict[str, str] = space.get("deployments")["spec"]["template"]["metadata"]["annotations"]
    return annotations
