"""Who may write HighAvailabilityApps and no Deployments gains nothing by it: the opt-in policy, and Pod Security."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.space import Object, Space, app

from devcluster.cluster import Cluster
from devcluster.shell import ClusterError, wait_for
from haapp.api import parse_app
from haapp.api.names import GROUP, PLURAL
from haapp.render import render

POLICY = Path(__file__).parents[2] / "manifests" / "policy"
APPS_ONLY, DEPLOYER, READER = "apps-only", "deployer", "secret-reader"
OF_APPS = f"--resource={PLURAL}.{GROUP},{PLURAL}.{GROUP}/scale"
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
SIDECAR: Object = {"name": "side", "image": "example/side:1"}
LOGS: Object = {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}
UNREADABLE = UNREADABLE_SECRET, UNREADABLE_CONFIG = (
    "a Secret that you may not read",
    "a ConfigMap that you may not read",
)
ANOTHER_PROFILE = "sets a container's AppArmor profile"
APPARMOR, IMAGE_POLICY = "container.apparmor.security.beta.kubernetes.io", "webhook.image-policy.k8s.io"
MORE_THAN_THE_PROFILE = "give a container more than the app's profile does"
OTHER_VOLUME = "any other kind reaches data or machines beyond the app"
ROOT_STEP: Object = {**STEP, "securityContext": {"runAsUser": 0, "runAsNonRoot": False}}
REFUSED: dict[str, tuple[Object, str]] = {
    "service account": ({"pod": {"serviceAccountName": "admin"}}, "pods of admin would act with its rights"),
    "host path": (volume(hostPath={"path": "/etc"}), "a hostPath volume reaches the node's own files"),
    "claim": (volume(persistentVolumeClaim={"claimName": "theirs"}), OTHER_VOLUME),
    "csi": (volume(csi={"driver": "d", "nodePublishSecretRef": {"name": "mine"}}), OTHER_VOLUME),
    "azure file": (volume(azureFile={"shareName": "s", "secretName": "mine"}), OTHER_VOLUME),
    "iscsi": (
        volume(iscsi={"targetPortal": "p", "iqn": "iqn.a", "lun": 0, "secretRef": {"name": "mine"}}),
        OTHER_VOLUME,
    ),
    "nfs": (volume(nfs={"server": "s", "path": "/"}), OTHER_VOLUME),
    "ephemeral": (
        volume(
            ephemeral={
                "volumeClaimTemplate": {
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                }
            }
        ),
        "makes a PersistentVolumeClaim for each pod",
    ),
    "token": (volume(projected={"sources": [{"serviceAccountToken": {"path": "t"}}]}), "is a credential"),
    "pod certificate": (
        volume(
            projected={
                "sources": [
                    {"podCertificate": {"signerName": "a.example/b", "keyType": "ED25519", "credentialBundlePath": "c"}}
                ]
            }
        ),
        "is a credential",
    ),
    "privileged": (secured(privileged=True), MORE_THAN_THE_PROFILE),
    "escalation": (secured(allowPrivilegeEscalation=True), MORE_THAN_THE_PROFILE),
    "capability": (secured(capabilities={"add": ["SYS_ADMIN"]}), MORE_THAN_THE_PROFILE),
    "seccomp": (secured(seccompProfile={"type": "Unconfined"}), MORE_THAN_THE_PROFILE),
    "seccomp of the node": (
        secured(seccompProfile={"type": "Localhost", "localhostProfile": "all.json"}),
        MORE_THAN_THE_PROFILE,
    ),
    "AppArmor": (secured(appArmorProfile={"type": "Unconfined"}), MORE_THAN_THE_PROFILE),
    "AppArmor of the node": (
        secured(appArmorProfile={"type": "Localhost", "localhostProfile": "crun"}),
        MORE_THAN_THE_PROFILE,
    ),
    "AppArmor annotation": ({"pod": {"annotations": {f"{APPARMOR}/app": "unconfined"}}}, ANOTHER_PROFILE),
    "AppArmor annotation of another container": (
        {"sidecars": [SIDECAR], "pod": {"annotations": {"a": "b", f"{APPARMOR}/side": "localhost/crun"}}},
        ANOTHER_PROFILE,
    ),
    "image policy": (
        {"pod": {"annotations": {f"{IMAGE_POLICY}/break-glass": "true"}}},
        "may override an image policy",
    ),
    "procMount": (secured(procMount="Unmasked"), MORE_THAN_THE_PROFILE),
    "SELinux": (secured(seLinuxOptions={"type": "spc_t"}), MORE_THAN_THE_PROFILE),
    "host process": (secured(windowsOptions={"hostProcess": True}), MORE_THAN_THE_PROFILE),
    **{
        f"{what} of a {name}": (
            {field: [{**of, "securityContext": context}], "security": {"profile": "Baseline"}},
            MORE_THAN_THE_PROFILE,
        )
        for field, name, of in (("initSteps", "step", STEP), ("sidecars", "sidecar", SIDECAR))
        for what, context in {
            "AppArmor": {"appArmorProfile": {"type": "Unconfined"}},
            "procMount": {"procMount": "Unmasked"},
            "host process": {"windowsOptions": {"hostProcess": True}},
        }.items()
    },
    "step": (
        {"initSteps": [{**STEP, "securityContext": {"privileged": True}}], "security": {"profile": "Baseline"}},
        MORE_THAN_THE_PROFILE,
    ),
    "sidecar": (
        {"sidecars": [{**SIDECAR, "securityContext": {"privileged": True}}], "security": {"profile": "Baseline"}},
        MORE_THAN_THE_PROFILE,
    ),
    "log shipper": (
        {"logSidecar": {**LOGS, "securityContext": {"privileged": True}}, "security": {"profile": "Baseline"}},
        MORE_THAN_THE_PROFILE,
    ),
    "host port": (container(ports=[{"name": "http", "containerPort": 80, "hostPort": 80}]), "a hostPort listens"),
    "secret volume": (volume(secret={"secretName": "mine"}), UNREADABLE_SECRET),
    "projected secret": (volume(projected={"sources": [{"secret": {"name": "mine"}}]}), UNREADABLE_SECRET),
    "secret variable": (container(env=[{"name": "A", "valueFrom": SECRET_KEY}]), UNREADABLE_SECRET),
    "secret variable of the shipper": (
        {"logSidecar": {**LOGS, "env": [{"name": "A", "valueFrom": SECRET_KEY}]}},
        UNREADABLE_SECRET,
    ),
    "secret variables": ({"initSteps": [{**STEP, "envFrom": [{"secretRef": {"name": "mine"}}]}]}, UNREADABLE_SECRET),
    "pull secret": ({"pod": {"imagePullSecrets": [{"name": "mine"}]}}, UNREADABLE_SECRET),
    "key of a certificate": ({"ingress": {"host": "a.example.com", "tlsSecretName": "mine"}}, UNREADABLE_SECRET),
    "configuration volume": (volume(configMap={"name": "mine"}), UNREADABLE_CONFIG),
    "projected configuration": (volume(projected={"sources": [{"configMap": {"name": "mine"}}]}), UNREADABLE_CONFIG),
    "configuration variable": (
        container(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "mine", "key": "k"}}}]),
        UNREADABLE_CONFIG,
    ),
    "configuration variables": (container(envFrom=[{"configMapRef": {"name": "mine"}}]), UNREADABLE_CONFIG),
    "shipper's configuration": (
        {"logSidecar": {"directory": "/logs", "config": {"configMapName": "mine"}}},
        UNREADABLE_CONFIG,
    ),
    "sidecar's configuration": (
        {"sidecars": [{**SIDECAR, "config": {"mountPath": "/c", "configMapName": "mine"}}]},
        UNREADABLE_CONFIG,
    ),
    "last of six": (
        container(envFrom=[{"secretRef": {"name": f"mine-{number}"}} for number in range(6)]),
        UNREADABLE_SECRET,
    ),
    "kept capabilities": (secured(capabilities={"drop": []}), MORE_THAN_THE_PROFILE),
    "ingress": ({"ingress": {"host": "a.example.com"}}, "takes a host and a path that others may serve"),
    "route": ({"route": {"parentRefs": [{"name": "gateway"}]}}, "takes hostnames and a path of a Gateway"),
    "network policy": ({"networkPolicy": {"from": [{}]}}, "allows traffic that the namespace's other NetworkPolicies"),
    "pod monitor": ({"monitoring": {"port": "http", "podMonitor": True}}, "configures a Prometheus"),
    "load balancer": ({"service": {"type": "LoadBalancer"}}, "open the app to the outside"),
    "service": ({"service": {"annotations": {"external": "yes"}}}, "open the app to the outside"),
}
ALLOWED: dict[str, Object] = {
    "plain": {},
    "nulls": {
        "pod": {"volumes": None, "imagePullSecrets": None, "annotations": None},
        "initSteps": None,
        "sidecars": None,
        "service": {"annotations": None},
        "app": {**CONTAINER, "env": None},
    },
    "everything else": {
        "pod": {
            "volumes": [
                {"name": "v", "emptyDir": {}},
                {"name": "d", "downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                {"name": "i", "image": {"reference": "example/side:1"}},
            ],
            "annotations": {"kubectl.kubernetes.io/default-container": "app", "example.com/image-policy.k8s.io": "no"},
        },
        "initSteps": [ROOT_STEP],
        "sidecars": [SIDECAR],
        "logSidecar": LOGS,
        "cache": {"redis": {}},
        "monitoring": {"port": "http"},
        "app": {**CONTAINER, "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}},
    },
}
MAKES: dict[str, tuple[str, ...]] = {
    "apps": ("deployments",),
    "": ("services", "persistentvolumeclaims"),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "gateway.networking.k8s.io": ("httproutes",),
    "monitoring.coreos.com": ("podmonitors",),
}
"""What the deployer may create, by API group."""

LEVELS = ("privileged", "baseline", "restricted")
TOO_MUCH: dict[str, tuple[str, Object, str]] = {
    "host path": ("baseline", REFUSED["host path"][0], "hostPath"),
    "host port": ("baseline", REFUSED["host port"][0], "hostPort"),
    **{
        case: ("baseline", REFUSED[case][0], says)
        for case, says in {
            "privileged": "privileged",
            "capability": "SYS_ADMIN",
            "seccomp": "seccompProfile",
            "AppArmor": "AppArmor profile",
            "AppArmor annotation": "AppArmor profile",
            "SELinux": "seLinuxOptions",
            "sidecar": "privileged",
        }.items()
    },
    "escalation": ("restricted", REFUSED["escalation"][0], "allowPrivilegeEscalation"),
    "another kind of volume": ("restricted", REFUSED["nfs"][0], "restricted volume types"),
    "root in a step": ("restricted", {"initSteps": [ROOT_STEP]}, "runAsNonRoot"),
}
"""What a namespace's level refuses, as docs/security.md says: the lowest such level."""


