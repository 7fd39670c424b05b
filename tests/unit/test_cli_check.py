"""`check`: a table of bad apps, each with the finding it must get, and none for the scenarios."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from haapp.cli import reports
from haapp.cli.check import check
from haapp.cli.documents import Document, read_apps
from haapp.cli.findings import Finding
from haapp.cli.lines import line_of
from haapp.cli.main import main
from haapp.cli.surroundings import NOTHING, Surroundings

EXAMPLES = Path(__file__).parents[2] / "manifests" / "examples"
SCENARIOS = sorted(file for file in EXAMPLES.glob("*.yaml") if not file.name.startswith("00"))

GOOD = """
app:
  image: shop:1.2
  ports: [{name: http, containerPort: 8080}]
  resources: {requests: {cpu: 100m, memory: 64Mi}}
probes:
  liveness: {tcpSocket: {port: http}}
  readiness: {httpGet: {path: /ready, port: http}}
"""


def node(name: str, zone: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone},
        },
        "spec": {},
        "status": {
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


NODE_OBJECTS = [node(f"node-{index}", f"zone-{'abc'[index % 3]}") for index in range(6)]
NODES = Surroundings(tuple(NODE_OBJECTS))


def merged(base: Any, change: Any) -> Any:
    """A JSON merge patch: None takes a field away."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    both = {key: merged(base.get(key), value) for key, value in change.items() if value is not None}
    return {key: value for key, value in base.items() if key not in change} | both


def document(change: str) -> Document:
    spec = merged(yaml.safe_load(GOOD), yaml.safe_load(change) or {})
    return Document(
        "app.yaml",
        {
            "apiVersion": "highavailability.dev/v1alpha1",
            "kind": "HighAvailabilityApp",
            "metadata": {"name": "shop"},
            "spec": spec,
        },
    )


def findings(change: str, around: Surroundings = NOTHING) -> tuple[Finding, ...]:
    return check(document(change), around)


