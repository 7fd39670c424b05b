"""Who may write HighAvailabilityApps and no Deployments gains nothing by it: the opt-in policy, and Pod Security."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.space import Object, Space, app

from devcluster.cluster import Cluster
from devcluster.shell import ClusterError, wait_for
from haapp.api.names import GROUP, PLURAL

POLICY = Path(__file__).parents[2] / "manifests" / "policy"
APPS_ONLY, DEPLOYER, READER = "apps-only", "deployer", "secret-reader"
OF_APPS = f"--resource={PLURAL}.{GROUP}"
CONTAINER: Object = {"image": "example/web:1", "ports": [{"name": "http", "containerPort": 8080}]}


def container(**more: Any) -> Object:
    return {"app": {**CONTAINER, **more}}


def volume(**source: Any) -> Object:
    return {"pod": {"volumes": [{"name": "v", **source}]}}


def secured(**context: Any) -> Object:
    return {**container(securityContext=context), "security": {"profile": "Baseline"}}


CHANGE = '{"spec": {"replicas": 7}}'
SECRET_KEY: Object = {"secretKeyRef": {"name": "mine", "key": "k"}}
STEP: Object = {"name": "step", "image": "example/step:1"}
REFUSED: dict[str, tuple[Object, str]] = {
    "service account": ({"pod": {"serviceAccountName": "admin"}}, "pods of admin would act with its rights"),
    "host path": (volume(hostPath={"path": "/etc"}), "a hostPath volume reaches the node's own files"),
    "token": (volume(projected={"sources": [{"serviceAccountToken": {"path": "t"}}]}), "is a credential"),
    "privileged": (secured(privileged=True), "privileged, allowPrivilegeEscalation"),
    "escalation": (secured(allowPrivilegeEscalation=True), "allowPrivilegeEscalation"),
    "capability": (secured(capabilities={"add": ["SYS_ADMIN"]}), "capabilities.add"),
    "seccomp": (secured(seccompProfile={"type": "Unconfined"}), "Unconfined"),
    "step": (
        {"initSteps": [{**STEP, "securityContext": {"privileged": True}}], "security": {"profile": "Baseline"}},
        "privileged, allowPrivilegeEscalation",
    ),
    "host port": (container(ports=[{"name": "http", "containerPort": 80, "hostPort": 80}]), "a hostPort listens"),
    "secret volume": (volume(secret={"secretName": "mine"}), "a Secret that you may not read"),
    "projected secret": (
        volume(projected={"sources": [{"secret": {"name": "mine"}}]}),
        "a Secret that you may not read",
    ),
    "secret variable": (container(env=[{"name": "A", "valueFrom": SECRET_KEY}]), "a Secret that you may not read"),
    "secret variables": ({"initSteps": [{**STEP, "envFrom": [{"secretRef": {"name": "mine"}}]}]}, "may not read"),
    "ingress": (
        {"ingress": {"host": "a.example.com", "annotations": {"snippet": "x"}}},
        "configure the Ingress controller",
    ),
    "load balancer": ({"service": {"type": "LoadBalancer"}}, "open the app to the outside"),
    "service": ({"service": {"annotations": {"external": "yes"}}}, "open the app to the outside"),
}
ALLOWED: dict[str, Object] = {
    "plain": {},
    "everything else": {
        "pod": {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "c"}}]},
        "initSteps": [{**STEP, "securityContext": {"runAsUser": 0, "runAsNonRoot": False}}],
        "sidecars": [{"name": "side", "image": "example/side:1"}],
        "logSidecar": {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}},
        "cache": {"redis": {}},
        "ingress": {"host": "a.example.com"},
        "app": {**CONTAINER, "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}},
    },
}


@pytest.fixture(scope="module")
def rights(cluster: Cluster) -> Iterator[Cluster]:
    """The policy in force, and three users."""
    cluster.kubectl("apply", "-k", str(POLICY))
    cluster.kubectl("create", "clusterrole", "test-apps", "--verb=*", OF_APPS)
    cluster.kubectl(
        "create", "clusterrole", "test-deployer", "--verb=create", "--resource=deployments,services,ingresses"
    )
    cluster.kubectl("create", "clusterrole", "test-reader", "--verb=get", "--resource=secrets")
    bindings = {"test-apps": (APPS_ONLY, DEPLOYER, READER), "test-deployer": (DEPLOYER,), "test-reader": (READER,)}
    for role, users in bindings.items():
        cluster.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", *(f"--user={u}" for u in users))
    yield cluster
    cluster.kubectl("delete", "-k", str(POLICY))
    cluster.kubectl("delete", "clusterrolebinding,clusterrole", *bindings)


@pytest.fixture
def enforced(rights: Cluster, space: Space) -> Cluster:
    """The policy's effect is seen: an API server takes up a new one within seconds."""
    spec = REFUSED["host path"][0]
    wait_for(lambda: "hostPath" in complaint(rights, space, APPS_ONLY, app(**spec)), 60, "the policy in force")
    return rights


