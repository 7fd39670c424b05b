"""The admission webhook behind a real API server: what kubectl prints, and that nothing ever depends on it."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import rights
from tests.api_cases import Case

from devcluster.cluster import Cluster
from devcluster.process import Operator, free_port
from devcluster.shell import wait_for
from haapp.admission.certificate import KeyPair, issue
from haapp.settings import ADMISSION_NAME

Object = dict[str, Any]

MANIFESTS = Path(__file__).parents[2] / "manifests"
HERE = "127.0.0.1"
CONFIGURATION = f"validatingwebhookconfiguration/{ADMISSION_NAME}"
TOO_FEW_ZONES = "zones.minDomains 4: usable nodes are in 3 zones only; lower it to 3"
NO_DRAIN = "disruptionBudget.minAvailable 3 with replicas 3 blocks every drain; lower it to 2"


def app(name: str, change: str) -> Object:
    return Case(change, "", "").app | {"metadata": {"name": name}}


def contradictory(name: str, replicas: int = 3) -> Object:
    return app(name, f"{{replicas: {replicas}, disruptionBudget: {{minAvailable: 3}}, zones: {{minDomains: 4}}}}")


def shipped(component: str, folder: Path, cluster: Cluster) -> list[Object]:
    """What an overlay of the cluster-wide operator with a component is built into."""
    up = os.path.relpath(MANIFESTS.resolve(), folder.resolve())
    overlay = {"resources": [f"{up}/cluster-wide"], "components": [f"{up}/components/{component}"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return [obj for obj in yaml.safe_load_all(cluster.kubectl("kustomize", str(folder))) if obj]


def reached_at(ports: list[int], configuration: Object, authorities: bytes = b"") -> Object:
    """The shipped configuration for an API server outside the cluster's network: one webhook for each replica."""
    (webhook,) = configuration["webhooks"]
    bundle = {"caBundle": b64encode(authorities).decode()} if authorities else {}
    clients = [{"url": f"https://{HERE}:{port}/validate", **bundle} for port in ports]
    webhooks = [{**webhook, "name": f"replica{n}.{webhook['name']}", "clientConfig": c} for n, c in enumerate(clients)]
    return {**configuration, "webhooks": webhooks}


def is_configuration(obj: Object) -> bool:
    return bool(obj["kind"] == "ValidatingWebhookConfiguration")


def served(port: int) -> bytes:
    """The certificate that is served there; nothing where there is none."""
    try:
        return ssl.get_server_certificate((HERE, port), timeout=5).encode()
    except OSError:
        return b""


def review(obj: object) -> Object:
    resource = {"group": "highavailability.dev", "version": "v1alpha1", "resource": "highavailabilityapps"}
    asked = {"uid": "u", "operation": "CREATE", "resource": resource, "userInfo": {}, "object": obj}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": asked}


def ask(port: int, authorities: bytes, asked: Object) -> Object:
    """The webhook's own answer to a client that trusts what the API server trusts."""
    trust = ssl.create_default_context(cadata=authorities.decode())
    body = json.dumps(asked).encode()
    server = http.client.HTTPSConnection(HERE, port, timeout=10, context=trust)
    server.request("POST", "/validate", body, {"Content-Type": "application/json"})
    response: Object = json.loads(server.getresponse().read())["response"]
    server.close()
    return response