NOT_WISE = [
    ("probes: {readiness: null}", "no-readiness-probe", "spec.probes.readiness"),
    (
        """
        probes: {readiness: null, liveness: null}
        app: {livenessProbe: {exec: {command: [x]}}, readinessProbe: {exec: {command: [x]}}}
        """,
        "liveness-equals-readiness",
        "spec.app.livenessProbe",
    ),
    ("probes: {liveness: {failureThreshold: 1}}", "no-time-to-start", "spec.probes.liveness"),
    (
        "probes: {readiness: {timeoutSeconds: 20}}",
        "timeout-exceeds-period",
        "spec.probes.readiness.timeoutSeconds",
    ),
    ("probes: {liveness: {tcpSocket: {port: web}}}", "unknown-probe-port", "spec.probes.liveness.tcpSocket.port"),
    ("app: {image: shop}", "moving-tag", "spec.app.image"),
    ("app: {image: 'registry:5000/shop'}", "moving-tag", "spec.app.image"),
    ("initSteps: [{name: a, image: 'tool:latest'}]", "moving-tag", "spec.initSteps[0].image"),
    ("cache: {redis: {image: redis}}", "moving-tag", "spec.cache.redis.image"),
    (
        "logSidecar: {directory: /logs, image: fluent-bit, sources: [{path: a.log}], output: {stdout: {}}}",
        "moving-tag",
        "spec.logSidecar.image",
    ),
    ("app: {env: [{name: DB_PASSWORD, value: x}]}", "secret-in-clear", "spec.app.env[0].value"),
    (
        "initSteps: [{name: a, image: 'a:1', env: [{name: URL, value: 'postgres://me:secret@db/x'}]}]",
        "secret-in-clear",
        "spec.initSteps[0].env[0].value",
    ),
    (
        "sidecars: [{name: proxy, image: 'envoy:1', pattern: ambassador, listen: {port: 8080}}]",
        "port-taken",
        "spec.sidecars[0].listen.port",
    ),
    (
        """
        sidecars:
        - {name: a, image: 'a:1', pattern: adapter, metrics: {port: 9100}}
        - {name: b, image: 'b:1', pattern: ambassador, listen: {port: 9100}}
        """,
        "port-taken",
        "spec.sidecars[1].listen.port",
    ),
    ("pod: {volumes: [{name: v, hostPath: {path: /var}}]}", "host-path", "spec.pod.volumes[0].hostPath"),
    ("app: {resources: null}", "no-requests", "spec.app.resources.requests"),
    ("app: {resources: {requests: {memory: null}}}", "no-requests", "spec.app.resources.requests"),
    (
        "autoscaling: {maxReplicas: 9, targetCPUUtilizationPercentage: 70}\nsidecars: [{name: a, image: 'a:1'}]",
        "autoscaling-without-requests",
        "spec.sidecars[0].resources.requests.cpu",
    ),
    ("replicas: 1", "single-replica", "spec.replicas"),
    ("autoscaling: {minReplicas: 1, maxReplicas: 9}", "single-replica", "spec.autoscaling.minReplicas"),
    ("replicas: 2\nzones: {minDomains: 3}", "fewer-than-zones", "spec.replicas"),
    (
        "cache: {redis: {maxMemory: 256Mi, resources: {limits: {memory: 256Mi}}}}",
        "redis-out-of-memory",
        "spec.cache.redis.resources.limits.memory",
    ),
    ("rollout: {maxUnavailable: 100%}", "rollout-outage", "spec.rollout.maxUnavailable"),
    ("probes: {startWithin: 15m}", "start-exceeds-deadline", "spec.probes.startWithin"),
    (
        "probes: {startup: {tcpSocket: {port: http}, failureThreshold: 60}}",
        "start-exceeds-deadline",
        "spec.probes.startup",
    ),
    ("rollout: {drainSeconds: 0}", "no-drain", "spec.rollout.drainSeconds"),
    (
        "app: {lifecycle: {preStop: {sleep: {seconds: 60}}}}",
        "grace-ends-first",
        "spec.app.lifecycle.preStop.sleep.seconds",
    ),
    ("pod: {terminationGracePeriodSeconds: 0}", "grace-ends-first", "spec.pod.terminationGracePeriodSeconds"),
    (
        "pod: {nodeSelector: {kubernetes.io/hostname: node-1}}",
        "pinned",
        "spec.pod.nodeSelector[kubernetes.io/hostname]",
    ),
    ("zones: {names: [zone-a]}", "pinned", "spec.zones.names"),
    (
        "zones: {keepReady: 2, whenUnsatisfiable: ScheduleAnyway}",
        "kept-by-luck",
        "spec.zones.keepReady",
    ),
    ("nodes: {keepReady: 2}", "kept-by-luck", "spec.nodes.keepReady"),
    ("pod: {tolerations: [{operator: Exists}]}", "tolerates-everything", "spec.pod.tolerations[0]"),
]


@pytest.mark.parametrize(("change", "rule", "path"), NOT_WISE)
def test_what_is_not_wise_is_found(change: str, rule: str, path: str) -> None:
    found = {(finding.rule, finding.path): finding for finding in findings(change)}
    assert (rule, path) in found
    assert "invalid" not in {finding.rule for finding in found.values()}
    finding = found[rule, path]
    assert finding.happens
    assert finding.instead


@pytest.mark.parametrize(
    "change",
    [
        "",
        "app: {image: 'shop@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}",
        "app: {image: 'registry:5000/shop:1'}",
        "app: {env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: SECRET_NAME, value: x}]}",
        "app: {resources: {requests: null, limits: {cpu: 1, memory: 1Gi}}}",
        "app: {env: [{name: URL, value: 'postgres://me:$(PASSWORD)@db/x'}]}",
        "rollout: {drainSeconds: 0}\napp: {lifecycle: {preStop: {exec: {command: [drain]}}}}",
        "nodes: {keepReady: 2, antiAffinity: Required}\nrollout: {maxSurge: 0, maxUnavailable: 1}",
        "probes: {startup: {tcpSocket: {port: 8080}, failureThreshold: 12}}",
    ],
)
def test_what_is_fine_gets_no_finding(change: str) -> None:
    assert findings(change, NODES) == ()