@pytest.fixture(scope="module")
def rights(cluster: Cluster) -> Iterator[Cluster]:
    """The policy in force, and three users."""
    cluster.kubectl("apply", "-k", str(POLICY))
    cluster.kubectl("create", "clusterrole", "test-apps", "--verb=*", OF_APPS)
    rules = [{"apiGroups": [group], "resources": plurals, "verbs": ["create"]} for group, plurals in MAKES.items()]
    role = {"kind": "ClusterRole", "metadata": {"name": "test-deployer"}, "rules": rules}
    cluster.apply({"apiVersion": "rbac.authorization.k8s.io/v1", **role})
    cluster.kubectl("create", "clusterrole", "test-reader", "--verb=get", "--resource=secrets,configmaps")
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


@pytest.mark.parametrize("case", [case for case, (_, says) in REFUSED.items() if says in UNREADABLE])
def test_who_may_read_it_may_give_it_to_the_app(enforced: Cluster, space: Space, case: str) -> None:
    told = complaint(enforced, space, READER, app(**REFUSED[case][0]))
    assert not any(says in told for says in UNREADABLE)
    assert told == "" or case == "key of a certificate"


def test_many_keys_of_few_secrets_are_few_questions(enforced: Cluster, space: Space) -> None:
    """The API server limits what a policy may ask it: each Secret is asked for once, and by name only where need be."""
    env = [
        {"name": f"{letter}{number}", "valueFrom": {"secretKeyRef": {"name": f"{letter}-secret", "key": str(number)}}}
        for letter in "abcdef"
        for number in range(20)
    ]
    enforced.kubectl(
        f"--namespace={space.name}",
        "create",
        "role",
        "few",
        "--verb=get",
        "--resource=secrets",
        *(f"--resource-name={letter}-secret" for letter in "abcdef"),
    )
    enforced.kubectl(f"--namespace={space.name}", "create", "rolebinding", "few", "--role=few", f"--user={APPS_ONLY}")
    space.wait(lambda: complaint(enforced, space, APPS_ONLY, app(**container(env=env))) == "", "six Secrets, let in")
    seven = app(**container(envFrom=[{"secretRef": {"name": f"{letter}-secret"}} for letter in "abcdefg"]))
    assert "more than six Secrets are named here" in complaint(enforced, space, APPS_ONLY, seven)
    assert complaint(enforced, space, READER, seven) == ""


