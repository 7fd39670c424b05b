"""A rollback in force is kept, whatever the watches have shown so far."""

from dataclasses import replace
from typing import Any

import pytest
from tests.live_cases import FAILED, OLD, app, deployment, nodes, pod, replica_sets, state

from haapp.api.names import HASH_ANNOTATION, ROLLED_BACK_ANNOTATION
from haapp.api.spec import Rollout
from haapp.exceptions import Unavailable
from haapp.placement.model import Deployment, Node, Pod, ReplicaSet
from haapp.reconcile.ports import Key
from haapp.reconcile.rollback import Rollback
from haapp.status.rollback import rolled_back

PULLING = state(ready=False, state="waiting", reason="ImagePullBackOff", message="no such image")
KEY = Key("shop", "web")
APP = app(rollout=Rollout(on_failure="Rollback", progress_deadline_seconds=60))
RENDERED: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "web", "annotations": {HASH_ANNOTATION: "cafe"}},
    "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "app", "image": "broken"}]}}},
}
GOOD = {"metadata": {"labels": {"pod-template-hash": OLD}}, "spec": {"containers": [{"name": "app", "image": "good"}]}}


class Server:
    """Shows these ReplicaSets and a pod of the new one that cannot pull its image, and has the good template."""

    def __init__(self, *shown: ReplicaSet) -> None:
        self.shown = shown

    def pods(self, _: Key) -> tuple[Pod, ...]:
        return (pod("web-new77-x", "a1", ready=False, containers=(PULLING,)),)

    def nodes(self) -> tuple[Node, ...]:
        return nodes(a=1)

    def replica_sets(self, _: Key) -> tuple[ReplicaSet, ...]:
        return self.shown

    async def replica_set_template(self, _: str, __: ReplicaSet) -> dict[str, Any]:
        return GOOD


async def considered(there: Deployment, *shown: ReplicaSet) -> dict[str, Any]:
    server: Any = Server(*shown)
    (applied,) = await Rollback(server, server).consider(KEY, APP, there, (RENDERED,))
    return applied


def image(applied: dict[str, Any]) -> str:
    return str(applied["spec"]["template"]["spec"]["containers"][0]["image"])


async def in_force() -> Deployment:
    """The Deployment as the first rollback leaves it."""
    applied = await considered(deployment(conditions=FAILED), *replica_sets(new=0, old=3))
    assert image(applied) == "good"
    record = applied["metadata"]["annotations"][ROLLED_BACK_ANNOTATION]
    return deployment(annotations=((ROLLED_BACK_ANNOTATION, record),))


async def test_the_record_tells_what_failed() -> None:
    """The pods that would tell go with the rollback."""
    record = rolled_back(APP, await in_force())
    assert record is not None
    assert record.reason == 'ReplicaSet "web-new77" has timed out progressing; app: ImagePullBackOff: no such image'


async def test_it_holds_as_long_as_the_app_is_the_same() -> None:
    assert image(await considered(await in_force(), *replica_sets(new=0, old=3))) == "good"


async def test_nothing_is_concluded_from_a_replica_set_that_was_not_shown() -> None:
    """Right after a start the watches may not have shown all: the broken template must not come back for that."""
    with pytest.raises(Unavailable, match="revision 1"):
        await considered(await in_force())


async def test_a_new_rendering_is_tried_afresh() -> None:
    there = await in_force()
    other = {**RENDERED, "metadata": {**RENDERED["metadata"], "annotations": {HASH_ANNOTATION: "beef"}}}
    server: Any = Server(*replica_sets(new=0, old=3))
    assert await Rollback(server, server).consider(KEY, APP, there, (other,)) == (other,)
    newer: Any = replace(APP, generation=APP.generation + 1)
    assert await Rollback(server, server).consider(KEY, newer, there, (RENDERED,)) == (RENDERED,)