REFUSED = [
    ("zones: {maxSkew: 0}", "spec.zones.maxSkew"),
    ("zones: {minDomains: 2, whenUnsatisfiable: ScheduleAnyway}", "spec.zones"),
    ("cache: {redis: {}, selector: {matchLabels: {app: redis}}}", "spec.cache"),
    ("cache: {colocate: Node}", "spec.cache"),
    ("disruptionBudget: {minAvailable: 1, maxUnavailable: 1}", "spec.disruptionBudget"),
    ("initSteps: [{name: a, image: 'a:1', script: x, command: [y]}]", "spec.initSteps[0]"),
    (
        "probes: {startWithin: 1m, startup: {tcpSocket: {port: 1}, failureThreshold: 3}}",
        "spec.probes",
    ),
    ("initSteps: [{name: app, image: 'a:1'}]", "spec"),
    ("autoscaling: {minReplicas: 5, maxReplicas: 3}", "spec.autoscaling"),
    ("rollout: {onFailure: Rollback, progressDeadlineSeconds: 0}", "spec.rollout"),
    ("app: {securityContext: {privileged: true}}", "spec.security.profile"),
    ("probes: {liveness: {successThreshold: 2}}", "spec.probes.liveness"),
    ("probes: {liveness: {periodSecond: 2}}", "spec.probes.liveness"),
    ("replica: 3", "spec"),
    ("replicas: three", "spec.replicas"),
    ("app: {image: null}", "spec.app"),
    ("probes: {liveness: null}\napp: {livenessProbe: {exec: {command: [x]}}, readinessProbe: {exec: {}}}", "spec"),
]


@pytest.mark.parametrize(("change", "path"), REFUSED)
def test_what_the_api_server_would_refuse_is_an_error(change: str, path: str) -> None:
    found = findings(change)
    assert any(f.severity == "error" and f.rule == "invalid" and f.path.startswith(path) for f in found), found


IMPOSSIBLE = [
    ("zones: {minDomains: 4}\nreplicas: 4", "spec.zones.minDomains"),
    ("nodes: {antiAffinity: Required}\nreplicas: 7", "spec.nodes.antiAffinity"),
    (
        """
        replicas: 6
        pod:
          affinity:
            podAntiAffinity:
              requiredDuringSchedulingIgnoredDuringExecution:
              - topologyKey: kubernetes.io/hostname
                labelSelector: {matchLabels: {app.kubernetes.io/name: shop}}
        """,
        "spec.pod.affinity.podAntiAffinity",
    ),
    ("pod: {nodeSelector: {disk: none}}", "spec.pod.nodeSelector"),
    ("disruptionBudget: {minAvailable: 3}", "spec.disruptionBudget.minAvailable"),
    ("zones: {keepReady: 3}", "spec.zones.keepReady"),
]


@pytest.mark.parametrize(("change", "path"), IMPOSSIBLE)
def test_what_cannot_come_true_on_these_nodes_is_an_error(change: str, path: str) -> None:
    found = findings(change, NODES)
    assert any(f.severity == "error" and f.path.startswith(path) for f in found), found


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
@pytest.mark.parametrize("around", [NOTHING, NODES], ids=["no nodes", "six nodes"])
def test_nothing_is_found_in_the_scenarios(file: Path, around: Surroundings) -> None:
    assert [finding for found in read_apps([str(file)]) for finding in check(found, around)] == []


def live_pod(seconds: int, name: str = "shop-1", restarts: int = 0, **labels: str) -> dict[str, Any]:
    """A pod of the app that became Ready so many seconds (below 60) after its container had started."""
    own = {"app.kubernetes.io/name": "shop", "app.kubernetes.io/component": "app", **labels}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": own},
        "spec": {"nodeName": "node-0"},
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": f"2026-01-01T00:00:{seconds:02}Z"}
            ],
            "containerStatuses": [
                {
                    "name": "app",
                    "restartCount": restarts,
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                }
            ],
        },
    }


def live(*pods: dict[str, Any]) -> Surroundings:
    return Surroundings(tuple(NODE_OBJECTS), pods, live=True)


def test_a_start_budget_is_held_against_the_quickest_live_start() -> None:
    budget = "probes: {startWithin: 20s}"
    found = findings(budget, live(live_pod(40), live_pod(30, "shop-2"), live_pod(1, "shop-3", restarts=2)))
    (late,) = (finding for finding in found if finding.rule == "start-exceeds-budget")
    assert (late.severity, late.path, late.instead) == ("error", "spec.probes.startWithin", "60 s or more")
    assert "20 s" in late.happens
    assert "30 s" in late.happens
    assert findings(budget, live(live_pod(15), live_pod(40, "shop-2"))) == ()
    assert findings(budget, live(live_pod(40, **{"app.kubernetes.io/name": "other"}))) == ()


