"""Rollouts, autoscaling, disruption budgets, and what rolls the pods."""

from typing import Any

import pytest
from tests.render_support import app_of, deployment_of, pick, rendered

from haapp.api import names
from haapp.render import Environment, config_references, versions_of

LOGS = {"directory": "/var/log/shop", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}


def test_the_defaults_lose_no_request() -> None:
    spec = deployment_of()["spec"]

    assert spec["replicas"] == 3
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert spec["minReadySeconds"] == 5
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["revisionHistoryLimit"] == 10
    assert spec["selector"] == {"matchLabels": {names.LABEL_NAME: "shop", names.LABEL_COMPONENT: "app"}}


def test_a_rollout_as_asked_for() -> None:
    rollout = {
        "maxSurge": "50%",
        "maxUnavailable": 2,
        "minReadySeconds": 1,
        "progressDeadlineSeconds": 60,
        "revisionHistoryLimit": 0,
    }
    spec = deployment_of({"rollout": rollout})["spec"]

    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "50%", "maxUnavailable": 2}
    assert {key: spec[key] for key in list(rollout)[2:]} == {key: rollout[key] for key in list(rollout)[2:]}


def test_an_autoscaler_owns_the_replicas() -> None:
    metric = {
        "type": "Pods",
        "pods": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "1"}},
    }
    wanted = {
        "minReplicas": 2,
        "maxReplicas": 9,
        "targetCPUUtilizationPercentage": 70,
        "targetMemoryUtilizationPercentage": 80,
        "metrics": [metric],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    }
    result = rendered({"autoscaling": wanted})
    spec = pick(result, "HorizontalPodAutoscaler")["spec"]

    assert "replicas" not in pick(result, "Deployment")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 9)
    utilization = [(it["resource"]["name"], it["resource"]["target"]) for it in spec["metrics"][:2]]
    assert utilization == [
        ("cpu", {"type": "Utilization", "averageUtilization": 70}),
        ("memory", {"type": "Utilization", "averageUtilization": 80}),
    ]
    assert spec["metrics"][2] == metric
    assert spec["behavior"] == wanted["behavior"]


@pytest.mark.parametrize(("replicas", "most", "fewest"), [(3, 9, 3), (5, 4, 4), (0, 4, 1)])
def test_the_fewest_replicas_are_those_of_the_spec(replicas: int, most: int, fewest: int) -> None:
    scaler = pick(rendered({"replicas": replicas, "autoscaling": {"maxReplicas": most}}), "HorizontalPodAutoscaler")

    assert scaler["spec"]["minReplicas"] == fewest
    assert "metrics" not in scaler["spec"]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ({}, {"maxUnavailable": 1}),
        ({"maxUnavailable": "25%"}, {"maxUnavailable": "25%"}),
        ({"minAvailable": 2}, {"minAvailable": 2}),
        ({"minAvailable": 0}, {"minAvailable": 0}),
    ],
)
def test_a_budget_states_one_of_the_two(budget: dict[str, Any], expected: dict[str, Any]) -> None:
    spec = pick(rendered({"disruptionBudget": budget}), "PodDisruptionBudget")["spec"]

    own = {"matchLabels": {names.LABEL_NAME: "shop", names.LABEL_COMPONENT: "app"}}
    assert spec == {"selector": own, "unhealthyPodEvictionPolicy": "AlwaysAllow", **expected}


@pytest.mark.parametrize(
    ("spec", "made"),
    [
        ({"replicas": 1}, False),
        ({"replicas": 0}, False),
        ({"replicas": 2}, True),
        ({"replicas": 3, "autoscaling": {"minReplicas": 1, "maxReplicas": 1}}, False),
        ({"replicas": 1, "autoscaling": {"minReplicas": 1, "maxReplicas": 2}}, True),
    ],
)
def test_a_single_pod_has_no_budget(spec: dict[str, Any], made: bool) -> None:
    assert (pick(rendered(spec), "PodDisruptionBudget") is not None) is made


def config_hash(spec: dict[str, Any], versions: dict[tuple[str, str], str] | None = None) -> str | None:
    template = deployment_of(spec, Environment(config_versions=versions or {}))["spec"]["template"]
    found: str | None = template["metadata"].get("annotations", {}).get(names.CONFIG_HASH_ANNOTATION)
    return found


