"""Spread over zones, nodes and further levels; affinities; all merged with what the user wrote."""

from typing import Any

import pytest
from tests.render_support import pick, pod_of, rendered

from haapp.api import names

OWN = {names.LABEL_NAME: "shop", names.LABEL_COMPONENT: "app"}
CACHE = {names.LABEL_NAME: "shop", names.LABEL_COMPONENT: "cache"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
IN_ZONES = {"key": names.ZONE_KEY, "operator": "In", "values": ["a", "b"]}


def constraint(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "labelSelector": {"matchLabels": OWN},
        "matchLabelKeys": ["pod-template-hash"],
        "nodeAffinityPolicy": "Honor",
        "nodeTaintsPolicy": "Honor",
        **fields,
    }


def spread_of(spec: dict[str, Any]) -> list[Any]:
    return list(pod_of(spec)["topologySpreadConstraints"])


def test_without_zones_the_app_is_still_spread_over_them() -> None:
    assert spread_of({}) == [
        constraint(names.ZONE_KEY, whenUnsatisfiable="ScheduleAnyway"),
        constraint(names.HOSTNAME_KEY, whenUnsatisfiable="ScheduleAnyway"),
    ]


def test_zones_and_nodes_as_asked_for() -> None:
    spec = {"zones": {"minDomains": 3, "maxSkew": 2}, "nodes": {"maxSkew": 4, "whenUnsatisfiable": "DoNotSchedule"}}

    assert spread_of(spec) == [
        constraint(names.ZONE_KEY, whenUnsatisfiable="DoNotSchedule", maxSkew=2, minDomains=3),
        constraint(names.HOSTNAME_KEY, whenUnsatisfiable="DoNotSchedule", maxSkew=4),
    ]


def test_a_further_level_keeps_what_it_says_and_finds_the_apps_own_pods() -> None:
    region = {"topologyKey": "topology.kubernetes.io/region", "maxSkew": 3, "whenUnsatisfiable": "ScheduleAnyway"}
    other = {**region, "topologyKey": "rack", "labelSelector": {"matchLabels": {"tier": "web"}}}

    policies = {"nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Honor"}
    own = {"labelSelector": {"matchLabels": OWN}, "matchLabelKeys": ["pod-template-hash"]}
    assert spread_of({"spread": [region, other]})[2:] == [{**region, **own, **policies}, {**other, **policies}]


def test_what_a_further_level_says_of_itself_stays() -> None:
    stated = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/region",
        "whenUnsatisfiable": "ScheduleAnyway",
        "matchLabelKeys": ["track"],
        "nodeTaintsPolicy": "Ignore",
    }
    assert spread_of({"spread": [stated]})[2].items() >= stated.items()


@pytest.mark.parametrize("strength", ["Required", "Preferred"])
def test_pods_of_one_revision_keep_apart_by_node(strength: str) -> None:
    affinity = pod_of({"nodes": {"antiAffinity": strength}})["affinity"]["podAntiAffinity"]

    term = {
        "labelSelector": {"matchLabels": OWN},
        "matchLabelKeys": ["pod-template-hash"],
        "topologyKey": names.HOSTNAME_KEY,
    }
    expected = {REQUIRED: [term]} if strength == "Required" else {PREFERRED: [{"weight": 100, "podAffinityTerm": term}]}
    assert affinity == expected


def test_without_anti_affinity_there_is_none() -> None:
    assert "affinity" not in pod_of({"nodes": {"antiAffinity": "None"}})


def test_named_zones_go_into_each_alternative_of_the_users_node_affinity() -> None:
    ssd = {"key": "disk", "operator": "In", "values": ["ssd"]}
    terms = [
        {"matchExpressions": [ssd]},
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]},
    ]
    preferred = [{"weight": 1, "preference": {"matchExpressions": [ssd]}}]
    theirs = {REQUIRED: {"nodeSelectorTerms": [*terms, {}]}, PREFERRED: preferred}
    spec = {"zones": {"names": ["a", "b"]}, "pod": {"affinity": {"nodeAffinity": theirs}}}

    assert pod_of(spec)["affinity"]["nodeAffinity"] == {
        REQUIRED: {
            "nodeSelectorTerms": [
                {"matchExpressions": [ssd, IN_ZONES]},
                {**terms[1], "matchExpressions": [IN_ZONES]},
                {},
            ]
        },
        PREFERRED: preferred,
    }


def test_named_zones_alone() -> None:
    affinity = pod_of({"zones": {"names": ["a", "b"]}})["affinity"]["nodeAffinity"]

    assert affinity == {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [IN_ZONES]}]}}


@pytest.mark.parametrize(("colocate", "key"), [("Node", names.HOSTNAME_KEY), ("Zone", names.ZONE_KEY)])
@pytest.mark.parametrize("when", ["DoNotSchedule", "ScheduleAnyway"])
def test_the_app_runs_near_its_cache(colocate: str, key: str, when: str) -> None:
    spec = {"cache": {"colocate": colocate, "whenUnsatisfiable": when, "redis": {}}}

    term = {"labelSelector": {"matchLabels": CACHE}, "topologyKey": key}
    expected = (
        {REQUIRED: [term]} if when == "DoNotSchedule" else {PREFERRED: [{"weight": 100, "podAffinityTerm": term}]}
    )
    assert pod_of(spec)["affinity"]["podAffinity"] == expected


def test_affinity_to_a_cache_that_runs_already_stands_beside_the_users() -> None:
    selector = {
        "matchExpressions": [
            {"key": "app", "operator": "In", "values": ["redis"]},
            {"key": "role", "operator": "In", "values": ["cache"]},
        ]
    }
    monitoring = {
        "weight": 100,
        "podAffinityTerm": {
            "labelSelector": {"matchLabels": {"app": "monitoring"}},
            "topologyKey": names.HOSTNAME_KEY,
        },
    }
    required = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": names.ZONE_KEY}
    spec = {
        "cache": {"selector": selector, "whenUnsatisfiable": "DoNotSchedule"},
        "pod": {"affinity": {"podAffinity": {REQUIRED: [required], PREFERRED: [monitoring]}}},
    }

    assert pod_of(spec)["affinity"]["podAffinity"] == {
        REQUIRED: [required, {"labelSelector": selector, "topologyKey": names.HOSTNAME_KEY}],
        PREFERRED: [monitoring],
    }


def test_the_users_anti_affinity_stays() -> None:
    term = {"labelSelector": {"matchLabels": {"app": "noisy"}}, "topologyKey": names.HOSTNAME_KEY}
    affinity = pod_of({"pod": {"affinity": {"podAntiAffinity": {REQUIRED: [term]}}}})["affinity"]["podAntiAffinity"]

    assert affinity[REQUIRED] == [term]
    assert len(affinity[PREFERRED]) == 1


def test_neither_the_apps_nor_the_caches_pods_match_the_others_selector() -> None:
    result = rendered({"cache": {"redis": {}}})
    app, cache = pick(result, "Deployment", "shop"), pick(result, "Deployment", "shop-cache")

    for one, other in ((app, cache), (cache, app)):
        wanted = one["spec"]["selector"]["matchLabels"].items()
        assert wanted <= one["spec"]["template"]["metadata"]["labels"].items()
        assert not wanted <= other["spec"]["template"]["metadata"]["labels"].items()