def test_a_deployment_is_taken_over_by_those_alone_who_may_make_one(enforced: Cluster, space: Space) -> None:
    adopting = app()
    adopting["metadata"]["annotations"] = {"highavailability.dev/adopt": "true"}
    assert "takes over a Deployment" in complaint(enforced, space, APPS_ONLY, adopting)
    assert complaint(enforced, space, DEPLOYER, adopting) == ""


def test_an_app_that_has_such_a_field_can_still_be_labelled(enforced: Cluster, space: Space) -> None:
    space.apply(app(**REFUSED["host path"][0], paused=True))
    enforced.kubectl(f"--namespace={space.name}", f"--as={APPS_ONLY}", "label", PLURAL, "web", "team=a")
    enforced.kubectl(f"--namespace={space.name}", f"--as={APPS_ONLY}", "scale", PLURAL, "web", "--replicas=3")
    with pytest.raises(ClusterError, match="hostPath"):
        enforced.kubectl(
            f"--namespace={space.name}", f"--as={APPS_ONLY}", "patch", PLURAL, "web", "--type=merge", "-p", CHANGE
        )


@pytest.mark.parametrize("case", TOO_MUCH)
def test_pod_security_refuses_what_the_documentation_says(cluster: Cluster, space: Space, case: str) -> None:
    level, spec, says = TOO_MUCH[case]
    pod = pod_of(app(**spec))
    wait_for(lambda: space.has("serviceaccounts", "default"), 60, "the namespace's own ServiceAccount")
    for enforced in LEVELS:
        label = f"pod-security.kubernetes.io/enforce={enforced}"
        cluster.kubectl("label", "namespace", space.name, label, "--overwrite")
        told = ""
        try:
            cluster.kubectl(f"--namespace={space.name}", "create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
        except ClusterError as error:
            told = str(error)
        refusing = LEVELS.index(enforced) >= LEVELS.index(level)
        assert (f'violates PodSecurity "{enforced}' in told) == refusing, told
        assert (says in told) == refusing, told


def pod_of(obj: Object) -> Object:
    """A pod as the app's Deployment would make it, but for its ServiceAccount."""
    rendered = render(parse_app({**obj, "metadata": {**obj["metadata"], "namespace": "any", "uid": "u"}})).objects
    template = next(child for child in rendered if child["kind"] == "Deployment")["spec"]["template"]
    spec = {**template["spec"], "serviceAccountName": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "web"}, "spec": spec}


@pytest.mark.usefixtures("operator")
def test_pod_security_holds_whoever_made_the_app(cluster: Cluster, space: Space) -> None:
    """The namespace's level is enforced on the pods: the default profile meets `restricted`, a host path does not."""
    cluster.kubectl("label", "namespace", space.name, "pod-security.kubernetes.io/enforce=restricted")
    space.apply(app(), app("reaching", replicas=1, **REFUSED["host path"][0]))
    space.wait_ready()
    refused = space.wait_condition("Ready", "False", name="reaching", timeout=60)
    assert "violates PodSecurity" in refused["message"] or "restricted" in refused["message"]