def test_a_change_of_a_rendered_config_rolls_the_pods() -> None:
    other = {**LOGS, "sources": [{"path": "b.log"}]}
    config = {"mountPath": "/etc/p", "files": {"a": "1"}}

    assert config_hash({"logSidecar": LOGS}) == config_hash({"logSidecar": LOGS})
    assert config_hash({"logSidecar": LOGS}) != config_hash({"logSidecar": other})
    assert config_hash({"sidecars": [{"name": "p", "image": "p", "config": config}]}) is not None
    assert config_hash({}) is None


def test_a_change_of_a_referenced_config_rolls_the_pods_where_that_is_wanted() -> None:
    spec = {"app": {"envFrom": [{"configMapRef": {"name": "settings"}}]}}
    keep = {**spec, "rollout": {"restartOnConfigChange": False}}
    one, two = {("ConfigMap", "settings"): "1"}, {("ConfigMap", "settings"): "2"}

    assert config_hash(spec, one) != config_hash(spec, two)
    assert config_hash(keep, one) is None
    assert config_hash(spec, {**one, ("Secret", "settings"): "3"}) == config_hash(spec, one)


def test_the_deployment_records_the_versions_of_its_configuration() -> None:
    spec = {"app": {"envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}]}}
    known = {("ConfigMap", "settings"): "u/1", ("Secret", "keys"): "v/2"}
    annotations = deployment_of(spec, Environment(config_versions=known))["metadata"]["annotations"]
    assert versions_of(annotations) == known
    bare = deployment_of({}, Environment(config_versions=known))["metadata"]["annotations"]
    assert names.CONFIG_VERSIONS_ANNOTATION not in bare
    assert versions_of(bare) == {}


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "7"])
def test_a_record_of_versions_that_cannot_be_read_is_none(text: str) -> None:
    assert versions_of({names.CONFIG_VERSIONS_ANNOTATION: text}) == {}


def test_all_references_of_the_pod_are_found() -> None:
    secret_env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s1", "key": "k"}}}]
    spec = {
        "app": {"env": secret_env, "envFrom": [{"configMapRef": {"name": "c1"}}, {"secretRef": {"name": "s2"}}]},
        "initSteps": [
            {
                "name": "i",
                "image": "i",
                "env": [{"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c2", "key": "k"}}}],
            }
        ],
        "sidecars": [
            {"name": "s", "image": "s", "envFrom": [{"secretRef": {"name": "s3"}}]},
            {"name": "t", "image": "t", "config": {"mountPath": "/x", "configMapName": "c3"}},
            {"name": "u", "image": "u", "config": {"mountPath": "/x", "files": {"a": "b"}}},
        ],
        "logSidecar": {
            "directory": "/l",
            "config": {"configMapName": "c4"},
            "env": [{"name": "C", "valueFrom": {"secretKeyRef": {"name": "s4", "key": "k"}}}],
        },
        "pod": {
            "volumes": [
                {"name": "a", "configMap": {"name": "c5"}},
                {"name": "b", "secret": {"secretName": "s5"}},
                {"name": "c", "projected": {"sources": [{"configMap": {"name": "c6"}}, {"secret": {"name": "s6"}}]}},
                {"name": "d", "emptyDir": {}},
            ]
        },
    }

    assert config_references(app_of(spec)) == {
        *(("ConfigMap", f"c{number}") for number in range(1, 7)),
        *(("Secret", f"s{number}") for number in range(1, 7)),
    }


@pytest.mark.parametrize(("deadline", "warned"), [(300, True), (305, True), (306, False)])
def test_a_start_that_outlasts_the_rollout_is_pointed_out(deadline: int, warned: bool) -> None:
    spec = {
        "probes": {"liveness": {"tcpSocket": {"port": 1}}, "startWithin": "5m"},
        "rollout": {"progressDeadlineSeconds": deadline},
    }
    notes = rendered(spec).notes

    assert bool(notes) is warned
    assert not warned or "write at least 306" in notes[0]
