"""Valid specs to move between: sections of an app, each in a few forms, and sections from the CRD's own schema."""

from typing import Any

from hypothesis import strategies as st
from tests.render_random import SCHEMA, tidied, values
from tests.space import Object

from haapp.api import InvalidSpec, parse_app
from haapp.api.names import API_VERSION, KIND
from haapp.render import RenderError, render

QUICK: Object = {"minReadySeconds": 0, "drainSeconds": 0}
APP: Object = {"image": "example/web:1", "ports": [{"name": "http", "containerPort": 8080}]}
SOURCES: Object = {"directory": "/logs", "sources": [{"path": "a.log"}]}
FORMS: dict[str, list[Any]] = {
    "replicas": [0, 1, 2, 4],
    "app": [
        {**APP, "image": "example/web:2"},
        {**APP, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {
            **APP,
            "env": [
                {"name": "B", "value": "3"},
                {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            ],
        },
        {"image": "example/web:1"},
        {**APP, "ports": [*APP["ports"], {"name": "admin", "containerPort": 9000, "protocol": "UDP"}]},
        {**APP, "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}}, "args": ["--a", "--b"]},
    ],
    "probes": [
        {"readiness": {"httpGet": {"path": "/", "port": "http"}}},
        {"liveness": {"tcpSocket": {"port": 8080}}, "startWithin": "2m"},
        {"readiness": {"exec": {"command": ["true"]}}, "liveness": {"grpc": {"port": 8080}}},
    ],
    "initSteps": [
        [{"name": "one", "image": "example/step:1", "script": "true"}],
        [{"name": "two", "image": "example/step:1"}, {"name": "one", "image": "example/step:1", "script": "true"}],
    ],
    "zones": [{"maxSkew": 2}, {"minDomains": 2, "whenUnsatisfiable": "DoNotSchedule"}, {"names": ["zone-a", "zone-b"]}],
    "nodes": [{"antiAffinity": "None"}, {"antiAffinity": "Required"}, {"keepReady": 0}],
    "cache": [
        {"redis": {}},
        {"colocate": "Zone", "redis": {"replicas": 2}},
        {"colocate": "Pod", "redis": {"maxMemory": "64Mi"}},
        {"selector": {"matchLabels": {"app": "cache"}}},
    ],
    "logSidecar": [
        {**SOURCES, "output": {"stdout": {}}},
        {**SOURCES, "shipper": "fluentd", "output": {"stdout": {}}},
        {**SOURCES, "shipper": "vector", "output": {"http": {"url": "http://logs.example.com/in"}}},
        {"directory": "/logs", "config": {"files": {"fluent-bit.yaml": "service: {}\n"}}},
    ],
    "sidecars": [
        [{"name": "side", "image": "example/side:1"}],
        [{"name": "side", "image": "example/side:1", "config": {"mountPath": "/etc/side", "files": {"a": "b"}}}],
        [{"name": "db", "image": "example/db:1", "pattern": "ambassador", "listen": {"port": 5432, "hostEnv": "H"}}],
    ],
    "autoscaling": [
        {"minReplicas": 2, "maxReplicas": 4, "targetCPUUtilizationPercentage": 80},
        {"minReplicas": 1, "maxReplicas": 2, "targetMemoryUtilizationPercentage": 50},
    ],
    "disruptionBudget": [{"minAvailable": 1}, {"maxUnavailable": "50%"}],
    "service": [{"enabled": False}, {"type": "NodePort"}, {"sessionAffinity": "ClientIP"}, {"annotations": {"a": "b"}}],
    "ingress": [{"host": "a.example.com"}, {"host": "b.example.com", "className": "nginx", "tlsSecretName": "t"}],
    "networkPolicy": [{"from": []}, {"from": [{"podSelector": {}}], "egress": []}],
    "monitoring": [{"port": "http"}],
    "security": [{"runAsUser": 1000}, {"profile": "Baseline"}],
    "pod": [
        {"labels": {"team": "a"}, "annotations": {"b": "c"}},
        {"volumes": [{"name": "tmp", "emptyDir": {}}], "terminationGracePeriodSeconds": 5},
        {"serviceAccountName": "default", "nodeSelector": {"kubernetes.io/os": "linux"}},
    ],
    "rollout": [
        {"maxSurge": 2},
        {"maxSurge": 0, "maxUnavailable": 1},
        {"onFailure": "Rollback", "progressDeadlineSeconds": 120},
        {"restartOnConfigChange": False, "revisionHistoryLimit": 3},
    ],
    "rebalance": [{"mode": "Off"}, {"cooldown": "1m"}],
    "spread": [[{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/region", "whenUnsatisfiable": "ScheduleAnyway"}]],
}
HELD = {"app", "replicas", "rollout", "paused", "rebalance"}
"""Sections that are not drawn from the schema: another image, number of pods, rollout or rebalance is in FORMS, since a
random one would make each case take minutes, and a paused app stops all work."""

FROM_SCHEMA = sorted(SCHEMA["properties"].keys() - HELD)
REFERRED = ("priorityClassName", "serviceAccountName", "runtimeClassName")
"""What a pod refers to has to exist."""


SIZES = {"resources", "maxMemory"}
"""What asks for room on a machine."""


def modest(value: Any) -> Any:
    """The value without sizes: the machines are small, and all apps are to have room on them."""
    if isinstance(value, dict):
        return {key: modest(item) for key, item in value.items() if key not in SIZES}
    return [modest(item) for item in value] if isinstance(value, list) else value


@st.composite
def specs(draw: st.DrawFn) -> Object:
    """A spec that renders."""
    chosen = draw(st.lists(st.sampled_from(sorted(FORMS)), min_size=1, max_size=6, unique=True))
    spec = {name: draw(st.sampled_from(FORMS[name])) for name in chosen}
    if draw(st.booleans()):
        for name in draw(st.lists(st.sampled_from(FROM_SCHEMA), min_size=1, max_size=3, unique=True)):
            spec = tidied({**spec, name: modest(draw(values(SCHEMA["properties"][name])))})
    if "pod" in spec:
        spec["pod"] = {key: value for key, value in spec["pod"].items() if key not in REFERRED or value == "default"}
    return {"app": APP, **spec, "rollout": {**spec.get("rollout", {}), **QUICK}}


def rendered(spec: Object, namespace: str = "shop") -> tuple[Object, ...]:
    """What the operator makes of the spec; nothing where it refuses it."""
    metadata = {"name": "web", "namespace": namespace, "uid": "u"}
    try:
        return render(parse_app({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})).objects
    except (InvalidSpec, RenderError):
        return ()


pairs = st.tuples(specs().filter(rendered), specs().filter(rendered))
"""Two specs to move between."""
