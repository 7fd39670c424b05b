"""The log of an operator that meets every kind of trouble: one JSON object a line, and no secret in any of them."""

import json
from pathlib import Path

import yaml
from tests.faults.rules import Answer, Rule, gone, watches, writes
from tests.faults.trial import Stage
from tests.space import Object, Space, app

from devcluster.process import Operator

TOKEN, PASSWORD, VARIABLE = "token-not-to-be-logged", "password-not-to-be-logged", "value-not-to-be-logged"
FIELDS = {"message", "severity", "timestamp"}


class JsonOperator(Operator):
    """An operator whose log is for machines."""

    @property
    def command(self) -> list[str]:
        return [*super().command, "--log-format=json"]


def with_token(kubeconfig: Path, folder: Path) -> Path:
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"][0]["user"] = {"token": TOKEN}
    path = folder / "kubeconfig.json"
    path.write_text(json.dumps(config))
    return path


def test_a_log_for_machines_holds_no_secret(stage: Stage, namespace: str, tmp_path: Path) -> None:
    space = Space(stage.api, namespace)
    kubeconfig = with_token(stage.proxy.kubeconfig, tmp_path)
    stage.operator.stop()
    operator = JsonOperator(stage.cluster, tmp_path, environment={"KUBECONFIG": str(kubeconfig)})
    operator.start()
    try:
        make_trouble(stage, space)
    finally:
        operator.stop()
    lines = operator.log.read_text().splitlines()
    assert len(lines) > 3
    for line in lines:
        assert set(json.loads(line)) >= FIELDS, line
    text = "\n".join(lines)
    for secret in (TOKEN, PASSWORD, VARIABLE):
        assert secret not in text


def make_trouble(stage: Stage, space: Space) -> None:
    """Refused writes, broken watches, a spec that cannot be, a quota that forbids."""
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": PASSWORD}}
    stage.cluster.kubectl(f"--namespace={space.name}", "apply", "-f", "-", stdin=json.dumps(secret))
    env = [
        {"name": "A", "value": VARIABLE},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    container = {"image": "example/web:1", "env": env, "ports": [{"name": "http", "containerPort": 8080}]}
    refused = {**container, "volumeMounts": [{"name": "none", "mountPath": "/x"}]}
    failing = Rule(Answer(500, "InternalError"), writes(space.name), each=True)
    expired = Rule(gone(500), watches(), each=True)
    with stage.proxy.rule(failing, expired):
        stage.proxy.break_watches()
        space.apply(app(app=container), app("refused", app=refused))
        space.wait_ready()
        space.wait_condition("Ready", "False", name="refused", timeout=60)
