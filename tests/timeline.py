"""What became of a namespace's objects and when: every change, as a watch tells of it, with the time of its arrival."""

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import pykube
import requests
from tests.space import ROOTS, Object, Space

from devcluster.cluster import Cluster, wait_for

SILENCE_SECONDS = 1.0
"""How long a watch may be quiet before it is begun anew where it was: the thread looks then whether it is to end."""


@contextmanager
def new_space(cluster: Cluster, api: pykube.HTTPClient) -> Iterator[Space]:
    """A namespace for the tests of a whole module."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    try:
        yield Space(api, name)
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch; `at` is of the monotonic clock."""

    at: float
    kind: str
    obj: Object

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])


class Timeline:
    """Follows the objects of one kind in a thread of its own, from `with` on."""

    def __init__(self, cluster: Cluster, space: Space, plural: str, selector: str = "") -> None:
        self.space = space
        self._client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        self._url = f"{self._client.url}{ROOTS[plural]}/namespaces/{space.name}/{plural}"
        self._params = {"labelSelector": selector}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"watch {plural}")
        self.changes: list[Change] = []

    def __enter__(self) -> Self:
        listed = self._client.session.get(self._url, params=self._params, timeout=30).json()
        self.changes += [Change(time.monotonic(), "ADDED", item) for item in listed["items"]]
        self._version = listed["metadata"]["resourceVersion"]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.session.close()

    def when(self, what: str, holds: Callable[[Object], Any], *, since: float = 0.0, timeout: float = 60) -> Change:
        """Wait until an object is so, from `since` on: since a change then, or as it was left by one before."""

        def found() -> Change | None:
            last: dict[str, Change] = {}
            for change in list(self.changes):
                if change.at >= since:
                    break
                last[change.name] = Change(since, change.kind, change.obj)
            told = [*last.values(), *(change for change in list(self.changes) if change.at >= since)]
            return next((change for change in told if change.kind != "DELETED" and holds(change.obj)), None)

        return wait_for(found, timeout, what, every=0.05)

    def fewest(self, counts: Callable[[Object], bool], *, since: float = 0.0) -> int:
        """The least number of objects that were so at the same time, from `since` on until now."""
        so: dict[str, bool] = {}
        least: int | None = None
        for change in list(self.changes):
            if change.at >= since and least is None:
                least = sum(so.values())
            so[change.obj["metadata"]["uid"]] = change.kind != "DELETED" and counts(change.obj)
            if change.at >= since:
                least = min(sum(so.values()), sum(so.values()) if least is None else least)
        return sum(so.values()) if least is None else least

    def _follow(self) -> None:
        while not self._stop.is_set():
            params = {**self._params, "watch": "true", "resourceVersion": self._version, "allowWatchBookmarks": "true"}
            try:
                with self._client.session.get(
                    self._url, params=params, stream=True, timeout=(30, SILENCE_SECONDS)
                ) as stream:
                    for line in stream.iter_lines(chunk_size=None):
                        self._take(json.loads(line))
            except requests.RequestException:
                continue

    def _take(self, event: Object) -> None:
        self._version = event["object"]["metadata"]["resourceVersion"]
        if event["type"] != "BOOKMARK":
            self.changes.append(Change(time.monotonic(), event["type"], event["object"]))


def reaction(promised: float) -> float:
    """The seconds that may pass where so many are promised: with room for a machine with more to do than it can."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return promised + 3.0 * max(1.0, busy)


def condition_of(obj: Object, kind: str) -> Object:
    """A condition of an object's status; empty while there is none."""
    return next((c for c in obj.get("status", {}).get("conditions", ()) if c["type"] == kind), {})


def is_ready(pod: Object) -> bool:
    """Whether a pod serves: it is Ready and not being deleted. The disruption controller counts the same."""
    return condition_of(pod, "Ready").get("status") == "True" and "deletionTimestamp" not in pod["metadata"]
