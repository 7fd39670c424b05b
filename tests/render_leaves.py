"""Where each field of a spec is to be found in the objects.

For every field a check says what the objects must hold of it. A field of a Kubernetes type must be there whole, at its
own place; a field of our own must have become what the contract says. What only decides between forms of objects, or
is read by other parts of the operator, is listed by name.
"""

from collections.abc import Callable, Iterator
from typing import Any

import yaml
from tests.render_support import env_of, pick

from haapp.api.durations import parse_duration
from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.render import Rendered
from haapp.render.quantities import whole

DECISIONS = {
    "autoscaling": "stands for its fields",
    "cache.colocate": "the topology key",
    "cache.redis": "stands for its fields",
    "cache.whenUnsatisfiable": "required or preferred",
    "logSidecar.shipper": "image and syntax",
    "monitoring.podMonitor": "whether there is one",
    "nodes.antiAffinity": "required, preferred or none",
    "nodes.keepReady": "the status",
    "paused": "whether anything is written",
    "rebalance": "the status and evictions",
    "rollout.onFailure": "the reconciler",
    "rollout.restartOnConfigChange": "the config hash",
    "security.profile": "runAsNonRoot",
    "service.enabled": "whether there is one",
    "sidecars.pattern": "what the other fields mean",
    "sidecars.start": "the order",
    "zones.keepReady": "the status",
}


def holds(rendered: Any, written: Any) -> bool:
    """Whether all of `written` is in `rendered`: mappings by key, lists by entry, values as they are."""
    if isinstance(written, dict):
        return isinstance(rendered, dict) and all(
            key in rendered and holds(rendered[key], value) for key, value in written.items()
        )
    if isinstance(written, list):
        return isinstance(rendered, list) and all(any(holds(one, entry) for one in rendered) for entry in written)
    return type(rendered) is type(written) and bool(rendered == written)


