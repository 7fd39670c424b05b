"""A configuration that changes restarts the pods that use it, when that is asked for; and no Secret is ever read."""

import time
from collections.abc import Iterator

import pykube
import pytest
from tests.space import Object, Space, app, stays
from tests.timeline import Timeline, is_ready, new_space

from devcluster.audit import AuditLog, audit_log
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names

PODS = 2
PROXY = {"name": "proxy", "image": "example/proxy:1", "pattern": "ambassador"}
SETTINGS = {"envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "password"}}]}
KEPT = {"rollout": {"minReadySeconds": 0, "drainSeconds": 0, "restartOnConfigChange": False}}


def proxied(text: str) -> Object:
    config = {"mountPath": "/etc/proxy", "files": {"proxy.yaml": text}}
    return app("proxied", replicas=PODS, sidecars=[{**PROXY, "config": config}])


def object_of(kind: str, name: str, **content: Object) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **content}


class Configured:
    """Apps that use configuration in different ways; `revisions` tells which pod template each has now."""

    def __init__(self, cluster: Cluster, space: Space, pods: Timeline, audit: AuditLog, mark: int) -> None:
        self.cluster, self.space, self.pods, self.audit, self.mark = cluster, space, pods, audit, mark

    def change(self, kind: str, name: str, value: str) -> None:
        content = {"data": {"MODE": value}} if kind == "ConfigMap" else {"stringData": {"PASSWORD": value}}
        self.cluster.apply(
            {**object_of(kind, name, **content), "metadata": {"name": name, "namespace": self.space.name}}
        )

    def revision(self, name: str) -> str:
        annotations = self.space.get("deployments", name)["metadata"]["annotations"]
        return str(annotations["deployment.kubernetes.io/revision"])

    def fewest(self, name: str, since: float) -> int:
        def serves(pod: Object) -> bool:
            return bool(pod["metadata"]["labels"][names.LABEL_NAME] == name and is_ready(pod))

        return self.pods.fewest(serves, since=since)


@pytest.fixture(scope="module")
def configured(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Configured]:
    if cluster.folder is None:
        pytest.skip("needs the audit log of an embedded cluster")
    audit = audit_log(cluster)
    mark = audit.mark()
    with new_space(cluster, api) as space, Timeline(cluster, space, "pods") as pods:
        made = Configured(cluster, space, pods, audit, mark)
        made.change("ConfigMap", "settings", "one")
        made.change("Secret", "password", "one")
        using = {"image": "example/web:1", **SETTINGS}
        space.apply(
            proxied("one"), app("using", replicas=PODS, app=using), app("kept", replicas=PODS, app=using, **KEPT)
        )
        space.wait_ready("proxied", "using", "kept")
        yield made


def test_a_rendered_config_that_changes_restarts_the_pods(configured: Configured) -> None:
    began = time.monotonic()
    configured.space.apply(proxied("two"))
    configured.space.wait(lambda: configured.revision("proxied") == "2", "a second revision")
    configured.space.wait_ready("proxied")
    assert configured.space.get("configmaps", "proxied-proxy-config")["data"] == {"proxy.yaml": "two"}
    assert configured.fewest("proxied", began) == PODS


@pytest.mark.parametrize(("kind", "name", "revision"), [("ConfigMap", "settings", "2"), ("Secret", "password", "3")])
def test_a_referenced_config_that_changes_restarts_the_pods(
    configured: Configured, kind: str, name: str, revision: str
) -> None:
    began = time.monotonic()
    configured.change(kind, name, "two")
    configured.space.wait(lambda: configured.revision("using") == revision, f"revision {revision}")
    print(f"{kind}: a new revision after {time.monotonic() - began:.2f} s")
    configured.space.wait_ready("using")
    assert configured.fewest("using", began) == PODS


def test_nothing_restarts_where_that_is_switched_off(configured: Configured) -> None:
    assert configured.revision("kept") == "1"


def test_what_is_not_referenced_restarts_nothing(configured: Configured) -> None:
    before = {name: configured.revision(name) for name in ("proxied", "using", "kept")}
    configured.change("ConfigMap", "other", "one")
    configured.change("Secret", "other", "one")
    stays(lambda: {name: configured.revision(name) for name in before} == before, 2, "an unknown Secret restarts pods")


def test_no_secret_is_read(configured: Configured) -> None:
    """Lists and watches only, and never of one by its name; that they ask for metadata alone a unit test holds."""
    asked = [r for r in configured.audit.since(configured.mark) if r.resource == "secrets" and "haapp" in r.user_agent]
    assert {request.verb for request in asked} == {"list", "watch"}
    assert {(request.namespace, request.name) for request in asked} == {(configured.space.name, "")}
