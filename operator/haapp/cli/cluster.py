"""Asking a cluster, through pykube-ng. Whatever goes wrong becomes one sentence."""

import argparse
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import pykube
import requests

from haapp.api import jsontext
from haapp.api.names import API_VERSION, KIND, PLURAL
from haapp.api.nesting import shallow
from haapp.api.objects import Object
from haapp.cli import kubeconfig
from haapp.cli.errors import BadInput

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"
NO_TRACE: Final = {"dryRun": "All", "fieldValidation": "Strict"}


class Refused(Exception):
    """The API server said no to a write (a dry run): `status` is the HTTP status, the text the server's own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """One cluster and the namespace that is meant."""

    def __init__(self, client: pykube.HTTPClient, namespace: str) -> None:
        self._client = client
        self.namespace = namespace

    @property
    def name(self) -> str:
        """The context's name."""
        return str(self._client.config.current_context)

    def items(self, path: str, **parameters: str) -> list[Object]:
        """The items at a path such as `/api/v1/nodes`. Raises BadInput."""
        found: list[Object] = self._json("GET", path, parameters)["items"]
        return found

    def get(self, path: str, accept: str = JSON) -> Object | None:
        """The object at a path, `None` where there is none. Raises BadInput."""
        answer = self._send("GET", path, headers={"Accept": accept})
        if answer.status_code == 404:
            return None
        return _one(answer, path)

    def app(self, name: str) -> Object:
        """The HighAvailabilityApp of that name. Raises BadInput."""
        path = f"/apis/{API_VERSION}/namespaces/{self.namespace}/{PLURAL}/{name}"
        found = self.get(path)
        if found is None:
            self.apps()
            raise BadInput(f"there is no {KIND} {name!r} in namespace {self.namespace!r}")
        return found

    def apps(self) -> list[Object]:
        """All HighAvailabilityApps of the namespace. Raises BadInput."""
        return self.items(f"/apis/{API_VERSION}/namespaces/{self.namespace}/{PLURAL}")

    def version(self) -> tuple[int, int]:
        """The API server's major and minor version."""
        found = self._json("GET", "/version")
        return _number(found.get("major")), _number(found.get("minor"))

    def api_versions(self) -> frozenset[str]:
        """The group versions that the API server has."""
        groups = self._json("GET", "/apis")["groups"]
        return frozenset(version["groupVersion"] for group in groups for version in group["versions"])

    def dry_run(self, path: str, obj: Object, manager: str) -> Object:
        """What a server-side apply would make of the object; nothing is kept. Raises Refused, BadInput."""
        return self._dry("PATCH", path, obj, APPLY, {**NO_TRACE, "fieldManager": manager, "force": "true"})

    def dry_patch(self, path: str, patch: Object) -> Object:
        """What a JSON merge patch would make of the object there; nothing is kept. Raises Refused, BadInput."""
        return self._dry("PATCH", path, patch, MERGE, NO_TRACE)

    def dry_replace(self, path: str, obj: Object) -> Object:
        """What a replacement would make of the object there; nothing is kept. Raises Refused, BadInput."""
        return self._dry("PUT", path, obj, JSON, NO_TRACE)

    def _dry(self, method: str, path: str, body: Object, content: str, parameters: Mapping[str, str]) -> Object:
        data = json.dumps(body, ensure_ascii=False).encode()
        answer = self._send(method, path, parameters, data=data, headers={"Content-Type": content})
        if answer.status_code in {400, 404, 409, 422}:
            raise Refused(answer.status_code, _message(answer))
        return _one(answer, path)

    def _json(self, method: str, path: str, parameters: Mapping[str, str] | None = None) -> Object:
        return _body(self._send(method, path, parameters), path)

    def _send(self, method: str, path: str, parameters: Mapping[str, str] | None = None, **how: Any) -> Any:
        try:
            return self._client.request(method, version="", base="", url=path, params=dict(parameters or {}), **how)
        except requests.exceptions.SSLError as error:
            raise BadInput(f"{self._client.url} cannot be trusted: {_cause(error)}") from None
        except requests.exceptions.RequestException as error:
            raise BadInput(f"no cluster answers at {self._client.url}: {_cause(error)}") from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say which cluster."""
    parser.add_argument("--context", help="the kubeconfig's context to use (default: the current one)")
    parser.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig (default: $KUBECONFIG or ~/.kube/config)")


def add_namespace(parser: argparse.ArgumentParser) -> None:
    """The option that says which namespace."""
    parser.add_argument("-n", "--namespace", help="the namespace (default: that of the context)")


def connect(arguments: argparse.Namespace) -> Cluster:
    """The cluster that the options name. Nothing is asked yet. Raises BadInput."""
    try:
        config = kubeconfig.load(arguments.kubeconfig, arguments.context)
        client = pykube.HTTPClient(config, timeout=30)
    except (pykube.exceptions.PyKubeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"the kubeconfig cannot be used: {error}") from None
    return Cluster(client, getattr(arguments, "namespace", None) or config.namespace)


def _one(answer: Any, path: str) -> Object:
    """An object that is looked at as a whole, however deeply it is nested."""
    found: Object = shallow(_body(answer, path))
    return found


def _body(answer: Any, path: str) -> Object:
    if answer.ok:
        body: Object = jsontext.loads(answer.content)
        return body
    if answer.status_code == 401:
        raise BadInput("the cluster does not know you: log in again, or name another --context")
    if answer.status_code == 403:
        raise BadInput(f"no permission: {_message(answer)}")
    if answer.status_code == 404 and PLURAL in path:
        raise BadInput(f"the cluster does not know {KIND}s: install the CRD (kubectl apply -f crds/)")
    raise BadInput(f"{path}: the API server answers {answer.status_code}: {_message(answer)}")


def _message(answer: Any) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return str(answer.text).partition("\n")[0][:300] or str(answer.reason)


def _cause(error: BaseException) -> str:
    """The innermost reason of a failed request, without the library's own wrapping."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    text = re.sub(r"\[Errno -?\d+\] ", "", str(reason if reason is not None else error))
    return text.rpartition(": ")[2].strip("')>(") or type(error).__name__


def _number(text: object) -> int:
    """Some providers add a plus: `33+`."""
    digits = "".join(char for char in str(text) if char.isdecimal())
    return int(digits or 0)
