"""Rules on names, zones, nodes, the cache, the disruption budget, rollouts and autoscaling."""

import re
from typing import Any, Final

from haapp.api import names
from haapp.api.rule import Rule, at_most_one, dig

NAME_PATTERN: Final = "^[a-z]([-a-z0-9]*[a-z0-9])?$"


def _max_skew(at: str, instead: str) -> Rule:
    return Rule(
        at,
        "maxSkew",
        f"maxSkew is the largest difference allowed and at least 1: {instead}",
        "self.maxSkew >= 1",
        lambda it: bool(it["maxSkew"] >= 1),
    )


def _min_domains(at: str) -> Rule:
    return Rule(
        at,
        "minDomains",
        "minDomains has no effect with whenUnsatisfiable: ScheduleAnyway: write DoNotSchedule, or leave minDomains out",
        "!has(self.minDomains) || self.whenUnsatisfiable != 'ScheduleAnyway'",
        lambda it: "minDomains" not in it or it["whenUnsatisfiable"] != "ScheduleAnyway",
    )


def _is_service_name(name: str) -> bool:
    return re.fullmatch(NAME_PATTERN.removesuffix("$"), name, re.ASCII) is not None


def _has_own_redis(app: Any) -> bool:
    return dig(app, "spec", "cache", "redis") is not None and app["spec"]["cache"]["colocate"] != "Pod"


def _is_zero(value: Any) -> bool:
    return value == 0 or (isinstance(value, str) and not value.strip("0%"))


def _is_zero_cel(value: str) -> str:
    return f"type({value}) == int ? {value} == 0 : {value}.matches('^0+%$')"


NAMES: Final = (
    Rule(
        "",
        "",
        "metadata.name becomes the name of a Service: write lower-case letters, digits and '-', with a letter first "
        "and a letter or digit last",
        f"self.metadata.name.matches('{NAME_PATTERN}')",
        lambda app: _is_service_name(app["metadata"]["name"]),
    ),
    Rule(
        "",
        "",
        f"metadata.name is too long for the Service and the label that get it: write at most {names.MAX_APP_NAME} "
        "characters",
        f"size(self.metadata.name) <= {names.MAX_APP_NAME}",
        lambda app: len(app["metadata"]["name"]) <= names.MAX_APP_NAME,
    ),
    Rule(
        "",
        "",
        f"metadata.name is too long for the cache's Service, <name>{names.CACHE_SUFFIX}: with cache.redis write at "
        f"most {names.MAX_APP_NAME_WITH_CACHE} characters",
        f"size(self.metadata.name) <= {names.MAX_APP_NAME_WITH_CACHE} || !has(self.spec.cache) || "
        "!has(self.spec.cache.redis) || self.spec.cache.colocate == 'Pod'",
        lambda app: len(app["metadata"]["name"]) <= names.MAX_APP_NAME_WITH_CACHE or not _has_own_redis(app),
    ),
)

SPREAD: Final = (
    _max_skew("spec.zones", "for the most equal spread write maxSkew: 1 with whenUnsatisfiable: DoNotSchedule"),
    _min_domains("spec.zones"),
    Rule(
        "spec.zones",
        "minDomains",
        "fewer zones are named than minDomains asks for: write more names, or a smaller minDomains",
        "!has(self.minDomains) || !has(self.names) || size(self.names) == 0 || size(self.names) >= self.minDomains",
        lambda it: not it.get("names") or len(it["names"]) >= it.get("minDomains", 0),
    ),
    _max_skew("spec.nodes", "for the most equal spread write maxSkew: 1 with whenUnsatisfiable: DoNotSchedule"),
    _max_skew("spec.spread[]", "for the most equal spread write maxSkew: 1 with whenUnsatisfiable: DoNotSchedule"),
    _min_domains("spec.spread[]"),
    Rule(
        "spec.spread[]",
        "topologyKey",
        "zones and nodes have sections of their own: write spec.zones or spec.nodes instead",
        f"!(self.topologyKey in ['{names.ZONE_KEY}', '{names.HOSTNAME_KEY}'])",
        lambda it: it["topologyKey"] not in (names.ZONE_KEY, names.HOSTNAME_KEY),
    ),
)

CACHE: Final = (
    at_most_one(
        "spec.cache",
        ("selector", "redis"),
        "write either selector (a cache that runs already) or redis (the operator runs one), not both",
    ),
    Rule(
        "spec.cache",
        "",
        "write selector (a cache that runs already) or redis: {} (the operator runs one)",
        "has(self.selector) || has(self.redis)",
        lambda it: "selector" in it or "redis" in it,
    ),
    Rule(
        "spec.cache",
        "colocate",
        "a cache in the pod itself is one that the operator runs: write redis instead of selector, or colocate: Node",
        "self.colocate != 'Pod' || !has(self.selector)",
        lambda it: it["colocate"] != "Pod" or "selector" not in it,
    ),
    Rule(
        "spec.cache",
        "redis.replicas",
        "with colocate: Pod each pod has its own Redis: leave redis.replicas out",
        "self.colocate != 'Pod' || !has(self.redis) || !has(self.redis.replicas)",
        lambda it: it["colocate"] != "Pod" or dig(it, "redis", "replicas") is None,
    ),
)

CHANGE: Final = (
    at_most_one(
        "spec.disruptionBudget",
        ("minAvailable", "maxUnavailable"),
        "write either minAvailable or maxUnavailable, not both",
    ),
    Rule(
        "spec.rollout",
        "progressDeadlineSeconds",
        "onFailure: Rollback needs a time after which a rollout has failed: write progressDeadlineSeconds, e.g. 600",
        "self.onFailure != 'Rollback' || (has(self.progressDeadlineSeconds) && self.progressDeadlineSeconds > 0)",
        lambda it: it["onFailure"] != "Rollback" or it.get("progressDeadlineSeconds", 0) > 0,
    ),
    Rule(
        "spec.rollout",
        "progressDeadlineSeconds",
        "a rollout cannot succeed before a pod has been ready for minReadySeconds: write a larger "
        "progressDeadlineSeconds, or 0 for no limit",
        "self.progressDeadlineSeconds == 0 || self.progressDeadlineSeconds > self.minReadySeconds",
        lambda it: it["progressDeadlineSeconds"] == 0 or it["progressDeadlineSeconds"] > it["minReadySeconds"],
    ),
    Rule(
        "spec.rollout",
        "maxUnavailable",
        "with maxSurge and maxUnavailable both 0 no pod can be replaced: write maxSurge: 1",
        f"!({_is_zero_cel('self.maxSurge')}) || !({_is_zero_cel('self.maxUnavailable')})",
        lambda it: not (_is_zero(it["maxSurge"]) and _is_zero(it["maxUnavailable"])),
    ),
    Rule(
        "spec.autoscaling",
        "minReplicas",
        "minReplicas is larger than maxReplicas: write a smaller minReplicas or a larger maxReplicas",
        "!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
        lambda it: it.get("minReplicas", 0) <= it["maxReplicas"],
    ),
)

RULES: Final = (*NAMES, *SPREAD, *CACHE, *CHANGE)
