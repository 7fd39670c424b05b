"""One namespace of a real cluster, by what the cluster tests ask of it and do to it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import pykube

from devcluster.shell import ClusterError, wait_for
from haapp.api import jsontext, names
from haapp.children import KINDS

Object = dict[str, Any]

FEW_SECONDS = 30.0
"""For what takes well under a second on a quiet machine."""

APPS = f"/apis/{names.API_VERSION}"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
ROOTS = {
    **{kind.plural: f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}" for kind in KINDS},
    names.PLURAL: APPS,
    "pods": "/api/v1",
    "replicasets": "/apis/apps/v1",
    "events": "/apis/events.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
}
PLURALS = {kind.kind: kind.plural for kind in KINDS} | {names.KIND: names.PLURAL}
QUICK: Object = {
    "app": {"image": "example/web:1", "ports": [{"name": "http", "containerPort": 8080}]},
    "rollout": {"minReadySeconds": 0, "drainSeconds": 0},
}
"""A spec whose pods are up as soon as the machine allows."""


def app(name: str = "web", **spec: Any) -> Object:
    """A HighAvailabilityApp of QUICK's spec with these fields (of the first level) in place of its own."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name},
        "spec": {**QUICK, **spec},
    }


def least_crd(plural: str, group: str, kind: str) -> Object:
    """The least CRD by which a kind of others' exists, in version v1."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, of a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [version],
        },
    }


class Refused(ClusterError):
    """The API server's answer to a request was an error."""


class NotYet(ClusterError):
    """What is waited for is not so; the message says what is."""


