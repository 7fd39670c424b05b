"""How Kopf is used: as the watcher, with nothing of its own left on any object."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import kopf

from haapp.api.names import GROUP, LABEL_MANAGED_BY, MANAGED_BY, PLURAL, VERSION
from haapp.children import KINDS
from haapp.cluster import following
from haapp.cluster.client import in_cluster
from haapp.sharding import WHOLE, Shard

OURS = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
DEPENDENTS = (("", "v1", "pods"), ("apps", "v1", "replicasets"))
APPS = (GROUP, VERSION, PLURAL)
NODES = ("", "v1", "nodes")

LIST_CHUNK = 500
"""Objects that a list brings at a time: all pods of a large cluster at once would need gigabytes for a moment."""

CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 60.0
"""How long the API server may take to accept a connection, and for a whole list."""


class NoDiffBase(kopf.DiffBaseStorage):
    """Kopf compares each object with the state that it stored last time; here nothing is stored or compared."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        return None


def watched(*, nodes: bool) -> list[tuple[str, str, str]]:
    """(group, version, plural) of each kind that is watched; `nodes` where the operator may see them."""
    children = [(kind.group, kind.version, kind.plural) for kind in KINDS]
    return [APPS, *children, *DEPENDENTS, *([NODES] if nodes else [])]


def configure(settings: kopf.OperatorSettings, *, one_namespace: bool, shard: Shard = WHOLE) -> None:
    """Watch only what the operator manages, and write nothing.

    `one_namespace` (or several named ones): neither namespaces nor CRDs are watched, which belong to no namespace.
    `shard`: an API server that can leaves out what is in other shards' namespaces; others pass over the parameter.
    """
    settings.scanning.disabled = one_namespace
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.queueing.idle_timeout = 0.5
    settings.watching.chunk_size = LIST_CHUNK
    settings.networking.error_backoffs = following.RequestPatience()
    settings.networking.connect_timeout = CONNECT_SECONDS
    settings.networking.request_timeout = REQUEST_SECONDS
    for kind in KINDS:
        settings.watching.label_selectors[kind.group, kind.version, kind.plural] = OURS
    for resource in DEPENDENTS:
        settings.watching.label_selectors[resource] = OURS
    if shard.selector:
        for resource in watched(nodes=False):
            settings.watching.shard_selectors[resource] = shard.selector
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)


def login(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo | None:
    """The same credentials as the writing client's: the pod's service account, or the kubeconfig's context."""
    if in_cluster():
        return kopf.login_with_service_account(settings=settings)
    return kopf.login_with_kubeconfig(settings=settings)