def leaves(value: Any) -> Iterator[Any]:
    """All scalars of a value, and the keys of its mappings."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from leaves(entry)
    else:
        yield value


class Traces:
    """The objects of one app, looked at field by field."""

    def __init__(self, spec: dict[str, Any], result: Rendered) -> None:
        self.spec = spec
        self.result = result
        self.deployment = pick(result, "Deployment", "shop")
        self.template = self.deployment["spec"]["template"]
        self.pod = self.template["spec"]
        (self.main,) = self.pod["containers"]
        self.init = {it["name"]: it for it in self.pod.get("initContainers", [])}

    def missing(self) -> list[str]:
        """The fields of which something is not in the objects."""
        return [field for field, value in self.spec.items() if not self.has(field, value)]

    def has(self, field: str, value: Any) -> bool:
        if field in DECISIONS and not isinstance(value, dict):
            return True
        check: Callable[[Any], bool] | None = getattr(self, f"has_{field.replace('.', '_')}", None)
        if check is not None:
            return check(value)
        if field == "rebalance":
            return True
        assert isinstance(value, dict), f"nothing is said of {field}"
        return all(self.has(f"{field}.{name}", inner) for name, inner in value.items())

    def has_app(self, value: Any) -> bool:
        return holds(self.main, value)

    def has_replicas(self, value: Any) -> bool:
        return "autoscaling" in self.spec or self.deployment["spec"]["replicas"] == value

    def has_probes(self, value: Any) -> bool:
        probes = {f"{kind}Probe": probe for kind, probe in value.items() if kind != "startWithin"}
        budget = parse_duration(value["startWithin"]) if "startWithin" in value else 1
        startup = self.main.get("startupProbe", {})
        return holds(self.main, probes) and (
            "startWithin" not in value
            or startup["failureThreshold"] == -(-budget // (startup.get("periodSeconds") or 10))
        )

    def has_initSteps(self, value: Any) -> bool:  # noqa: N802 - the field's name
        for step in value:
            script = {"command": ["/bin/sh", "-ec", step["script"]]} if "script" in step else {}
            if not holds(self.init[step["name"]], {**{k: v for k, v in step.items() if k != "script"}, **script}):
                return False
        return True

    def has_sidecars(self, value: Any) -> bool:
        return all(self._has_sidecar(sidecar) for sidecar in value)

    def _has_sidecar(self, sidecar: Any) -> bool:
        own = ("pattern", "start", "config", "listen", "metrics")
        container = self.init[sidecar["name"]]
        found = holds(container, {key: value for key, value in sidecar.items() if key not in own})
        if config := sidecar.get("config"):
            found &= holds(container, {"volumeMounts": [{"mountPath": config["mountPath"], "readOnly": True}]})
            found &= self._has_files(config, f"shop-{sidecar['name']}-config")
        if listen := sidecar.get("listen"):
            env = env_of(self.main)
            found &= holds(container, {"ports": [{"containerPort": listen["port"]}]})
            found &= all(listen[key] in env for key in ("hostEnv", "portEnv") if key in listen)
        if metrics := sidecar.get("metrics"):
            found &= holds(container, {"ports": [{"containerPort": metrics["port"]}]})
            service = pick(self.result, "Service", "shop")
            found &= service is None or holds(service["spec"], {"ports": [{"port": metrics["port"]}]})
            found &= self._is_scraped(metrics.get("path", "/metrics"))
        return found

    def _has_files(self, config: Any, name: str) -> bool:
        if "files" in config:
            return bool(pick(self.result, "ConfigMap", name)["data"] == config["files"])
        return holds(self.pod, {"volumes": [{"configMap": {"name": config["configMapName"]}}]})

    def _is_scraped(self, path: str) -> bool:
        """In the annotations or in a PodMonitor, or it is said that it is in neither."""
        everywhere = [self.template["metadata"].get("annotations"), pick(self.result, "PodMonitor")]
        return path in list(leaves(everywhere)) or any("scrape annotations" in note for note in self.result.notes)

    def has_zones(self, value: Any) -> bool:
        fields = {key: value[key] for key in ("minDomains", "maxSkew", "whenUnsatisfiable") if key in value}
        spread = holds(self.pod, {"topologySpreadConstraints": [{"topologyKey": ZONE_KEY, **fields}]})
        return spread and set(value.get("names", ())) <= set(leaves(self.pod.get("affinity", {}).get("nodeAffinity")))

    def has_nodes(self, value: Any) -> bool:
        fields = {key: value[key] for key in ("maxSkew", "whenUnsatisfiable") if key in value}
        return holds(self.pod, {"topologySpreadConstraints": [{"topologyKey": HOSTNAME_KEY, **fields}]})

    def has_spread(self, value: Any) -> bool:
        return holds(self.pod, {"topologySpreadConstraints": value})

    def has_cache_selector(self, value: Any) -> bool:
        return any(holds(term, value) for term in _mappings(self.pod.get("affinity", {}).get("podAffinity", {})))

    def has_cache_redis(self, value: Any) -> bool:
        cache = pick(self.result, "Deployment", "shop-cache")
        redis = cache["spec"]["template"]["spec"]["containers"][0] if cache else self.init["redis"]
        args = redis["args"]
        found = holds(redis, {key: value[key] for key in ("image", "resources") if key in value})
        found &= "maxMemory" not in value or str(whole(value["maxMemory"], "")) in args
        found &= value.get("evictionPolicy", args[5]) in args
        found &= "port" not in value or holds(redis["ports"], [{"containerPort": value["port"]}])
        return found and ("replicas" not in value or cache["spec"]["replicas"] == value["replicas"])

    def has_logSidecar(self, value: Any) -> bool:  # noqa: N802 - the field's name
        container = self.init["log-shipper"]
        found = holds(container, {k: value[k] for k in ("image", "resources", "env", "securityContext") if k in value})
        own_mount = not holds(self.pod, {"volumes": [{"name": "haapp-logs"}]})
        found &= own_mount or holds(container, {"volumeMounts": [{"mountPath": value["directory"]}]})
        if "sizeLimit" in value and not own_mount:
            found &= holds(self.pod, {"volumes": [{"emptyDir": {"sizeLimit": value["sizeLimit"]}}]})
        if "config" in value:
            return found and self._has_files(value["config"], "shop-log-shipper-config")
        (text,) = pick(self.result, "ConfigMap", "shop-log-shipper-config")["data"].values()
        return found and all(self._is_told(leaf, text) for leaf in _told(value))

    def _is_told(self, leaf: str, text: str) -> bool:
        """Whether a text is in the shipper's configuration, in its syntax."""
        if self.spec["logSidecar"].get("shipper") == "fluentd":
            quoted = leaf.replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#").replace("\n", "\\n")
            return quoted in text or leaf in text
        config = yaml.safe_load(text)
        plain = [str(it).replace("$$", "$") for it in leaves(config)]
        return any(leaf in it or leaf.replace("'", "\\x27") in it for it in plain)

    def has_autoscaling(self, value: Any) -> bool:
        scaler = pick(self.result, "HorizontalPodAutoscaler")["spec"]
        same = ("minReplicas", "maxReplicas", "metrics", "behavior")
        targets = [value[key] for key in value if key.endswith("UtilizationPercentage")]
        found = holds(scaler, {key: value[key] for key in same if value.get(key)})
        return found and holds(
            scaler.get("metrics", []), [{"resource": {"target": {"averageUtilization": target}}} for target in targets]
        )

    def has_disruptionBudget(self, value: Any) -> bool:  # noqa: N802 - the field's name
        budget = pick(self.result, "PodDisruptionBudget")
        return budget is None or holds(budget["spec"], value)

    def has_rollout(self, value: Any) -> bool:
        spec = self.deployment["spec"]
        same = ("minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit")
        update = {key: value[key] for key in ("maxSurge", "maxUnavailable") if key in value}
        drain = value.get("drainSeconds", 0)
        drained = drain == 0 or "preStop" in self.spec["app"].get("lifecycle", {}) or self._sleeps(drain)
        return (
            holds(spec, {key: value[key] for key in same if key in value})
            and holds(spec["strategy"]["rollingUpdate"], update)
            and drained
        )

    def _sleeps(self, seconds: int) -> bool:
        return holds(self.main, {"lifecycle": {"preStop": {"sleep": {"seconds": seconds}}}})

    def has_service(self, value: Any) -> bool:
        service = pick(self.result, "Service", "shop")
        if service is None:
            return value.get("enabled") is False or not self.main.get("ports")
        same = ("type", "trafficDistribution", "sessionAffinity")
        return holds(service["spec"], {key: value[key] for key in same if key in value}) and holds(
            service["metadata"], {"annotations": value.get("annotations", {})}
        )

    def has_ingress(self, value: Any) -> bool:
        ingress = pick(self.result, "Ingress")
        texts = set(leaves(ingress["spec"]))
        found = {value[key] for key in ("className", "host", "path", "tlsSecretName") if key in value} <= texts
        return found and holds(ingress["metadata"], {"annotations": value.get("annotations", {})})

    def has_route(self, value: Any) -> bool:
        route = pick(self.result, "HTTPRoute")["spec"]
        same = {key: value[key] for key in ("parentRefs", "hostnames") if value.get(key)}
        return holds(route, same) and value.get("path", "/") in set(leaves(route))

    def has_monitoring(self, value: Any) -> bool:
        if "port" not in value:
            return True
        annotations = self.template["metadata"]["annotations"]
        ports = {name: str(it["containerPort"]) for it in self.main["ports"] for name in (it.get("name"),)}
        port = str(value["port"])
        return annotations["prometheus.io/port"] == ports.get(port, port) and self._is_scraped(
            value.get("path", "/metrics")
        )

    def has_networkPolicy(self, value: Any) -> bool:  # noqa: N802 - the field's name
        policy = pick(self.result, "NetworkPolicy")
        if policy is None:
            return not value
        rules = [{"from": value["from"]}] if value.get("from") else []
        return holds(policy["spec"].get("ingress", []), rules) and holds(
            policy["spec"].get("egress", []), value.get("egress", [])
        )

    def has_security(self, value: Any) -> bool:
        same = {key: value[key] for key in ("runAsUser", "runAsGroup", "fsGroup") if key in value}
        read_only = "readOnlyRootFilesystem"
        own = self.spec["app"].get("securityContext", {}).get(read_only, value.get(read_only))
        return holds(self.pod["securityContext"], same) and self.main["securityContext"].get(read_only) == own

    def has_pod(self, value: Any) -> bool:
        meta = {key: value[key] for key in ("labels", "annotations") if value.get(key)}
        grace = value.get("terminationGracePeriodSeconds", 0)
        special = {*meta, "labels", "annotations", "terminationGracePeriodSeconds", "affinity"}
        rest = {key: inner for key, inner in value.items() if key not in special and inner not in ([], {})}
        return (
            holds(self.template["metadata"], meta)
            and holds(self.pod, rest)
            and self.pod["terminationGracePeriodSeconds"] >= grace
            and self._has_affinity(value.get("affinity", {}))
        )

    def _has_affinity(self, value: Any) -> bool:
        found = self.pod.get("affinity", {})
        return all(not inner or holds(found.get(kind), inner) for kind, inner in value.items())


def _mappings(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for entry in value if isinstance(value, list) else ():
        yield from _mappings(entry)


def _told(logs: Any) -> Iterator[str]:
    """The texts that the configuration must hold."""
    for source in logs["sources"]:
        yield from (source[key] for key in ("path", "expression", "tag") if key in source)
    ((kind, output),) = logs["output"].items()
    if kind == "http":
        yield from (part for part in output["url"].split("://")[1].split("/") if "$" not in part)
    else:
        yield from (it for it in map(str, leaves(list(output.values()))) if it not in ("True", "False"))