@dataclass(frozen=True, slots=True)
class Space:
    """The namespace `name`; every write is made by the field manager that it is told."""

    api: pykube.HTTPClient
    name: str

    def apply(self, *objects: Object, manager: str = "user") -> None:
        """Server-side apply by force."""
        for obj in objects:
            plural, name = PLURALS[obj["kind"]], obj["metadata"]["name"]
            params = {"fieldManager": manager, "force": "true", "fieldValidation": "Strict"}
            self._send("PATCH", plural, name, body=obj, content_type=APPLY, params=params)

    def takes(self, obj: Object) -> bool:
        """Whether the API server would create the object as it is."""
        params = {"fieldManager": "user", "fieldValidation": "Strict", "dryRun": "All"}
        try:
            self._send("POST", PLURALS[obj["kind"]], "", body=obj, params=params)
        except Refused:
            return False
        return True

    def patch(self, plural: str, name: str, change: Object, *, manager: str = "user", subresource: str = "") -> Object:
        """A merge patch."""
        path = f"{name}/{subresource}" if subresource else name
        return self._send("PATCH", plural, path, body=change, content_type=MERGE, params={"fieldManager": manager})

    def create(self, obj: Object, text: bytes | None = None) -> Object:
        """Create the object; `text` is its JSON, where no encoder can write that."""
        return self._send("POST", PLURALS[obj["kind"]], "", body=text or obj, params={"fieldManager": "user"})

    def delete(self, plural: str, name: str) -> None:
        """Delete an object; one that somebody else has deleted meanwhile is fine."""
        try:
            self._send("DELETE", plural, name)
        except Refused:
            if self.find(plural, name) is not None:
                raise

    def get(self, plural: str, name: str = "web") -> Object:
        """An object as it is; raises Refused if there is none."""
        return self._send("GET", plural, name)

    def find(self, plural: str, name: str = "web") -> Object | None:
        """An object as it is, if it is."""
        try:
            return self.get(plural, name)
        except Refused:
            return None

    def items(self, plural: str, selector: str = "") -> list[Object]:
        """All objects of a kind, or those with the labels of `selector`."""
        found: list[Object] = self._send("GET", plural, "", params={"labelSelector": selector})["items"]
        return found

    def has(self, plural: str, name: str = "web") -> bool:
        return self.find(plural, name) is not None

    def status(self, name: str = "web") -> Object:
        """The app's status; empty while there is none."""
        status: Object = self.get(names.PLURAL, name).get("status") or {}
        return status

    def condition(self, kind: str, name: str = "web") -> Object:
        """One of the app's conditions; empty while there is none."""
        return next((c for c in self.status(name).get("conditions", ()) if c["type"] == kind), {})

    def wait_condition(
        self, kind: str, status: str = "True", reason: str | None = None, *, name: str = "web", timeout: float = 30
    ) -> Object:
        """Wait for a condition of the app's present generation; returns it."""

        def reached() -> Object:
            obj = self.get(names.PLURAL, name)
            generation = obj["metadata"]["generation"]
            conditions = obj.get("status", {}).get("conditions", ())
            for condition in conditions:
                told = (condition["type"], condition["observedGeneration"], condition["status"])
                if told == (kind, generation, status) and reason in (None, condition["reason"]):
                    return dict(condition)
            raise NotYet(f"generation {generation}: {conditions}")

        return wait_for(reached, timeout, f"{name}: {kind}={status} {reason or ''}".rstrip())

    def wait(self, predicate: Callable[[], Any], what: str = "", timeout: float = FEW_SECONDS) -> Any:
        return wait_for(predicate, timeout, what)

    def wait_same(self, look: Callable[[], Object], wanted: Object, timeout: float = FEW_SECONDS) -> None:
        """Wait until what `look` gives is as wanted."""

        def same() -> bool:
            if (seen := look()) != wanted:
                raise NotYet(str({key: value for key, value in seen.items() if value != wanted.get(key)}))
            return True

        wait_for(same, timeout, str(wanted))

    def wait_ready(self, *apps: str, timeout: float = 60) -> None:
        for name in apps or ("web",):
            self.wait_condition("Ready", name=name, timeout=timeout)

    def wait_reconciled(self, *apps: str) -> None:
        for name in apps or ("web",):
            self.wait_condition("Reconciled", name=name)

    def events(self, name: str = "web") -> list[tuple[str, str]]:
        """(reason, note) of the Events on an app."""
        return [(e["reason"], e["note"]) for e in self.items("events") if e["regarding"]["name"] == name]

    def versions(self, *plurals: str) -> dict[str, tuple[str, int | None]]:
        """kind/name -> (resourceVersion, generation) of every object of these kinds."""
        return {
            f"{plural}/{obj['metadata']['name']}": (
                obj["metadata"]["resourceVersion"],
                obj["metadata"].get("generation"),
            )
            for plural in plurals
            for obj in self.items(plural)
        }

    def _send(
        self,
        method: str,
        plural: str,
        name: str,
        *,
        body: object = None,
        content_type: str = "application/json",
        params: dict[str, str] | None = None,
    ) -> Object:
        url = f"{self.api.url}{ROOTS[plural]}/namespaces/{self.name}/{plural}/{name}".rstrip("/")
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        answer = self.api.session.request(
            method, url, params=params, data=data, headers={"Content-Type": content_type}, timeout=30
        )
        if not answer.ok:
            raise Refused(f"{method} {plural}/{name}: {answer.status_code} {answer.text[:1000]}")
        decoded: Object = jsontext.loads(answer.content)
        return decoded


def owners(obj: Object) -> list[str]:
    """`Kind/name` of each controlling owner."""
    references: Iterable[Object] = obj["metadata"].get("ownerReferences", ())
    return [f"{r['kind']}/{r['name']}" for r in references if r.get("controller") and r.get("blockOwnerDeletion")]


def managers(obj: Object) -> dict[str, set[str]]:
    """Who manages which top-level fields, by manager and subresource."""
    found: dict[str, set[str]] = {}
    for entry in obj["metadata"].get("managedFields", ()):
        who = f"{entry['manager']}/{entry.get('subresource', '')}".rstrip("/")
        found.setdefault(who, set()).update(key.removeprefix("f:") for key in entry["fieldsV1"])
    return found


def stays(predicate: Callable[[], Any], seconds: float, what: str) -> None:
    """Assert that `predicate` holds now and for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert predicate(), what
        time.sleep(0.1)
