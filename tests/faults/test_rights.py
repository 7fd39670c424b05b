"""The operator has every right that it needs, and none that it does not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests import rights
from tests.faults.operations import FULL
from tests.faults.trial import Stage
from tests.rights import Right
from tests.space import Object, Space, app, least_crd

from devcluster.process import Operator
from devcluster.shell import wait_for

OPTIONAL = {"httproutes.gateway.networking.k8s.io": "HTTPRoute", "podmonitors.monitoring.coreos.com": "PodMonitor"}
EVERYTHING: Object = {
    **FULL,
    "app": {
        "image": "example/web:1",
        "ports": [{"name": "http", "containerPort": 8080}],
        "envFrom": [{"secretRef": {"name": "secret"}}, {"configMapRef": {"name": "config"}}],
    },
    "cache": {"redis": {}},
    "autoscaling": {"minReplicas": 2, "maxReplicas": 3, "targetCPUUtilizationPercentage": 80},
    "networkPolicy": {"from": []},
    "route": {"parentRefs": [{"name": "gateway"}]},
    "monitoring": {"port": "http", "podMonitor": True},
}
NOTHING: Object = {
    "replicas": 1,
    "app": {"image": "example/web:1"},
    "rollout": FULL["rollout"],
    "pod": {"serviceAccountName": "default"},
}
SELECTED: Object = {**NOTHING, "cache": {"selector": {"matchLabels": {"app": "cache"}}}}
THEIRS = {"matchLabels": {"app": "theirs"}}
THEIR_POD = {"metadata": {"labels": {"app": "theirs"}}, "spec": {"containers": [{"name": "app", "image": "theirs"}]}}
LEAST: dict[str, tuple[str, Object]] = {
    "Secret": ("v1", {}),
    "ServiceAccount": ("v1", {}),
    "ConfigMap": ("v1", {}),
    "Service": ("v1", {"spec": {"ports": [{"port": 80}]}}),
    "Deployment": ("apps/v1", {"spec": {"replicas": 0, "selector": THEIRS, "template": THEIR_POD}}),
    "NetworkPolicy": ("networking.k8s.io/v1", {"spec": {"podSelector": THEIRS}}),
    "PodDisruptionBudget": ("policy/v1", {"spec": {"minAvailable": 0, "selector": THEIRS}}),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        {"spec": {"maxReplicas": 1, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}},
    ),
    "Ingress": ("networking.k8s.io/v1", {"spec": {"rules": [{"host": "theirs.example.com"}]}}),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", {}),
    "PodMonitor": ("monitoring.coreos.com/v1", {}),
}
TAKEN = (
    ("ServiceAccount", "first"),
    ("ConfigMap", "first-log-shipper-config"),
    *((kind, "second") for kind in LEAST if kind not in ("Secret", "ServiceAccount", "ConfigMap")),
)
UNUSED_HERE = [
    Right("patch", "events.k8s.io", "events"),
    Right("update", "highavailability.dev", "highavailabilityapps/finalizers"),
]
"""An Event that comes again is counted on the first one, a minute later at the earliest. The right on finalizers is
asked for by an admission plugin alone, where an owner reference blocks the owner's deletion; it is seldom on."""

METADATA_ALONE = "as=PartialObjectMetadata"


@pytest.fixture
def optional_apis(stage: Stage) -> Iterator[None]:
    """The two APIs that a cluster may lack, with any content."""
    for name, kind in OPTIONAL.items():
        plural, _, group = name.partition(".")
        stage.cluster.apply(least_crd(plural, group, kind))
        wait_for(lambda name=name: stage.cluster.is_served(name), 30, f"an answer for {name}")
    yield
    stage.cluster.kubectl("delete", "crd", *OPTIONAL)


@pytest.mark.usefixtures("optional_apis")
def test_every_right_is_needed_and_none_is_missing(stage: Stage) -> None:
    stage.expected("create")
    stage.operator.stop()
    stage.cluster.kubectl("delete", "leases", "--all", "-n", rights.NAMESPACE)
    since = len(stage.proxy.calls)
    leading = Operator(
        stage.cluster, stage.operator.folder, "leading", ("--all-namespaces",), with_lease(stage.operator.environment)
    )
    with stage.trials("rollback", "rebalance", "create", operator=leading) as trials:
        space = trials[-1].space
        for trial in trials[:-1]:
            trial.act()
        use_everything(stage, space)
        for trial in trials[:-1]:
            trial.check()
    leading.stop()
    calls = stage.proxy.calls[since:]
    of_ours = [call for call in calls if call.namespace in ("", rights.NAMESPACE, *(t.space.name for t in trials))]
    assert rights.denied(of_ours) == []
    granted = rights.granted(rights.manifests(stage.cluster))
    assert rights.never_used(granted, rights.used(calls)) == UNUSED_HERE
    of_secrets = [call for call in calls if call.resource == "secrets"]
    assert {call.verb for call in of_secrets} == {"list", "watch"}
    assert [call for call in of_secrets if METADATA_ALONE not in call.accept] == []


def with_lease(environment: Any) -> dict[str, str]:
    return {**environment, "POD_NAMESPACE": rights.NAMESPACE}


def use_everything(stage: Stage, space: Space) -> None:
    """Make and take away each kind of child, lose one, find each kind's name taken, read configuration."""
    theirs = [foreign(kind, name) for kind, name in TAKEN]
    referred = [foreign("Secret", "secret"), foreign("ConfigMap", "config")]
    for obj in (*theirs, *referred):
        stage.cluster.kubectl("apply", f"--namespace={space.name}", "-f", "-", stdin=json.dumps(obj))
    names = ("web", "selected", "first", "second")
    space.apply(*(app(name, **(SELECTED if name == "selected" else EVERYTHING)) for name in names))
    space.wait_reconciled("web", "selected")
    for name in ("first", "second"):
        space.wait_condition("Reconciled", "False", "NameConflict", name=name)
    space.delete("services", "web-cache")
    space.wait(lambda: space.has("services", "web-cache"), "the Service, made again")
    space.apply(app(**NOTHING))
    space.wait_reconciled()


def foreign(kind: str, name: str) -> Object:
    """The least object of a kind, made by somebody else."""
    version, content = LEAST[kind]
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **content}
