"""Which cluster is meant, and as whom, the way kubectl finds it: --kubeconfig, $KUBECONFIG, ~/.kube/config, in-cluster.

pykube-ng reads one file and refuses credential plugins of the API that is current, so both are done here.
"""

import atexit
import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import pykube
import yaml

from haapp.cli.errors import BadInput

DEFAULT_FILE: Final = "~/.kube/config"
EXEC_INFO: Final = "KUBERNETES_EXEC_INFO"
PLUGIN_SECONDS: Final = 60


def load(filename: str | None, context: str | None) -> pykube.KubeConfig:
    """The configuration with its current context set. Raises BadInput."""
    _keep_keys_private()
    paths = [Path(path).expanduser() for path in _filenames(filename) if path]
    found = [path for path in paths if path.is_file()]
    if not found:
        return _in_cluster(paths, context)
    for path in found:
        config = _read(path, context)
        if config is not None:
            _add_plugin_token(config)
            return config
    wanted = f"no context named {context!r}" if context else "no current context; name one with --context"
    raise BadInput(f"{', '.join(map(str, found))}: {wanted}")


def _keep_keys_private() -> None:
    """pykube-ng writes keys to the folder for temporary files, readable by everybody: give it a folder of our own."""
    tempfile.tempdir = tempfile.mkdtemp(prefix="kubectl-haapp-")
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)


def _filenames(filename: str | None) -> list[str]:
    return [filename] if filename else os.environ.get("KUBECONFIG", DEFAULT_FILE).split(os.pathsep)


def _in_cluster(paths: list[Path], context: str | None) -> pykube.KubeConfig:
    if context is None:
        try:
            return pykube.KubeConfig.from_service_account()
        except (FileNotFoundError, KeyError):
            pass
    raise BadInput(f"there is no cluster to ask: {', '.join(map(str, paths))}: no such kubeconfig file")


def _read(path: Path, context: str | None) -> pykube.KubeConfig | None:
    """The file's configuration, `None` where the context is not in it."""
    try:
        content = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: cannot be read as a kubeconfig: {str(error).partition(chr(10))[0]}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: not a kubeconfig")
    wanted = context or content.get("current-context")
    if wanted not in [entry.get("name") for entry in content.get("contexts") or ()]:
        return None
    return pykube.KubeConfig.from_file(str(path), current_context=wanted)


def _add_plugin_token(config: pykube.KubeConfig) -> None:
    """Run the user's credential plugin (client.authentication.k8s.io) and use what it gives."""
    user = config.user
    plugin = user.get("exec")
    if not plugin:
        return
    status = _run(plugin)
    if status.get("token"):
        user["token"] = status["token"]
    elif status.get("clientCertificateData") and status.get("clientKeyData"):
        user["client-certificate"] = pykube.config.BytesOrFile(data=_encoded(status["clientCertificateData"]))
        user["client-key"] = pykube.config.BytesOrFile(data=_encoded(status["clientKeyData"]))
    else:
        raise BadInput(f"the credential plugin {plugin['command']!r} gave neither a token nor a certificate")


def _run(plugin: dict[str, Any]) -> dict[str, Any]:
    info = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    variables = {entry["name"]: entry["value"] for entry in plugin.get("env") or ()}
    command = [plugin["command"], *(plugin.get("args") or ())]
    environment = {**os.environ, EXEC_INFO: json.dumps(info), **variables}
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=PLUGIN_SECONDS, check=True)
        return dict(json.loads(done.stdout).get("status") or {})
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise BadInput(f"the credential plugin {command[0]!r} failed: {error}") from None


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