def test_only_a_cluster_can_tell_that_a_cache_is_missing() -> None:
    change = "cache: {selector: {matchLabels: {app: redis}}, whenUnsatisfiable: DoNotSchedule}"
    assert findings(change, NODES) == ()
    (missing,) = findings(change, live())
    assert (missing.rule, missing.path) == ("CacheNotFound", "spec.cache.selector")
    there = {"kind": "Pod", "metadata": {"name": "r", "namespace": "default", "labels": {"app": "redis"}}}
    pods = [{**there, "spec": {"nodeName": node["metadata"]["name"]}, "status": {}} for node in NODE_OBJECTS]
    assert findings(change, live(*pods)) == ()


# The command


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(document("app: {image: shop}\nprobes: {liveness: {tcpSocket: {port: web}}}").object))
    return file


def test_exit_codes(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-f", str(SCENARIOS[0])]) == 0
    assert main(["check", "-f", str(bad)]) == 1
    assert main(["check", "-f", str(bad), "--nodes", str(bad)]) == 2
    assert "there is no Node in" in capsys.readouterr().err


def test_warnings_alone_can_pass(tmp_path: Path) -> None:
    file = tmp_path / "warned.yaml"
    file.write_text(yaml.safe_dump(document("app: {image: shop}").object))
    assert main(["check", "-f", str(file)]) == 1
    assert main(["check", "-f", str(file), "--fail-on", "error"]) == 0


def test_nodes_are_read_as_kubectl_prints_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, nodes = tmp_path / "app.json", tmp_path / "nodes.json"
    file.write_text(json.dumps(document("nodes: {antiAffinity: Required}\nreplicas: 7").object))
    nodes.write_text(json.dumps({"kind": "List", "items": NODE_OBJECTS}))
    assert main(["check", "-f", str(file), "--nodes", str(nodes)]) == 1
    assert "antiAffinity" in capsys.readouterr().out


def test_each_output_names_file_line_rule_and_path(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = 1 + next(i for i, text in enumerate(bad.read_text().splitlines()) if "image:" in text)
    outputs = {}
    for output in ("text", "json", "yaml", "github", "sarif"):
        main(["check", "-f", str(bad), "-o", output])
        outputs[output] = capsys.readouterr().out
    (moving,) = (found for found in json.loads(outputs["json"])["findings"] if found["rule"] == "moving-tag")
    assert (moving["file"], moving["line"], moving["path"]) == (str(bad), line, "spec.app.image")
    assert yaml.safe_load(outputs["yaml"]) == json.loads(outputs["json"])
    assert f"{bad}:{line}: warning: shop: spec.app.image [moving-tag]\n" in outputs["text"]
    assert f"::warning file={bad},line={line},title=moving-tag::spec.app.image: " in outputs["github"]
    (run,) = json.loads(outputs["sarif"])["runs"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {result["ruleId"] for result in run["results"]}
    (result,) = (result for result in run["results"] if result["ruleId"] == "moving-tag")
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": str(bad)}, "region": {"startLine": line}}


LINES = """\
kind: X
spec:
  initSteps:
  - name: a
  - image: b
    name: b
  pod: {nodeSelector:
    {kubernetes.io/hostname: x}}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.initSteps[1].name", 6),
        ("spec.initSteps[1].env[0].value", 5),
        ("spec.pod.nodeSelector[kubernetes.io/hostname]", 8),
        ("status", 1),
    ],
)
def test_the_line_of_a_path_or_of_the_nearest_above_it(path: str, line: int) -> None:
    assert line_of(yaml.compose(LINES), path) == line


def test_workflow_commands_cannot_be_forged() -> None:
    finding = Finding("r", "error", "spec", "50%\n::error::forged")
    text = reports.github([reports.Located("a,b:c.yaml", 1, "x", finding)])
    assert text == "::error file=a%2Cb%3Ac.yaml,line=1,title=r::spec: 50%25%0A::error::forged.\n"
