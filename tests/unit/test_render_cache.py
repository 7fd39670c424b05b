"""The managed Redis, and how the app finds it."""

from typing import Any

import pytest
from tests.render_support import env_of, init_of, main_of, pick, pod_of, rendered

from haapp.api import names
from haapp.render import Environment, RenderError


def cache_of(spec: dict[str, Any]) -> Any:
    return pick(rendered(spec), "Deployment", "shop-cache")["spec"]


def redis_of(redis: dict[str, Any]) -> Any:
    return cache_of({"cache": {"redis": redis}})["template"]["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("zones", "replicas"),
    [
        ({}, 1),
        ({"zones": {}}, 1),
        ({"zones": {"minDomains": 3}}, 3),
        ({"zones": {"names": ["a", "b"]}}, 2),
        ({"zones": {"names": ["a", "b", "c"], "minDomains": 2}}, 2),
    ],
)
def test_there_is_one_cache_for_each_zone_asked_for(zones: dict[str, Any], replicas: int) -> None:
    assert cache_of({**zones, "cache": {"redis": {}}})["replicas"] == replicas


def test_the_stated_number_of_caches_wins() -> None:
    assert cache_of({"zones": {"minDomains": 3}, "cache": {"redis": {"replicas": 5}}})["replicas"] == 5


def test_redis_keeps_to_its_memory_and_writes_nothing_to_disk() -> None:
    container = redis_of({"maxMemory": "256Mi", "evictionPolicy": "volatile-ttl", "port": 7000, "image": "redis:8"})

    args = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
    assert args == {
        "--port": "7000",
        "--maxmemory": str(256 * 1024**2),
        "--maxmemory-policy": "volatile-ttl",
        "--save": "",
        "--appendonly": "no",
        "--protected-mode": "no",
    }
    assert container["image"] == "redis:8"
    assert container["ports"] == [{"name": "redis", "containerPort": 7000}]
    assert container["resources"]["limits"] == {"memory": "400Mi"}


def test_stated_resources_win() -> None:
    resources = {"limits": {"memory": "1Gi"}}

    assert redis_of({"resources": resources})["resources"] == resources


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("128Mi", 134217728), ("1.5G", 1500000000), ("1e6", 1000000), (1000, 1000), ("1500m", 2), ("2Ki", 2048)],
)
def test_a_quantity_becomes_bytes(quantity: str | int, expected: int) -> None:
    args = redis_of({"maxMemory": quantity})["args"]

    assert args[args.index("--maxmemory") + 1] == str(expected)


@pytest.mark.parametrize("quantity", ["-1Mi", "1e99"])
def test_a_memory_that_no_machine_has_is_refused(quantity: str) -> None:
    with pytest.raises(RenderError, match=r"spec\.cache\.redis\.maxMemory: .* write for example 128Mi"):
        redis_of({"maxMemory": quantity})


def test_the_cache_runs_where_the_app_may_run_and_waits_for_nobody() -> None:
    ssd = {"key": "disk", "operator": "In", "values": ["ssd"]}
    node_affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [ssd]}]}
    }
    pod = {
        "nodeSelector": {"pool": "web"},
        "tolerations": [{"key": "web", "operator": "Exists"}],
        "priorityClassName": "high",
        "imagePullSecrets": [{"name": "pull"}],
        "affinity": {"nodeAffinity": node_affinity},
    }
    zones = {"names": ["a"], "maxSkew": 2}
    template = cache_of({"zones": zones, "pod": pod, "cache": {"redis": {}}})["template"]["spec"]

    assert {key: template[key] for key in pod if key != "affinity"} == {k: v for k, v in pod.items() if k != "affinity"}
    assert list(template["affinity"]) == ["nodeAffinity"]
    terms = template["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [
        {"matchExpressions": [ssd, {"key": names.ZONE_KEY, "operator": "In", "values": ["a"]}]},
    ]
    zone, node = template["topologySpreadConstraints"]
    assert (zone["topologyKey"], zone["maxSkew"]) == (names.ZONE_KEY, 2)
    assert node["topologyKey"] == names.HOSTNAME_KEY
    for constraint in (zone, node):
        assert constraint["labelSelector"]["matchLabels"][names.LABEL_COMPONENT] == "cache"


def test_the_app_learns_where_its_cache_is() -> None:
    assert env_of(main_of({"cache": {"redis": {"port": 7000}}})) == {
        "REDIS_HOST": "shop-cache",
        "REDIS_PORT": "7000",
        "REDIS_URL": "redis://shop-cache:7000",
    }


def test_a_variable_that_the_user_sets_wins() -> None:
    own = {"name": "REDIS_URL", "value": "redis://$(REDIS_HOST):$(REDIS_PORT)/3"}
    variables = main_of({"cache": {"redis": {}}, "app": {"env": [own]}})["env"]

    assert [it["name"] for it in variables] == ["REDIS_HOST", "REDIS_PORT", "REDIS_URL"]
    assert variables[-1] == own


def test_nothing_is_made_for_a_cache_that_runs_already() -> None:
    spec = {"cache": {"selector": {"matchLabels": {"app": "redis"}}}}

    assert pick(rendered(spec), "Deployment", "shop-cache") is None
    assert pick(rendered(spec), "Service", "shop-cache") is None
    assert env_of(main_of(spec)) == {}


def test_in_the_pod_the_cache_is_a_native_sidecar() -> None:
    spec = {"cache": {"colocate": "Pod", "redis": {"port": 7000}}}
    (redis,) = init_of(spec)

    assert redis["name"] == "redis"
    assert redis["restartPolicy"] == "Always"
    assert redis["startupProbe"]["tcpSocket"] == {"port": 7000}
    assert env_of(main_of(spec))["REDIS_URL"] == "redis://localhost:7000"
    assert {"name": "haapp-cache-data", "emptyDir": {}} in pod_of(spec)["volumes"]
    assert "podAffinity" not in pod_of(spec)["affinity"]
    assert pick(rendered(spec), "Deployment", "shop-cache") is None
    assert pick(rendered(spec), "Service", "shop-cache") is None


@pytest.mark.parametrize(
    ("colocate", "version", "distribution"),
    [
        ("Node", (1, 35), "PreferSameNode"),
        ("Zone", (1, 35), "PreferSameZone"),
        ("Node", (1, 34), "PreferClose"),
        ("Zone", (1, 33), "PreferClose"),
        ("Node", (2, 0), "PreferSameNode"),
    ],
)
def test_the_near_endpoint_is_preferred_as_far_as_the_server_can(
    colocate: str, version: tuple[int, int], distribution: str
) -> None:
    result = rendered({"cache": {"colocate": colocate, "redis": {}}}, Environment(server_version=version))
    service = pick(result, "Service", "shop-cache")

    assert service["spec"]["trafficDistribution"] == distribution
    assert service["spec"]["selector"][names.LABEL_COMPONENT] == "cache"
    older = f"trafficDistribution PreferSame{colocate} needs Kubernetes 1.35; PreferClose is used"
    assert result.notes == ((older,) if distribution == "PreferClose" else ())
