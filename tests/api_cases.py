"""Apps for the tests of the API: a whole one that is right, and one for each thing that is refused.

The same table is held against the Python rules, against the CRD's CEL offline, and against a real API server.
"""

from dataclasses import dataclass
from typing import Any

import yaml

WHOLE = """
apiVersion: highavailability.dev/v1alpha1
kind: HighAvailabilityApp
metadata: {name: shop, namespace: store, labels: {team: web}}
spec:
  replicas: 6
  app:
    image: shop:1
    ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 8081, protocol: TCP}]
    env: [{name: MODE, value: fast}]
    resources: {requests: {cpu: 250m, memory: 67108864}, limits: {memory: 128Mi}}
    volumeMounts: [{name: data, mountPath: /data}]
  probes:
    liveness: {httpGet: {path: /healthz, port: http}, successThreshold: 1}
    readiness: {tcpSocket: {port: 8080}, successThreshold: 2}
    startWithin: 1h30m
  initSteps:
  - {name: migrate, image: migrate:4, script: migrate up}
  - {name: seed, image: seed:1, command: [seed], securityContext: {runAsUser: 0}}
  zones: {minDomains: 3, names: [a, b, c], keepReady: 60%}
  nodes: {maxSkew: 2, antiAffinity: Required, keepReady: 5}
  spread: [{topologyKey: topology.kubernetes.io/region, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}]
  cache: {colocate: Zone, redis: {maxMemory: 256Mi, replicas: 3}}
  logSidecar:
    shipper: fluentd
    directory: /var/log/shop
    sources: [{path: access.log, format: nginx}, {path: error.log, format: regex, expression: '(?<a>.*)', tag: errors}]
    output: {elasticsearch: {host: logs, index: shop}}
  sidecars:
  - {name: db, image: envoy:1, pattern: ambassador, listen: {port: 5432, hostEnv: DB_HOST},
     config: {mountPath: /etc/envoy, files: {envoy.yaml: 'a: 1'}}}
  - {name: exporter, image: exporter:1, pattern: adapter, metrics: {port: 9100}, restartPolicy: Always}
  autoscaling: {minReplicas: 3, maxReplicas: 12, targetCPUUtilizationPercentage: 70}
  disruptionBudget: {minAvailable: 50%}
  rollout: {maxSurge: 25%, onFailure: Rollback}
  service: {type: ClusterIP, trafficDistribution: PreferSameZone}
  ingress: {className: nginx, host: shop.example.com}
  route: {parentRefs: [{name: gateway}], hostnames: [shop.example.com]}
  monitoring: {port: admin, podMonitor: true}
  networkPolicy: {from: [{podSelector: {matchLabels: {app: front}}}], egress: []}
  security: {runAsUser: 1001, fsGroup: 1001}
  pod:
    labels: {team: web}
    annotations: {note: hello}
    volumes: [{name: data, emptyDir: {sizeLimit: 1Gi}}]
    tolerations: [{key: spot, operator: Exists}]
  rebalance: {mode: "Off", cooldown: 90s}
"""

MINIMAL = """
apiVersion: highavailability.dev/v1alpha1
kind: HighAvailabilityApp
metadata: {name: hello}
spec:
  app: {image: nginx}
"""


@dataclass(frozen=True)
class Case:
    """A change that makes the minimal app wrong, the field that is named, and a part of the message."""

    change: str
    path: str
    message: str
    name: str = "hello"

    @property
    def app(self) -> dict[str, Any]:
        """The app with the change."""
        app = yaml.safe_load(MINIMAL)
        app["metadata"]["name"] = self.name
        app["spec"] = merged(app["spec"], yaml.safe_load(self.change))
        return app

    def __str__(self) -> str:
        return f"{self.path} {self.change.strip()[:60]} {self.name[:20]}"


