"""A hand-written Deployment is taken over when the app says so: the object and its selector stay, its spec is ours."""

import json
from collections.abc import Callable
from typing import Any

from devcluster.cluster import wait_for
from devcluster.process import Operator

KUBECTL = Callable[..., str]

HANDMADE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: blue}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web, app.kubernetes.io/name: chart}}
  template:
    metadata: {labels: {app: web, app.kubernetes.io/name: chart}}
    spec:
      containers:
      - {name: old, image: "nginx:1.20", env: [{name: OLD, value: "1"}]}
      - {name: left-over, image: "busybox:1.36"}
"""

APP = """
apiVersion: highavailability.dev/v1alpha1
kind: HighAvailabilityApp
metadata: {name: web, annotations: {}}
spec:
  app: {image: "nginx:1.29", ports: [{name: http, containerPort: 8080}]}
  rollout: {minReadySeconds: 0}
"""


def deployment(kubectl: KUBECTL) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kubectl("get", "deployment", "web", "-o", "json"))
    return found


def condition(kubectl: KUBECTL, kind: str) -> dict[str, Any]:
    app = json.loads(kubectl("get", "haapp", "web", "-o", "json"))
    return next((c for c in app.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def test_a_deployment_is_adopted_only_when_asked_for(operator: Operator, kubectl: KUBECTL) -> None:
    kubectl("apply", "-f", "-", stdin=HANDMADE)
    before = deployment(kubectl)
    kubectl("apply", "-f", "-", stdin=APP)
    wait_for(lambda: condition(kubectl, "Reconciled").get("reason") == "NameConflict", 30, "a NameConflict")
    assert "highavailability.dev/adopt" in condition(kubectl, "Reconciled")["message"]
    assert deployment(kubectl)["spec"] == before["spec"]
    assert deployment(kubectl)["metadata"]["labels"] == before["metadata"]["labels"]

    kubectl("annotate", "haapp", "web", "highavailability.dev/adopt=true")
    wait_for(lambda: condition(kubectl, "Ready").get("status") == "True", 60, "Ready after the adoption")
    after = deployment(kubectl)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["selector"] == before["spec"]["selector"]
    assert after["metadata"]["labels"]["team"] == "blue"
    assert [c["name"] for c in after["spec"]["template"]["spec"]["containers"]] == ["app"]
    # Ready asks for what the Deployment calls available, which a rollout may leave one pod short of.
    number = "{.status.readyReplicas}"
    wait_for(lambda: kubectl("get", "haapp", "web", "-o", f"jsonpath={number}") == "3", 30, "three ready pods")

    kubectl("patch", "haapp", "web", "--type=merge", "-p", '{"spec":{"app":{"image":"nginx:1.28"}}}')
    image = "{.spec.template.spec.containers[*].image}"
    wait_for(
        lambda: kubectl("get", "deployment", "web", "-o", f"jsonpath={image}") == "nginx:1.28", 30, "an edit afterwards"
    )
