"""How many pods: by the app's scale subresource, or by an autoscaler that the operator never argues with."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.space import Object, Space, app, stays

from devcluster.audit import AuditLog
from haapp.api import names

pytestmark = pytest.mark.usefixtures("operator")


def autoscaled(least: int, most: int = 9, **spec: Any) -> Object:
    return app(autoscaling={"minReplicas": least, "maxReplicas": most}, **spec)


def replicas(space: Space, name: str = "web") -> int:
    return int(space.get("deployments", name)["spec"]["replicas"])


def scale(space: Space, number: int) -> None:
    """As an autoscaler does it."""
    space.patch("deployments", "web", {"spec": {"replicas": number}}, manager="hpa", subresource="scale")


def writes_of_deployments(space: Space, audit: AuditLog, mark: int) -> int:
    return sum(
        r.is_write and r.resource == "deployments" and r.namespace == space.name and r.user_agent.startswith("haapp")
        for r in audit.since(mark)
    )


def test_kubectl_scale(space: Space, kubectl: Callable[..., str]) -> None:
    space.apply(app(replicas=1))
    space.wait_ready()
    kubectl("scale", f"{names.SHORT_NAME}/web", "--replicas=3")
    space.wait(lambda: replicas(space) == 3, "three replicas")
    space.wait_ready()
    scale_object = space.get(names.PLURAL, "web/scale")
    assert scale_object["status"]["replicas"] == 3
    assert len(space.items("pods", scale_object["status"]["selector"])) == 3


def test_an_autoscaler_owns_the_number(space: Space, audit: AuditLog) -> None:
    space.apply(autoscaled(2, replicas=7))
    space.wait(lambda: space.has("deployments"), "the Deployment")
    space.wait(lambda: replicas(space) == 2, "the autoscaler's floor to begin with")
    space.wait_ready()
    mark = audit.mark()
    scale(space, 4)
    space.wait(lambda: space.status().get("readyReplicas") == 4, "four pods in the status")
    space.wait_ready()
    assert replicas(space) == 4
    assert not writes_of_deployments(space, audit, mark)
    assert space.get(names.PLURAL)["spec"]["replicas"] == 7
    space.apply(autoscaled(2, replicas=7, app={"image": "example/web:2"}))
    space.wait_ready()
    assert replicas(space) == 4, "another change leaves the number alone"


def test_switching_the_autoscaler_on_and_off(space: Space) -> None:
    space.apply(app(replicas=4))
    space.wait_ready()
    space.apply(autoscaled(1, replicas=4))
    space.wait(lambda: space.has("horizontalpodautoscalers"), "the autoscaler")
    stays(lambda: replicas(space) == 4, 2, "the number stays what it was")
    scale(space, 5)
    space.wait_condition("Ready")
    space.apply(app(replicas=3))
    space.wait(lambda: replicas(space) == 3, "the number that the app asks for")
    space.wait(lambda: not space.has("horizontalpodautoscalers"), "the autoscaler's end")
    scale(space, 6)
    space.wait(lambda: replicas(space) == 3, "now it is ours again")


@pytest.mark.parametrize("scaling", [{"minReplicas": 2, "maxReplicas": 4}, {"maxReplicas": 4}], ids=["floor", "none"])
def test_an_autoscaler_does_not_begin_at_zero(space: Space, scaling: Object) -> None:
    """It would do nothing, for ever: at zero it is switched off."""
    least = scaling.get("minReplicas", 1)
    space.apply(app(replicas=0))
    space.wait_condition("Ready", reason="ScaledToZero")
    space.apply(app(replicas=0, autoscaling=scaling))
    space.wait(lambda: replicas(space) == least, "the autoscaler's floor")
    space.wait_condition("Ready", reason="Ready")
    space.apply(app("fresh", replicas=0, autoscaling=scaling))
    space.wait(lambda: replicas(space, "fresh") == least, "the floor of a fresh one")


def test_scaled_to_zero_and_back(space: Space) -> None:
    space.apply(app(replicas=0))
    space.wait_condition("Ready", reason="ScaledToZero")
    assert not space.has("poddisruptionbudgets")
    space.apply(app(replicas=2))
    space.wait_condition("Ready", reason="Ready")
    assert space.has("poddisruptionbudgets")
