"""What all objects have in common: labels, owner, hash, order."""

import json
from typing import Any

import pytest
from tests.render_support import app_of, deployment_of, pick, pod_of, rendered

from haapp.api import names
from haapp.render import Environment, RenderError, render
from haapp.render.metadata import digest

FULL: dict[str, Any] = {
    "zones": {"minDomains": 3},
    "cache": {"redis": {}},
    "logSidecar": {"directory": "/var/log/shop", "sources": [{"path": "a.log"}], "output": {"stdout": {}}},
    "sidecars": [{"name": "proxy", "image": "p", "config": {"mountPath": "/etc/p", "files": {"a": "b"}}}],
    "autoscaling": {"maxReplicas": 9},
    "ingress": {},
    "route": {"parentRefs": [{"name": "gate"}]},
    "monitoring": {"port": "http", "podMonitor": True},
    "networkPolicy": {"from": []},
}


def test_objects_come_in_an_order_that_works_the_first_time() -> None:
    kinds = [(it["kind"], it["metadata"]["name"]) for it in rendered(FULL).objects]

    assert kinds == [
        ("ServiceAccount", "shop"),
        ("ConfigMap", "shop-log-shipper-config"),
        ("ConfigMap", "shop-proxy-config"),
        ("Service", "shop"),
        ("Service", "shop-cache"),
        ("Deployment", "shop-cache"),
        ("NetworkPolicy", "shop"),
        ("Deployment", "shop"),
        ("PodDisruptionBudget", "shop"),
        ("HorizontalPodAutoscaler", "shop"),
        ("Ingress", "shop"),
        ("HTTPRoute", "shop"),
        ("PodMonitor", "shop"),
    ]


def test_every_object_belongs_to_the_app() -> None:
    for desired in render(app_of(FULL, uid="u-1")).objects:
        meta = desired["metadata"]
        assert meta["namespace"] == "store"
        assert meta["labels"][names.LABEL_NAME] == "shop"
        assert meta["labels"][names.LABEL_INSTANCE] == "shop.HA"
        assert meta["labels"][names.LABEL_PART_OF] == "shop"
        assert meta["labels"][names.LABEL_MANAGED_BY] == "ha-operator"
        assert meta["labels"][names.LABEL_COMPONENT] == ("cache" if meta["name"] == "shop-cache" else "app")
        assert meta["ownerReferences"] == [
            {
                "apiVersion": "highavailability.dev/v1alpha1",
                "kind": "HighAvailabilityApp",
                "name": "shop",
                "uid": "u-1",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]


def test_a_file_has_no_owner_to_refer_to() -> None:
    assert all("ownerReferences" not in it["metadata"] for it in rendered(FULL).objects)


def test_equal_input_gives_equal_bytes() -> None:
    assert json.dumps(rendered(FULL).objects) == json.dumps(rendered(json.loads(json.dumps(FULL))).objects)


def test_the_hash_changes_with_the_object_and_only_with_it() -> None:
    before, after = rendered({}), rendered({"replicas": 4})

    def hash_of(result: Any, kind: str) -> str:
        return str(pick(result, kind)["metadata"]["annotations"][names.HASH_ANNOTATION])

    assert hash_of(before, "Deployment") != hash_of(after, "Deployment")
    assert hash_of(before, "Service") == hash_of(after, "Service")
    assert len(hash_of(before, "Service")) == 16


@pytest.mark.parametrize("value", [1, "ü", 10**25, None, [{}]])
def test_a_hash_tells_values_apart_and_not_their_order(value: Any) -> None:
    assert digest({"a": value, "b": 2}) == digest({"b": 2, "a": value})
    assert digest({"a": value, "b": 2}) != digest({"a": [value], "b": 2})


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ({"b": [1, None], "a": "x"}, "a8d71f64d3dc772b"),
        ({"b": "ü", "a": 0.5}, "e194c50b526e3de8"),
        ([10**25], "d5a45eb843b3bf3f"),
    ],
)
def test_a_hash_stays_what_it_is_from_version_to_version(value: Any, digits: str) -> None:
    """Another one for the same value would write every object anew, and roll the pods that have configuration."""
    assert digest(value) == digits


def test_an_adopted_deployment_keeps_its_selector_and_its_pods_have_it() -> None:
    environment = Environment(adopted_selector={"app": "old", names.LABEL_NAME: "chart"})
    deployment = deployment_of({}, environment)

    assert deployment["spec"]["selector"]["matchLabels"] == {"app": "old", names.LABEL_NAME: "chart"}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels["app"] == "old"
    assert labels[names.LABEL_NAME] == "chart"
    assert labels[names.LABEL_COMPONENT] == "app"
    result = rendered({}, environment)
    assert pick(result, "Service")["spec"]["selector"]["app"] == "old"
    assert pick(result, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]["app"] == "old"
    for constraint in pod_of({}, environment)["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"]["app"] == "old"


def test_a_label_that_would_hide_pods_from_an_adopted_selector_is_refused() -> None:
    with pytest.raises(RenderError, match=r"spec\.pod\.labels\[app\].*'old'.*leave it out"):
        deployment_of({"pod": {"labels": {"app": "new"}}}, Environment(adopted_selector={"app": "old"}))


@pytest.mark.parametrize("section", ["service", "ingress"])
def test_the_operators_own_annotations_cannot_be_set(section: str) -> None:
    with pytest.raises(RenderError, match=rf"spec\.{section}\.annotations.*leave it out"):
        rendered({section: {"annotations": {names.HASH_ANNOTATION: "0"}}})
