"""Asking a cluster: every way in which that can fail is one sentence. The server here is a local one without TLS."""

import base64
import json
import stat
import threading
from argparse import Namespace
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from haapp.cli import kubeconfig
from haapp.cli.cluster import Refused, connect
from haapp.cli.errors import BadInput
from haapp.cli.main import main

MINIMAL = Path(__file__).parents[2] / "manifests" / "examples" / "00-minimal.yaml"


class Server(ThreadingHTTPServer):
    """Answers each path as `answers` says, everything else with 404."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, Any]] = {}
        self.seen: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        missing = (404, {"message": f"{self.path} not found"})
        code, body = self.server.answers.get(self.path.partition("?")[0], missing)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_PATCH(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at `seen`."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def write_config(file: Path, url: str, context: str = "here", **user: Any) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "current-context": context,
    }
    file.write_text(yaml.safe_dump(config))
    return file


def options(file: Path | None, context: str | None = None, namespace: str | None = None) -> Namespace:
    return Namespace(kubeconfig=str(file) if file else None, context=context, namespace=namespace)


def test_the_namespace_is_the_contexts_unless_given(tmp_path: Path, server: Server) -> None:
    file = write_config(tmp_path / "config", server.url)
    assert connect(options(file)).namespace == "shop"
    assert connect(options(file, namespace="other")).namespace == "other"


def test_kubeconfig_may_list_several_files(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_config(tmp_path / "first", "http://127.0.0.1:1", context="first")
    second = write_config(tmp_path / "second", server.url, context="second")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{first}:{second}")
    server.answers["/api/v1/nodes"] = (200, {"items": [{"metadata": {"name": "n"}}]})
    assert connect(options(None)).name == "first"
    assert len(connect(options(None, "second")).items("/api/v1/nodes")) == 1
    with pytest.raises(BadInput, match="no context named 'third'"):
        connect(options(None, "third"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no cluster to ask: .*/config: no such kubeconfig file"),
        ("a: [", "cannot be read as a kubeconfig"),
        ("just text", "not a kubeconfig"),
        ("{contexts: []}", "no current context; name one with --context"),
        ("{contexts: [{name: a, context: {cluster: c}}], current-context: a}", "the kubeconfig cannot be used"),
    ],
)
def test_a_kubeconfig_that_is_none(tmp_path: Path, content: str | None, sentence: str) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)
    with pytest.raises(BadInput, match=sentence):
        connect(options(file))


@pytest.mark.parametrize(
    ("code", "message", "sentence"),
    [
        (401, "Unauthorized", "the cluster does not know you"),
        (403, "nodes is forbidden", "no permission: nodes is forbidden"),
        (500, "etcd is ill", "/api/v1/nodes: the API server answers 500: etcd is ill"),
    ],
)
def test_a_server_that_refuses(tmp_path: Path, server: Server, code: int, message: str, sentence: str) -> None:
    server.answers["/api/v1/nodes"] = (code, {"kind": "Status", "message": message})
    with pytest.raises(BadInput, match=sentence):
        connect(options(write_config(tmp_path / "config", server.url))).items("/api/v1/nodes")


@pytest.mark.parametrize("levels", [300, 1_000, 5_000])
def test_an_object_that_is_nested_too_deeply_is_read(tmp_path: Path, server: Server, levels: int) -> None:
    obj = f'{{"metadata": {{"name": "n"}}, "spec": {"[" * levels}{"]" * levels}}}'
    server.answers["/api/v1/nodes/n"] = (200, obj.encode())
    server.answers["/api/v1/nodes"] = (200, f'{{"items": [{obj}]}}'.encode())
    cluster = connect(options(write_config(tmp_path / "config", server.url)))
    found = cluster.get("/api/v1/nodes/n")
    assert found is not None
    assert found["metadata"] == {"name": "n"}
    assert json.dumps(found)
    assert cluster.items("/api/v1/nodes")[0]["metadata"] == {"name": "n"}


def test_no_crd_and_no_app_are_told_apart(tmp_path: Path, server: Server) -> None:
    cluster = connect(options(write_config(tmp_path / "config", server.url)))
    with pytest.raises(BadInput, match="install the CRD"):
        cluster.app("shop")
    server.answers["/apis/highavailability.dev/v1alpha1/namespaces/shop/highavailabilityapps"] = (200, {"items": []})
    with pytest.raises(BadInput, match="there is no HighAvailabilityApp 'shop' in namespace 'shop'"):
        cluster.app("shop")


def test_a_refused_write_is_told_from_a_failed_one(tmp_path: Path, server: Server) -> None:
    cluster = connect(options(write_config(tmp_path / "config", server.url)))
    server.answers["/x"] = (422, {"message": "spec.replicas: must not be negative"})
    with pytest.raises(Refused, match="must not be negative"):
        cluster.dry_run("/x", {}, "ha-operator")
    server.answers["/x"] = (403, {"message": "may not patch"})
    with pytest.raises(BadInput, match="no permission: may not patch"):
        cluster.dry_run("/x", {}, "ha-operator")
    assert all("dryRun=All" in path for method, path, _ in server.seen if method == "PATCH")


def test_the_command_says_it_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_config(tmp_path / "config", "http://127.0.0.1:1")
    command = ["check", "-f", str(MINIMAL), "--kubeconfig", str(file), "--context", "here"]
    assert main(command) == 2
    assert capsys.readouterr().err == "error: no cluster answers at http://127.0.0.1:1: Connection refused\n"


def plugin(folder: Path, status: dict[str, str], code: int = 0) -> dict[str, Any]:
    script = folder / "plugin"
    script.write_text(f"#!/bin/sh\necho '{json.dumps({'status': status})}'\nexit {code}\n")
    script.chmod(0o755)
    return {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script)}


def test_a_credential_plugin_gives_the_token(tmp_path: Path, server: Server) -> None:
    server.answers["/api/v1/nodes"] = (200, {"items": []})
    file = write_config(tmp_path / "config", server.url, exec=plugin(tmp_path, {"token": "t0k3n"}))
    connect(options(file)).items("/api/v1/nodes")
    assert server.seen[-1][2] == "Bearer t0k3n"


def test_a_credential_plugin_that_fails(tmp_path: Path, server: Server) -> None:
    file = write_config(tmp_path / "config", server.url, exec=plugin(tmp_path, {}, code=3))
    with pytest.raises(BadInput, match=r"the credential plugin .* failed"):
        connect(options(file))
    file = write_config(tmp_path / "config", server.url, exec=plugin(tmp_path, {}))
    with pytest.raises(BadInput, match="neither a token nor a certificate"):
        connect(options(file))


def test_keys_are_kept_where_nobody_else_can_read_them(tmp_path: Path, server: Server) -> None:
    data = base64.b64encode(b"secret").decode()
    user = {"client-certificate-data": data, "client-key-data": data}
    config = kubeconfig.load(str(write_config(tmp_path / "config", server.url, **user)), None)
    folder = Path(config.user["client-key"].filename()).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
