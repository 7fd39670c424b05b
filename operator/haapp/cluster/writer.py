"""The writes, each fenced by the lease: it begins only while this process leads, and ends before another can."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from haapp.api.names import API_VERSION, FIELD_MANAGER, GROUP, HASH_ANNOTATION, KIND, PLURAL, VERSION
from haapp.children import Child, child_of, kind_of
from haapp.children.kinds import Kind
from haapp.cluster.adoption import absorbed
from haapp.cluster.client import APPLY, MERGE, REQUEST_TIMEOUT, Client, Request
from haapp.cluster.events import EventRecorder
from haapp.cluster.overlay import Overlay
from haapp.exceptions import Conflict, NotFound, Refused
from haapp.placement.model import Pod, ReplicaSet
from haapp.reconcile.ports import Foreign, Key

NEVER = "1"
"""A resourceVersion that no object has: with it an apply creates, or is refused as a conflict where one exists."""

UNCHECKED = {"fieldValidation": "Ignore"}
"""The API server looks for unknown fields, to warn of them, by reading a body a second time, which takes up to a third
of a server-side apply; what is sent here has no such fields, and nobody reads the warnings."""

HANDOVER_MANAGER = f"{FIELD_MANAGER}-handover"
"""Holds `replicas` from the moment when the operator lets go of it until the autoscaler first sets it; without it the
API server would reset the field to its default of 1."""


class Writer:
    """Implements `haapp.reconcile.ports.Writer`. `time_left` tells how many seconds a write may take now, and raises
    NotLeading where none may begin."""

    def __init__(
        self, client: Client, overlay: Overlay, recorder: EventRecorder, time_left: Callable[[], float] | None = None
    ) -> None:
        self._client = client
        self._overlay = overlay
        self._recorder = recorder
        self._time_left = time_left or (lambda: REQUEST_TIMEOUT)

    async def confirm(self, app: Mapping[str, Any]) -> None:
        meta = app["metadata"]
        request = Request("GET", f"/apis/{GROUP}/{VERSION}/namespaces/{meta['namespace']}/{PLURAL}/{meta['name']}")
        there = (await self._client.send(request))["metadata"]
        if there["uid"] != meta["uid"] or there.get("deletionTimestamp"):
            raise NotFound("it has been deleted, which its watch has not told yet", request=str(request))

    async def create(self, key: Key, obj: dict[str, Any], replicas: int | None = None) -> Child:
        kind = kind_of(obj)
        new = {**obj, "metadata": {**obj["metadata"], "resourceVersion": NEVER}}
        try:
            child = await self._apply(key, kind, new)
        except Conflict:
            return await self._take_up(key, kind, obj, replicas)
        if replicas is not None:
            await self._hand_over_replicas(kind, child, replicas)
        return child

    async def update(self, key: Key, obj: dict[str, Any], child: Child, replicas: int | None = None) -> Child:
        try:
            return await self._update(key, obj, child, replicas)
        except Refused:
            if child.desired_hash != obj["metadata"]["annotations"][HASH_ANNOTATION]:
                raise
        # The server took this very object before: somebody added a field that excludes one of it.
        return await self._update(key, obj, await self._own_spec(child, await self._read(child)), replicas)

    async def _update(self, key: Key, obj: dict[str, Any], child: Child, replicas: int | None) -> Child:
        kind = kind_of(obj)
        target = {**obj, "metadata": {**obj["metadata"], "uid": child.uid}}
        if child.deployment and replicas is not None and b'"f:replicas"' in child.owned:
            await self._hand_over_replicas(kind, child, child.deployment.desired or replicas)
        return await self._apply(key, kind, target)

    async def delete(self, key: Key, child: Child) -> None:
        kind = kind_of({"kind": child.kind})
        options = {"preconditions": {"uid": child.uid}, "propagationPolicy": "Background"}
        with contextlib.suppress(NotFound):
            await self._write("DELETE", kind.path(child.namespace, child.name), body=options)
        self._overlay.deleted(key, child)

    async def patch_status(self, app: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        meta = app["metadata"]
        gone = {field: None for field in app.get("status") or {} if field not in status}
        patch = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"uid": meta["uid"]},
            "status": {**gone, **_with_gone_keys(status, app.get("status") or {})},
        }
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{meta['namespace']}/{PLURAL}/{meta['name']}/status"
        answer = await self._write("PATCH", path, params=UNCHECKED, body=patch, content_type=MERGE)
        self._overlay.app_written(Key(meta["namespace"], meta["name"]), answer)

    async def evict(self, namespace: str, pod: Pod) -> None:
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}},
        }
        path = f"/api/v1/namespaces/{namespace}/pods/{pod.name}/eviction"
        await self._write("POST", path, body=eviction)

    async def replica_set_template(self, namespace: str, replica_set: ReplicaSet) -> dict[str, Any]:
        path = f"/apis/apps/v1/namespaces/{namespace}/replicasets/{replica_set.name}"
        found = await self._client.send(Request("GET", path))
        template: dict[str, Any] = found["spec"]["template"]
        return template

    async def find(self, kind: str, namespace: str, name: str) -> Child | None:
        path = kind_of({"kind": kind}).path(namespace, name)
        try:
            return child_of(kind, await self._client.send(Request("GET", path)))
        except NotFound:
            return None

    async def absorb(self, child: Child) -> Child:
        found = await self._read(child)
        if any(reference.get("controller") for reference in found["metadata"].get("ownerReferences") or ()):
            raise Foreign(child.kind, child.name, _describe_owner(found))
        return await self._own_spec(child, found)

    async def _read(self, child: Child) -> dict[str, Any]:
        return await self._client.send(Request("GET", _path(child)))

    async def _own_spec(self, child: Child, found: Mapping[str, Any]) -> Child:
        """Move the ownership of the whole spec to the operator: what is applied next removes all else from it."""
        meta = found["metadata"]
        patch = {
            "metadata": {
                "uid": child.uid,
                "resourceVersion": meta["resourceVersion"],
                "managedFields": absorbed(meta.get("managedFields") or ()),
            }
        }
        return child_of(child.kind, await self._write("PATCH", _path(child), body=patch, content_type=MERGE))

    def event(self, app: Mapping[str, Any], reason: str, message: str, *, warning: bool = False) -> None:
        self._recorder.record(app, reason, message, warning=warning)

    async def _apply(self, key: Key, kind: Kind, obj: dict[str, Any]) -> Child:
        meta = obj["metadata"]
        params = {"fieldManager": FIELD_MANAGER, "force": "true", **UNCHECKED}
        path = kind.path(meta["namespace"], meta["name"])
        answer = await self._write("PATCH", path, params=params, body=obj, content_type=APPLY)
        child = child_of(kind.kind, answer)
        self._overlay.written(key, child)
        return child

    async def _take_up(self, key: Key, kind: Kind, obj: dict[str, Any], replicas: int | None) -> Child:
        """Something of that name is there that the watch has not shown: ours, or somebody else's?"""
        meta = obj["metadata"]
        found = await self._client.send(Request("GET", kind.path(meta["namespace"], meta["name"])))
        child = child_of(kind.kind, found)
        if child.owner_uid != _owner_uid(obj):
            raise Foreign(kind.kind, meta["name"], _describe_owner(found))
        return await self.update(key, obj, child, replicas)

    async def _hand_over_replicas(self, kind: Kind, child: Child, replicas: int) -> None:
        held = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": child.name, "namespace": child.namespace, "uid": child.uid},
            "spec": {"replicas": replicas},
        }
        params = {"fieldManager": HANDOVER_MANAGER, "force": "true"}
        path = kind.path(child.namespace, child.name)
        await self._write("PATCH", path, params=params, body=held, content_type=APPLY)

    async def _write(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        timeout = min(REQUEST_TIMEOUT, self._time_left())
        return await self._client.send(Request(method, path, timeout=timeout, fence=self._time_left, **request))


def _path(child: Child) -> str:
    return kind_of({"kind": child.kind}).path(child.namespace, child.name)


def _owner_uid(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["ownerReferences"][0]["uid"])


def _describe_owner(found: Mapping[str, Any]) -> str:
    for reference in found["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return f"belongs to {reference['kind']} {reference['name']!r}"
    entries = found["metadata"].get("managedFields") or ()
    managers = [entry.get("manager") for entry in entries if not entry.get("subresource")]
    return f"exists already (made by {managers[0]})" if managers else "exists already"


def _with_gone_keys(status: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch keeps the keys that it does not name: those that are to go are set to null, on every level."""
    merged: dict[str, Any] = {}
    for field, value in status.items():
        old = before.get(field)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[field] = {**{key: None for key in old if key not in value}, **_with_gone_keys(value, old)}
        else:
            merged[field] = value
    return merged
