"""A rollout to an image that never comes up: held, or rolled back for good, and the pods that serve go on serving."""

import time
from collections.abc import Iterator

import pykube
import pytest
from tests.space import Object, Space, app, stays
from tests.timeline import Timeline, condition_of, is_ready, new_space

from devcluster.audit import AuditLog
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names
from haapp.status.pace import NUMBERS_SECONDS

PODS = 3
BROKEN = {"test.highavailability.dev/pull-error": "app"}


def version(name: str, image: str, *, broken: bool = False) -> Object:
    rollout = {
        "minReadySeconds": 0,
        "drainSeconds": 0,
        "progressDeadlineSeconds": 4,
        "onFailure": "Rollback" if name == "back" else "Hold",
    }
    pod = {"pod": {"annotations": BROKEN}} if broken else {}
    return app(name, replicas=PODS, app={"image": f"example/web:{image}"}, rollout=rollout, **pod)


class Rollouts:
    """Two apps that are rolled out together: `back` goes back, `hold` stays."""

    def __init__(self, space: Space, pods: Timeline, deployments: Timeline) -> None:
        self.space, self.pods, self.deployments = space, pods, deployments

    def apply(self, image: str, *, broken: bool = False) -> None:
        self.space.apply(version("back", image, broken=broken), version("hold", image, broken=broken))

    def image(self, name: str) -> str:
        containers = self.space.get("deployments", name)["spec"]["template"]["spec"]["containers"]
        return str(containers[0]["image"])

    def fewest(self, name: str, since: float) -> int:
        """The least number of an app's pods that served at one time."""

        def serves(pod: Object) -> bool:
            return bool(pod["metadata"]["labels"][names.LABEL_NAME] == name and is_ready(pod))

        return self.pods.fewest(serves, since=since)


@pytest.fixture(scope="module")
def rollouts(cluster: Cluster, api: pykube.HTTPClient, operator: Operator) -> Iterator[Rollouts]:
    if cluster.folder is None:
        pytest.skip("needs the embedded cluster, whose images can be told to be missing")
    with new_space(cluster, api) as space:
        space.apply(version("back", "1"), version("hold", "1"))
        space.wait_ready("back", "hold")
        with Timeline(cluster, space, "pods") as pods, Timeline(cluster, space, "deployments") as deployments:
            yield Rollouts(space, pods, deployments)


def test_a_broken_image_is_rolled_back_or_held(rollouts: Rollouts) -> None:
    space, began = rollouts.space, time.monotonic()
    rollouts.apply("2", broken=True)
    told = space.wait_condition("Progressing", "False", "RolledBack", name="back")["message"]
    assert "generation 2 did not come up; rolled back to revision 1: " in told
    assert 'has timed out progressing; app: ImagePullBackOff: Back-off pulling image "example/web:2"' in told
    space.wait(lambda: rollouts.image("back") == "example/web:1", "the image of before")
    space.wait_condition("Stalled", "True", "RolledBack", name="back")
    space.wait_ready("back")
    assert "rolled back to revision 1" in space.status("back")["summary"]
    for name, reason in (("back", "RolledBack"), ("back", "ImagePullFailed"), ("hold", "ImagePullFailed")):
        events = [e for e in space.items("events") if (e["regarding"]["name"], e["reason"]) == (name, reason)]
        assert [event["type"] for event in events] == ["Warning"], (name, reason)

    space.wait_condition("Progressing", "False", "ProgressDeadlineExceeded", name="hold")
    assert rollouts.image("hold") == "example/web:2"
    assert 'app: ImagePullBackOff: Back-off pulling image "example/web:2"' in space.status("hold")["summary"]
    assert "progressDeadlineSeconds 4" in space.condition("Progressing", "hold")["message"]
    space.wait(lambda: old_pods(space, "back") == 0, "the end of the broken pod")
    assert rollouts.fewest("back", began) == PODS
    assert rollouts.fewest("hold", began) == PODS


def test_the_decision_survives_a_restart(rollouts: Rollouts, operator: Operator, audit: AuditLog) -> None:
    space = rollouts.space
    settle(space)
    before = {name: space.get("deployments", name)["metadata"]["generation"] for name in ("back", "hold")}
    operator.stop()
    mark = audit.mark()
    operator.start()
    stays(lambda: rollouts.image("back") == "example/web:1", 3, "the operator flaps between two revisions")
    written = [r for r in audit.since(mark) if r.is_write and r.namespace == space.name and "haapp" in r.user_agent]
    assert written == []
    assert before == {name: space.get("deployments", name)["metadata"]["generation"] for name in before}
    assert space.condition("Progressing", "back")["reason"] == "RolledBack"


def test_a_new_broken_generation_is_tried_afresh(rollouts: Rollouts) -> None:
    space, began = rollouts.space, time.monotonic()
    rollouts.apply("3", broken=True)
    rollouts.deployments.when("the third image tried", lambda obj: runs(obj, "back", "example/web:3"), since=began)
    told = space.wait_condition("Progressing", "False", "RolledBack", name="back")["message"]
    assert "generation 3 did not come up" in told
    space.wait(lambda: rollouts.image("back") == "example/web:1", "the image that last worked")
    assert rollouts.fewest("back", began) == PODS
    assert rollouts.fewest("hold", began) == PODS


def test_a_good_one_is_rolled_out_without_a_gap(rollouts: Rollouts) -> None:
    space, began = rollouts.space, time.monotonic()
    rollouts.apply("4")
    for name in ("back", "hold"):
        space.wait_condition("Progressing", name=name)
        space.wait(lambda name=name: old_pods(space, name) == 0, "the end of the old pods")
        space.wait_ready(name)
        assert rollouts.image(name) == "example/web:4"
        assert rollouts.fewest(name, began) == PODS
        assert names.ROLLED_BACK_ANNOTATION not in space.get("deployments", name)["metadata"]["annotations"]
        assert condition_of(space.get(names.PLURAL, name), "Stalled") == {}


def settle(space: Space) -> None:
    """Wait until all is told: a change that turns no condition may be held back for two seconds."""
    seen: list[tuple[float, object]] = []

    def still() -> bool:
        versions = space.versions(names.PLURAL)
        if not seen or seen[-1][1] != versions:
            seen.append((time.monotonic(), versions))
        return time.monotonic() - seen[-1][0] > 2 * NUMBERS_SECONDS

    space.wait(still, "a status that stays as it is")


def runs(obj: Object, name: str, image: str) -> bool:
    return bool(obj["metadata"]["name"] == name and obj["spec"]["template"]["spec"]["containers"][0]["image"] == image)


def old_pods(space: Space, name: str) -> int:
    """How many pods of an app there are more than asked for."""
    return len(space.items("pods", f"{names.LABEL_NAME}={name}")) - PODS
