"""An operator that starts anew where nothing has changed writes nothing, and at rest it asks for nothing."""

from collections import Counter

from tests.rest import by_us, visits, wait_for_rest
from tests.space import Object, Space, app, stays

from devcluster.audit import AuditLog
from devcluster.process import Operator
from haapp.api import names
from haapp.children import KINDS

QUIET_SECONDS = 4.0
APPS: dict[str, Object] = {
    "plain": {},
    "cached": {"cache": {"redis": {}}},
    "scaled": {"autoscaling": {"minReplicas": 2, "maxReplicas": 4}},
    "logged": {
        "logSidecar": {"directory": "/logs", "sources": [{"path": "a.log"}], "output": {"stdout": {}}},
        "ingress": {"host": "web.example.com"},
    },
    "strict": {"zones": {"minDomains": 2}, "networkPolicy": {"from": []}, "initSteps": [{"name": "one", "image": "i"}]},
    "configured": {
        "pod": {
            "volumes": [{"name": "c", "configMap": {"name": "settings"}}, {"name": "s", "secret": {"secretName": "x"}}]
        }
    },
    # Quantities that the server writes in another form, and fields that it fills in.
    "written": {
        "app": {
            "image": "example/web:1",
            "ports": [{"containerPort": 8080}],
            "resources": {"requests": {"cpu": "0.1", "memory": "1024Ki"}, "limits": {"memory": "0.5Gi"}},
            "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
            "env": [{"name": "SMILE", "value": "\U0001f600 \u0085 '\""}],
        }
    },
    "odd": {"paused": True},
    "bad": {"service": {"annotations": {"highavailability.dev/mine": "x"}}},
}


def test_a_restart_writes_nothing(space: Space, operator: Operator, audit: AuditLog) -> None:
    space.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}})
    space.apply(*(app(name, **{"replicas": 2, **spec}) for name, spec in APPS.items()))
    space.wait_ready(*(name for name in APPS if name not in {"odd", "bad"}))
    space.wait_condition("Reconciled", "False", "Paused", name="odd")
    space.wait_condition("Reconciled", "False", "RenderError", name="bad")
    wait_for_rest(space, audit)
    operator.stop()
    mark = audit.mark()
    operator.start()
    space.wait(lambda: visits(operator) >= len(APPS), "a visit of every app")
    wait_for_rest(space, audit)
    requests = by_us(space, audit.since(mark))
    # To ask what one may do is a request to create a review, and changes nothing.
    assert not [r for r in requests if r.is_write and r.resource != "selfsubjectaccessreviews"]
    assert all(r.code < 400 for r in requests), [r for r in requests if r.code >= 400]
    # One list and one watch of each kind; of what apps refer to, one of each collection.
    asked = Counter((r.verb, r.resource, r.namespace) for r in requests if r.verb in ("list", "watch"))
    assert set(asked.values()) == {1}, asked
    watched = {kind.plural for kind in KINDS if not kind.optional} | {"pods", "replicasets", "nodes", names.PLURAL}
    assert {plural for verb, plural, namespace in asked if verb == "watch" and not namespace} >= watched
    assert {(plural, namespace) for verb, plural, namespace in asked if verb == "watch" and namespace} == {
        ("configmaps", space.name),
        ("secrets", space.name),
    }
    at_rest = audit.mark()
    stays(lambda: not by_us(space, audit.since(at_rest)), QUIET_SECONDS, "at rest no request is sent")


def test_what_changed_meanwhile_is_written_and_nothing_else(space: Space, operator: Operator, audit: AuditLog) -> None:
    space.apply(app("edited", replicas=1), app("drifted", replicas=1), app("untouched", replicas=1))
    space.wait_ready("edited", "drifted", "untouched")
    wait_for_rest(space, audit)
    operator.stop()
    space.apply(app("edited", replicas=2))
    space.patch("services", "drifted", {"spec": {"sessionAffinity": "ClientIP", "selector": {"a": "b"}}})
    space.delete("serviceaccounts", "drifted")
    mark = audit.mark()
    operator.start()
    space.wait(lambda: "a" not in space.get("services", "drifted")["spec"]["selector"], "the selector put right")
    space.wait(lambda: space.has("serviceaccounts", "drifted"), "the ServiceAccount")
    space.wait_ready("edited")
    assert space.get("services", "drifted")["spec"]["sessionAffinity"] == "ClientIP", "a field that nobody asked for"
    written = {
        f"{r.resource} {r.name}" for r in by_us(space, audit.since(mark)) if r.is_write and r.namespace == space.name
    }
    written = {what for what in written if not what.startswith((f"{names.PLURAL}/status", "events"))}
    assert written == {
        "deployments edited",
        "poddisruptionbudgets edited",
        "services drifted",
        "serviceaccounts drifted",
    }