def merged(base: Any, change: Any) -> Any:
    """`base` with `change` laid over it, field by field."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}


PORT = "ports: [{name: http, containerPort: 8080}]"
PROBE = "{tcpSocket: {port: 80}}"
LOGS = "directory: /logs, sources: [{path: a.log}]"

REFUSED = [
    Case("{}", "metadata.name", "lower-case letters", name="my.app"),
    Case("{}", "metadata.name", "lower-case letters", name="9lives"),
    Case("{}", "metadata.name", "at most 63", name="a" * 64),
    Case("cache: {redis: {}}", "metadata.name", "at most 57", name="a" * 58),
    Case("zones: {maxSkew: 0}", "spec.zones.maxSkew", "at least 1: for the most equal spread write maxSkew: 1"),
    Case("zones: {minDomains: 3, whenUnsatisfiable: ScheduleAnyway}", "spec.zones.minDomains", "write DoNotSchedule"),
    Case("zones: {minDomains: 3, names: [a, b]}", "spec.zones.minDomains", "write more names"),
    Case("nodes: {maxSkew: -1}", "spec.nodes.maxSkew", "at least 1"),
    Case(
        "spread: [{topologyKey: rack, maxSkew: 0, whenUnsatisfiable: DoNotSchedule}]",
        "spec.spread[0].maxSkew",
        "at least 1",
    ),
    Case(
        "spread: [{topologyKey: rack, maxSkew: 1, minDomains: 2, whenUnsatisfiable: ScheduleAnyway}]",
        "spec.spread[0].minDomains",
        "write DoNotSchedule",
    ),
    Case(
        "spread: [{topologyKey: topology.kubernetes.io/zone, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}]",
        "spec.spread[0].topologyKey",
        "write spec.zones or spec.nodes",
    ),
    Case("cache: {redis: {}, selector: {matchLabels: {app: redis}}}", "spec.cache", "not both"),
    Case("cache: {colocate: Zone}", "spec.cache", "write selector"),
    Case("cache: {colocate: Pod, selector: {matchLabels: {a: b}}}", "spec.cache.colocate", "write redis instead"),
    Case("cache: {colocate: Pod, redis: {replicas: 2}}", "spec.cache.redis.replicas", "leave redis.replicas out"),
    Case("disruptionBudget: {minAvailable: 1, maxUnavailable: 1}", "spec.disruptionBudget", "not both"),
    Case(
        "rollout: {onFailure: Rollback, progressDeadlineSeconds: 0}",
        "spec.rollout.progressDeadlineSeconds",
        "write progressDeadlineSeconds, e.g. 600",
    ),
    Case(
        "rollout: {minReadySeconds: 600}",
        "spec.rollout.progressDeadlineSeconds",
        "write a larger progressDeadlineSeconds",
    ),
    Case("rollout: {maxSurge: 0%, maxUnavailable: 0}", "spec.rollout.maxUnavailable", "write maxSurge: 1"),
    Case("autoscaling: {minReplicas: 5, maxReplicas: 4}", "spec.autoscaling.minReplicas", "larger than maxReplicas"),
    Case("initSteps: [{name: a, image: b}, {name: a, image: c}]", "spec.initSteps", "rename one"),
    Case("sidecars: [{name: a, image: b}, {name: a, image: c}]", "spec.sidecars", "rename one"),
    Case("sidecars: [{name: app, image: b}]", "spec", "share one pod"),
    Case("{initSteps: [{name: a, image: b}], sidecars: [{name: a, image: b}]}", "spec", "share one pod"),
    Case("{app: {name: a}, initSteps: [{name: a, image: b}]}", "spec", "share one pod"),
    Case(
        f"{{initSteps: [{{name: log-shipper, image: b}}], logSidecar: {{{LOGS}, output: {{stdout: {{}}}}}}}}",
        "spec",
        "log-shipper is the name of the container that logSidecar adds",
    ),
    Case(
        "{app: {name: redis}, cache: {colocate: Pod, redis: {}}}",
        "spec",
        "redis is the name of the container that cache.colocate: Pod adds",
    ),
    Case("initSteps: [{name: a, image: b, script: x, command: ['y']}]", "spec.initSteps[0].script", "leave command"),
    Case("initSteps: [{name: a, image: b, script: x, args: ['y']}]", "spec.initSteps[0].script", "leave command"),
    Case(
        "initSteps: [{name: a, image: b, restartPolicy: Always}]", "spec.initSteps[0].restartPolicy", "under sidecars"
    ),
    Case(f"initSteps: [{{name: a, image: b, readinessProbe: {PROBE}}}]", "spec.initSteps[0]", "is not probed"),
    Case("sidecars: [{name: a, image: b, restartPolicy: Never}]", "spec.sidecars[0].restartPolicy", "leave"),
    Case("sidecars: [{name: a, image: b, listen: {port: 1}}]", "spec.sidecars[0].listen", "write pattern: ambassador"),
    Case("sidecars: [{name: a, image: b, metrics: {port: 1}}]", "spec.sidecars[0].metrics", "write pattern: adapter"),
    Case(
        f"sidecars: [{{name: {'a' * 51}, image: b, config: {{mountPath: /a, configMapName: c}}}}]",
        "spec.sidecars[0].name",
        "at most 50",
    ),
    Case("sidecars: [{name: a, image: b, config: {mountPath: /a}}]", "spec.sidecars[0].config", "write either files"),
    Case(
        "logSidecar: {directory: /logs, config: {files: {a: b}, configMapName: c}}",
        "spec.logSidecar.config",
        "write either files",
    ),
    Case(
        "sidecars: [{name: a, image: b, config: {mountPath: /a, files: {c/d: e}}}]",
        "spec.sidecars[0].config.files",
        "no folder",
    ),
    Case("logSidecar: {directory: /logs, config: {files: {c d: e}}}", "spec.logSidecar.config.files", "no folder"),
    Case("app: {securityContext: {privileged: true}}", "spec.security.profile", "leave privileged out"),
    Case(
        "initSteps: [{name: a, image: b, securityContext: {privileged: true}}]",
        "spec.security.profile",
        "leave privileged out",
    ),
    Case(
        "sidecars: [{name: a, image: b, securityContext: {privileged: true}}]",
        "spec.security.profile",
        "leave privileged out",
    ),
    Case(
        f"logSidecar: {{{LOGS}, output: {{stdout: {{}}}}, securityContext: {{privileged: true}}}}",
        "spec.security.profile",
        "leave privileged out",
    ),
    Case("security: {runAsUser: 0}", "spec.security.runAsUser", "profile: Baseline"),
    Case("pod: {labels: {app.kubernetes.io/name: other}}", "spec.pod.labels", "are the operator's"),
    Case("pod: {annotations: {highavailability.dev/x: y}}", "spec.pod.annotations", "are the operator's"),
    Case("pod: {volumes: [{name: haapp-logs, emptyDir: {}}]}", "spec.pod.volumes", "are the operator's"),
    *(
        Case(
            f"{{app: {{{kind}Probe: {PROBE}}}, probes: {{{kind}: {PROBE}}}}}",
            f"spec.probes.{kind}",
            f"the {kind} probe stands both here and in app.{kind}Probe",
        )
        for kind in ("liveness", "readiness", "startup")
    ),
    Case(
        "probes: {startWithin: 5m, startup: {tcpSocket: {port: 80}, failureThreshold: 3}}",
        "spec.probes.startWithin",
        "leave one of the two out",
    ),
    Case(
        "{probes: {startWithin: 5m}, app: {startupProbe: {tcpSocket: {port: 80}, failureThreshold: 3}}}",
        "spec.probes.startWithin",
        "leave one of the two out",
    ),
    Case("probes: {startWithin: 5m}", "spec.probes.startWithin", "write probes.startup, liveness or readiness"),
    Case(f"probes: {{startWithin: 0s, liveness: {PROBE}}}", "spec.probes.startWithin", "no app starts in no time"),
    *(
        Case(
            f"probes: {{{kind}: {{tcpSocket: {{port: 80}}, successThreshold: 2}}}}",
            f"spec.probes.{kind}.successThreshold",
            f"one success is enough for a {kind} probe",
        )
        for kind in ("liveness", "startup")
    ),
    *(
        Case(
            f"app: {{{kind}Probe: {{tcpSocket: {{port: 80}}, successThreshold: 2}}}}",
            f"spec.app.{kind}Probe.successThreshold",
            f"one success is enough for a {kind} probe",
        )
        for kind in ("liveness", "startup")
    ),
    *(
        Case(
            f"sidecars: [{{name: a, image: b, {kind}Probe: {{tcpSocket: {{port: 80}}, successThreshold: 2}}}}]",
            f"spec.sidecars[0].{kind}Probe.successThreshold",
            f"one success is enough for a {kind} probe",
        )
        for kind in ("liveness", "startup")
    ),
    *(
        Case(
            f"probes: {{{kind}: {handlers}}}", f"spec.probes.{kind}", "exactly one of exec, grpc, httpGet and tcpSocket"
        )
        for kind in ("liveness", "readiness", "startup")
        for handlers in ("{periodSeconds: 3}", "{tcpSocket: {port: 80}, exec: {command: [a]}}")
    ),
    Case(f"logSidecar: {{{LOGS}, output: {{}}}}", "spec.logSidecar.output", "exactly one of elasticsearch"),
    Case(
        f"logSidecar: {{{LOGS}, output: {{stdout: {{}}, http: {{url: 'http://a'}}}}}}",
        "spec.logSidecar.output",
        "exactly one of elasticsearch",
    ),
    Case(f"logSidecar: {{{LOGS}}}", "spec.logSidecar", "write either output"),
    Case(f"logSidecar: {{{LOGS}, config: {{configMapName: a}}}}", "spec.logSidecar.sources", "leave one of them out"),
    Case("logSidecar: {directory: /logs, output: {stdout: {}}}", "spec.logSidecar.sources", "at least one source"),
    Case(
        "logSidecar: {directory: /logs, output: {stdout: {}}, sources: [{path: a, format: regex}]}",
        "spec.logSidecar.sources[0].expression",
        "write both",
    ),
    Case(
        "logSidecar: {directory: /logs, output: {stdout: {}}, sources: [{path: a, format: json, expression: b}]}",
        "spec.logSidecar.sources[0].expression",
        "write both",
    ),
    Case("ingress: {}", "spec.ingress", "an Ingress leads to the Service"),
    Case("{app: {ports: [{containerPort: 80}]}, ingress: {}}", "spec.ingress", "give a port of app.ports a name"),
    Case(f"{{app: {{{PORT}}}, ingress: {{}}, service: {{enabled: false}}}}", "spec.ingress", "service.enabled: false"),
    Case("route: {parentRefs: [{name: a}]}", "spec.route", "an HTTPRoute leads to the Service"),
    Case("service: {enabled: true}", "spec.service.enabled", "a Service needs a port"),
    Case("monitoring: {}", "spec.monitoring", "write monitoring.port"),
    Case(f"{{app: {{{PORT}}}, monitoring: {{port: web}}}}", "spec.monitoring.port", "write the name of one"),
]
"""What the rules across fields refuse."""

MISSHAPEN = [
    Case("replicas: -1", "spec.replicas", "at least 0"),
    Case("replicas: 3000000000", "spec.replicas", "at most 2147483647"),
    Case("replicas: 1.5", "spec.replicas", "must be a whole number"),
    Case("replicas: three", "spec.replicas", "must be a whole number, not a text"),
    Case("replicas: true", "spec.replicas", "must be a whole number, not true or false"),
    Case("app: nginx", "spec.app", "must be an object, not a text"),
    Case("app: {image: null}", "spec.app.image", "must be given"),
    Case("app: {image: ''}", "spec.app.image", "at least 1 character"),
    Case("app: {name: My_App}", "spec.app.name", "lower-case letters"),
    Case("app: {command: sleep}", "spec.app.command", "must be a list"),
    Case("app: {command: [sleep, 5]}", "spec.app.command[1]", "put the number in quotes"),
    Case("app: {command: [a, null]}", "spec.app.command[1]", "must be a text, not null"),
    Case("app: {env: [{name: a}, {name: a}]}", "spec.app.env[1]", "the same name"),
    Case("app: {env: [{value: a}]}", "spec.app.env[0].name", "must be given"),
    Case("app: {ports: [{containerPort: 80}, {containerPort: 80}]}", "spec.app.ports[1]", "the same"),
    Case("app: {resources: {limits: {cpu: 0.5}}}", "spec.app.resources.limits.cpu", "put the number in quotes"),
    Case("app: {resources: {limits: {cpu: much}}}", "spec.app.resources.limits.cpu", "must match"),
    Case("zones: {keepReady: 101%}", "spec.zones.keepReady", "0% to 100%"),
    Case("zones: {keepReady: -1}", "spec.zones.keepReady", "at least 0"),
    Case("zones: {whenUnsatisfiable: Never}", "spec.zones.whenUnsatisfiable", "write one of DoNotSchedule, Schedule"),
    Case("rebalance: {mode: Off}", "spec.rebalance.mode", "put it in quotes"),
    Case("rebalance: {cooldown: 5 minutes}", "spec.rebalance.cooldown", "write a duration: 5m"),
    Case("rebalance: {cooldown: 300}", "spec.rebalance.cooldown", "put the number in quotes"),
    Case("initSteps: migrate", "spec.initSteps", "must be a list, not a text"),
    Case("initSteps: [{name: a}]", "spec.initSteps[0].image", "must be given"),
    Case(
        "sidecars: [{name: a, image: b, config: {mountPath: etc, files: {}}}]", "spec.sidecars[0].config.mountPath", "/"
    ),
    Case("pod: {labels: {a: 1}}", "spec.pod.labels.a", "put the number in quotes"),
    Case("route: {parentRefs: []}", "spec.route.parentRefs", "at least 1"),
    Case("monitoring: {port: 0}", "spec.monitoring.port", "at least 1"),
    Case(
        "logSidecar: {directory: /a, output: {http: {url: ftp://a}}, sources: [{path: a}]}",
        "spec.logSidecar.output.http.url",
        "http",
    ),
]
"""What the schema refuses, on the server as well."""

UNKNOWN = [
    Case("replcas: 3", "spec.replcas", "did you mean replicas?"),
    Case("app: {prots: []}", "spec.app.prots", "did you mean ports?"),
    Case("app: {script: a}", "spec.app.script", "there is no such field"),
    Case("initSteps: [{name: a, image: b, pattern: sidecar}]", "spec.initSteps[0].pattern", "no such field"),
    Case("probes: {liveness: {httpGet: {prt: 80}}}", "spec.probes.liveness.httpGet.prt", "did you mean port?"),
    Case("pod: {volumes: [{name: a, emptydir: {}}]}", "spec.pod.volumes[0].emptydir", "did you mean emptyDir?"),
]
"""Fields that do not exist."""