@dataclass(frozen=True)
class Client:
    """kubectl in a namespace, with what it prints on both streams."""

    cluster: Cluster
    namespace: str

    def apply(self, obj: Object, *flags: str) -> tuple[str, list[str]]:
        """Standard output, and the warnings. It must succeed."""
        command = [str(self.cluster.kubectl_path), f"--kubeconfig={self.cluster.kubeconfig}", "-n", self.namespace]
        done = subprocess.run(
            [*command, "apply", *flags, "-f", "-"],
            input=json.dumps(obj),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, [line.removeprefix("Warning: ") for line in done.stderr.splitlines()]

    def warns(self) -> bool:
        """Whether the webhook is asked and answers, by now."""
        return TOO_FEW_ZONES in self.apply(contradictory("probe"), "--dry-run=server")[1]


@dataclass(frozen=True)
class Replicas:
    """Two replicas, with the files and the configuration that cert-manager would keep."""

    client: Client
    operators: list[Operator]
    ports: list[int]
    configuration: Object
    folder: Path

    def certify(self, pair: KeyPair) -> None:
        (self.folder / "tls.key").write_bytes(pair.key)
        (self.folder / "tls.crt").write_bytes(pair.certificate)
        self.client.cluster.apply(reached_at(self.ports, self.configuration, pair.authorities))


@pytest.fixture
def client(cluster: Cluster, namespace: str) -> Client:
    return Client(cluster, namespace)


@pytest.fixture
def pair() -> KeyPair:
    return issue([HERE], datetime.now(UTC))


@pytest.fixture
def replicas(client: Client, account: Path, pair: KeyPair, tmp_path: Path) -> Iterator[Replicas]:
    ports = [free_port(), free_port()]
    flags = ("--all-namespaces", "--admission", f"--admission-cert={tmp_path}/tls.crt")
    flags += (f"--admission-key={tmp_path}/tls.key",)
    rights.install_lease(client.cluster, client.namespace)
    environment = {"KUBECONFIG": str(account), "HAAPP_LEASE_NAMESPACE": client.namespace}
    operators = [
        Operator(client.cluster, tmp_path, f"operator-{port}", (*flags, f"--admission-port={port}"), environment)
        for port in ports
    ]
    configuration = next(filter(is_configuration, shipped("admission", tmp_path, client.cluster)))
    made = Replicas(client, operators, ports, configuration, tmp_path)
    with running(operators):
        # The operator is there before its certificate is, as where cert-manager takes its time.
        assert not any(map(served, ports))
        made.certify(pair)
        for port in ports:
            wait_for(lambda port=port: served(port), 60, f"the webhook at {port}")
        wait_for(client.warns, 60, "a warning")
        yield made
        client.cluster.kubectl("delete", CONFIGURATION)


def running(operators: list[Operator]) -> ExitStack:
    """Start all of them at once; they are stopped at the end."""
    stack = ExitStack()
    for operator in operators:
        stack.callback(operator.stop)
    with ThreadPoolExecutor() as pool:
        list(pool.map(Operator.start, operators))
    return stack


def test_kubectl_prints_warnings_and_needs_no_webhook(client: Client, replicas: Replicas, pair: KeyPair) -> None:
    for name, flags in (("one", ()), ("two", ("--dry-run=server",)), ("three", ("--server-side",))):
        out, warnings = client.apply(contradictory(name), *flags)
        assert warnings == [TOO_FEW_ZONES, NO_DRAIN]
        assert name in out
    assert client.apply(app("good", "{replicas: 3}"))[1] == []
    assert client.apply(contradictory("one") | {"metadata": {"name": "one", "labels": {"a": "b"}}})[1] == []
    cache = "{cache: {selector: {matchLabels: {app: redis}}, whenUnsatisfiable: DoNotSchedule}}"
    assert "cache.selector finds no pod" in client.apply(app("near", cache))[1][0]

    for port in replicas.ports:  # the one that leads, and the one that stands by
        whole = contradictory("a")
        whole["metadata"]["namespace"] = client.namespace
        assert ask(port, pair.authorities, review(whole))["warnings"] == [TOO_FEW_ZONES, NO_DRAIN]
        for broken in ({}, [], "app", None, {"spec": 1}, {"metadata": None, "spec": {"app": {"image": [1]}}}):
            assert ask(port, pair.authorities, review(broken))["allowed"] is True
    assert not any("Traceback" in operator.log_tail() for operator in replicas.operators)

    first, second = replicas.operators
    first.stop()
    assert client.apply(contradictory("one", 4))[1] == [TOO_FEW_ZONES]
    hanging = second.pid
    os.kill(hanging, signal.SIGSTOP)
    began = time.monotonic()
    assert client.apply(contradictory("one", 5))[1] == []
    assert time.monotonic() - began < 20
    os.kill(hanging, signal.SIGCONT)
    wait_for(client.warns, 60, "a warning from the one that hung")
    second.stop()
    assert client.apply(contradictory("one", 6)) == ("highavailabilityapp.highavailability.dev/one configured\n", [])


def test_files_are_renewed_in_place(client: Client, replicas: Replicas, pair: KeyPair) -> None:
    (replicas.folder / "tls.crt").write_text("not a certificate")
    renewed = issue([HERE], datetime.now(UTC), pair)
    wait_for(lambda: "cannot be served" in replicas.operators[0].log_tail(), 30, "a complaint")
    assert client.warns()
    replicas.certify(renewed)
    for port in replicas.ports:
        wait_for(lambda port=port: served(port) == renewed.certificate, 60, "the renewed certificate")
    wait_for(client.warns, 30, "a warning")


@pytest.fixture
def installed(client: Client, tmp_path: Path) -> Iterator[tuple[list[int], list[Object]]]:
    """What the component for certificates of the operator's own installs, without the Deployment: no kubelet is here.
    Gives the ports of two replicas, and the objects."""
    cluster, ports = client.cluster, [free_port(), free_port()]
    if cluster.folder is None:
        pytest.skip("the operator may be installed on a cluster that is not of this session")
    objects = [
        reached_at(ports, obj) if is_configuration(obj) else obj
        for obj in shipped("admission-self-signed", tmp_path, cluster)
        if obj["kind"] not in {"Deployment", "CustomResourceDefinition"}
    ]
    cluster.apply(*objects)
    yield ports, objects
    needed = {(obj["kind"], obj["metadata"]["name"]) for obj in rights.manifests(cluster)}
    of_component = [obj for obj in objects if (obj["kind"], obj["metadata"]["name"]) not in needed]
    cluster.kubectl("delete", "--wait=false", "-f", "-", stdin=yaml.safe_dump_all(of_component))


def data_of(pair: KeyPair) -> dict[str, str]:
    values = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": pair.authorities}
    return {key: b64encode(value).decode() for key, value in values.items()}


def shared(cluster: Cluster, ports: list[int]) -> KeyPair | None:
    """What the Secret holds, if both replicas serve it and the API server trusts it."""
    data = cluster.get("secret", ADMISSION_NAME, f"--namespace={rights.NAMESPACE}").get("data") or {}
    pair = KeyPair(*(b64decode(data.get(key, "")) for key in ("tls.crt", "tls.key", "ca.crt")))
    trusted = {webhook["clientConfig"].get("caBundle", "") for webhook in cluster.get(CONFIGURATION)["webhooks"]}
    everywhere = {served(port) for port in ports} == {pair.certificate} and trusted == {data.get("ca.crt")}
    return pair if everywhere and pair.certificate else None


def test_two_operators_share_a_certificate_of_their_own(
    client: Client, installed: tuple[list[int], list[Object]], tmp_path: Path
) -> None:
    cluster, (ports, objects) = client.cluster, installed
    environment = {"KUBECONFIG": str(rights.kubeconfig(cluster, tmp_path)), "POD_NAMESPACE": rights.NAMESPACE}
    flags = ("--all-namespaces", "--admission", f"--admission-host={HERE}")
    operators = [
        Operator(cluster, tmp_path, f"own-{port}", (*flags, f"--admission-port={port}"), environment) for port in ports
    ]
    with running(operators):
        first = wait_for(lambda: shared(cluster, ports), 60, "one certificate for both")
        wait_for(client.warns, 60, "a warning")
        assert all(ask(port, first.authorities, review({}))["allowed"] for port in ports)

        # It becomes due, and somebody takes the authority out of the configuration.
        due = issue([HERE], datetime.now(UTC) - timedelta(days=70))
        patch = json.dumps({"data": data_of(due)})
        cluster.kubectl("patch", "secret", ADMISSION_NAME, f"--namespace={rights.NAMESPACE}", "--patch", patch)
        patch = json.dumps([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}])
        cluster.kubectl("patch", CONFIGURATION, "--type=json", "--patch", patch)
        old = {first.certificate, due.certificate}
        second = wait_for(
            lambda: (pair := shared(cluster, ports)) and pair.certificate not in old and pair, 90, "a renewed one"
        )
        assert due.authorities in second.authorities
        wait_for(client.warns, 30, "a warning after the renewal")
        cluster.apply(*objects)
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(objects))
        assert shared(cluster, ports) == second
        assert not any("Traceback" in operator.log_tail() for operator in operators)
