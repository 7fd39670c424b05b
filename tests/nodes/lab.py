"""A cluster with real containers, and one namespace of it, by what the tests ask of them."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster.cluster import Cluster
from devcluster.nodes import ready_nodes
from devcluster.shell import WaitError, wait_for
from devnodes import images
from devnodes.node import Node

Object = dict[str, Any]

REPOSITORY = Path(__file__).parents[2]
OPERATOR = "haapp-system"
PATIENCE = 240.0
"""Seconds for what takes a few on a quiet machine."""
QUICK: Object = {"rollout": {"minReadySeconds": 0, "drainSeconds": 0}, "security": {"runAsUser": 1001}}


@dataclass(frozen=True, slots=True)
class Lab:
    """A cluster; `nodes` are those that can be switched off, by name."""

    cluster: Cluster
    nodes: dict[str, Node]

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        return self.cluster.kubectl(*arguments, stdin=stdin, timeout=timeout)

    def heal(self) -> None:
        """Everything on, connected and schedulable again."""
        for name, node in self.nodes.items():
            if node.machine is None:
                node.start()
            node.reconnect()
            self.kubectl("uncordon", name)
        wait_for(lambda: set(self.nodes) <= ready_nodes(self.cluster), PATIENCE, "all nodes Ready")


@dataclass(frozen=True, slots=True)
class Space:
    """The namespace `name`."""

    lab: Lab
    name: str

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        return self.lab.kubectl(f"--namespace={self.name}", *arguments, stdin=stdin, timeout=timeout)

    def apply(self, *objects: Object) -> None:
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.kubectl("apply", "-f", "-", stdin=body)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def status(self, app: str) -> Object:
        """The app's status; empty while there is none."""
        return dict(self.get("haapp", app).get("status") or {})

    def condition(self, app: str, kind: str) -> Object:
        """One of the app's conditions; empty while there is none."""
        return next((c for c in self.status(app).get("conditions", ()) if c["type"] == kind), {})

    def wait_ready(self, app: str, timeout: float = PATIENCE) -> Object:
        """Wait until the app is Ready as it is asked for now; returns its status."""

        def ready() -> Object | None:
            found = self.get("haapp", app)
            condition = self.condition_of(found, "Ready")
            current = condition.get("observedGeneration") == found["metadata"]["generation"]
            return found["status"] if current and condition["status"] == "True" else None

        try:
            return wait_for(ready, timeout, f"{app} Ready")
        except WaitError as error:
            seen = self.kubectl("get", "pods", "-o", "wide")
            raise WaitError(f"{error}\n{json.dumps(self.status(app).get('conditions'), indent=1)}\n{seen}") from error

    @staticmethod
    def condition_of(app: Object, kind: str) -> Object:
        return next((c for c in app.get("status", {}).get("conditions", ()) if c["type"] == kind), {})

    def pods(self, app: str, component: str = "app") -> list[Object]:
        """The app's pods that are not on their way out, by name."""
        selector = f"app.kubernetes.io/name={app},app.kubernetes.io/component={component}"
        items = self.get("pods", "--selector", selector)["items"]
        kept = [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]
        return sorted(kept, key=lambda pod: str(pod["metadata"]["name"]))

    def execute(self, pod: str, *command: str, container: str = "app") -> str:
        """Run a command in a container. Raises ClusterError with its complaint."""
        return self.kubectl("exec", pod, f"--container={container}", "--", *command)

    def shell(self, pod: str, script: str, container: str = "app") -> str:
        return self.execute(pod, "sh", "-c", script, container=container)

    def address(self, service: str) -> str:
        """A Service's ClusterIP."""
        return str(self.get("service", service)["spec"]["clusterIP"])

    def endpoints(self, service: str) -> dict[str, bool]:
        """Pod name to whether the Service's EndpointSlices send requests to it."""
        slices = self.get("endpointslices", "--selector", f"kubernetes.io/service-name={service}")["items"]
        endpoints = [endpoint for found in slices for endpoint in found.get("endpoints") or ()]
        return {endpoint["targetRef"]["name"]: bool(endpoint["conditions"]["ready"]) for endpoint in endpoints}

    def wait(self, predicate: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
        return wait_for(predicate, timeout, what)


def app(name: str, container: Object, **spec: Any) -> Object:
    """A HighAvailabilityApp with QUICK's rollout, of this main container."""
    return {
        "apiVersion": "highavailability.dev/v1alpha1",
        "kind": "HighAvailabilityApp",
        "metadata": {"name": name},
        "spec": {**QUICK, "app": small(container), **spec},
    }


def small(container: Object) -> Object:
    """The container with little asked for, so that many fit on this machine."""
    return {"resources": {"requests": {"cpu": "5m", "memory": "16Mi"}}, **container}


def httpd(folder: str = "/www", **fields: Any) -> Object:
    """busybox's web server on port 8080 in a volume `www`, with a file `ready`."""
    return {
        "image": images.DEBIAN,
        "command": ["sh", "-c", f"echo yes > {folder}/ready; exec httpd -f -p 8080 -h {folder}"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "www", "mountPath": folder}],
        **fields,
    }


WWW: Object = {"volumes": [{"name": "www", "emptyDir": {}}]}


def config_map(name: str, **files: str) -> Object:
    """A ConfigMap; `__` in a file's name stands for a dot."""
    data = {key.replace("__", "."): text for key, text in files.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deploy_operator(lab: Lab) -> None:
    """The operator from manifests/cluster-wide, as it is."""
    lab.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(REPOSITORY / "manifests" / "cluster-wide"))
    rollout = ["rollout", "status", "deployment/haapp-operator", f"--namespace={OPERATOR}", "--timeout=300s"]
    lab.kubectl(*rollout, timeout=310)


def seconds_until(predicate: Callable[[], Any], what: str, timeout: float = PATIENCE) -> float:
    """How long it took, looked at five times a second."""
    started = time.monotonic()
    wait_for(predicate, timeout, what, every=0.2)
    return time.monotonic() - started