def complaint(cluster: Cluster, space: Space, user: str, obj: Object) -> str:
    """What the API server says against the user's creating the object; nothing if it lets it in."""
    try:
        cluster.kubectl(
            f"--namespace={space.name}", f"--as={user}", "create", "--dry-run=server", "-f", "-", stdin=json.dumps(obj)
        )
    except ClusterError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", REFUSED)
def test_a_way_to_further_rights_is_closed(enforced: Cluster, space: Space, case: str) -> None:
    spec, says = REFUSED[case]
    told = complaint(enforced, space, APPS_ONLY, app(**spec))
    assert "haapp-no-escalation" in told
    assert says in told
    assert complaint(enforced, space, DEPLOYER, app(**spec)) == ""


@pytest.mark.parametrize("case", ALLOWED)
def test_what_gives_no_right_is_let_in(enforced: Cluster, space: Space, case: str) -> None:
    assert complaint(enforced, space, APPS_ONLY, app(**ALLOWED[case])) == ""


def test_who_may_read_a_secret_may_give_it_to_the_app(enforced: Cluster, space: Space) -> None:
    assert complaint(enforced, space, READER, app(**REFUSED["secret volume"][0])) == ""


def test_a_deployment_is_taken_over_by_those_alone_who_may_make_one(enforced: Cluster, space: Space) -> None:
    adopting = app()
    adopting["metadata"]["annotations"] = {"highavailability.dev/adopt": "true"}
    assert "takes over a Deployment" in complaint(enforced, space, APPS_ONLY, adopting)
    assert complaint(enforced, space, DEPLOYER, adopting) == ""


def test_an_app_that_has_such_a_field_can_still_be_labelled(enforced: Cluster, space: Space) -> None:
    space.apply(app(**REFUSED["host path"][0], paused=True))
    enforced.kubectl(f"--namespace={space.name}", f"--as={APPS_ONLY}", "label", PLURAL, "web", "team=a")
    with pytest.raises(ClusterError, match="hostPath"):
        enforced.kubectl(
            f"--namespace={space.name}", f"--as={APPS_ONLY}", "patch", PLURAL, "web", "--type=merge", "-p", CHANGE
        )


@pytest.mark.usefixtures("operator")
def test_pod_security_holds_whoever_made_the_app(cluster: Cluster, space: Space) -> None:
    """The namespace's level is enforced on the pods: the default profile meets `restricted`, a host path does not."""
    cluster.kubectl("label", "namespace", space.name, "pod-security.kubernetes.io/enforce=restricted")
    space.apply(app(), app("reaching", replicas=1, **REFUSED["host path"][0]))
    space.wait_ready()
    refused = space.wait_condition("Ready", "False", name="reaching", timeout=60)
    assert "violates PodSecurity" in refused["message"] or "restricted" in refused["message"]
