"""Rules on what is in the pod: containers, probes, files, security, and what the user adds."""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

from haapp.api import names
from haapp.api.rule import Rule, dig, exactly_one, has

PRIVILEGED: Final = ("securityContext", "privileged")


def _unique(at: str, what: str) -> Rule:
    return Rule(
        at,
        "",
        f"two {what} have the same name: rename one",
        "self.all(one, self.exists_one(other, other.name == one.name))",
        lambda it: len({one["name"] for one in it}) == len(it),
    )


def _others(spec: Any) -> Iterable[str]:
    return (one["name"] for one in chain(spec.get("initSteps", ()), spec.get("sidecars", ())))


def _names_differ(spec: Any) -> bool:
    steps = {one["name"] for one in spec.get("initSteps", ())}
    sidecars = {one["name"] for one in spec.get("sidecars", ())}
    return not steps & sidecars and spec["app"]["name"] not in steps | sidecars


def _any_entry(condition: str, *lists: str) -> str:
    return " || ".join(f"(has(self.{name}) && self.{name}.exists(one, {condition}))" for name in lists)


def _reserved(container: str, cel: str, part: str, used: Any) -> Rule:
    same = _any_entry(f"one.name == '{container}'", "initSteps", "sidecars")
    return Rule(
        "spec",
        "",
        f"{container} is the name of the container that {part} adds: give yours another name",
        f"!({cel}) || !(self.app.name == '{container}' || {same})",
        lambda spec: not used(spec) or container not in {spec["app"]["name"], *_others(spec)},
    )


def _privileged(spec: Any) -> bool:
    containers = chain([spec["app"]], spec.get("initSteps", ()), spec.get("sidecars", ()))
    return any(dig(one, *PRIVILEGED) for one in chain(containers, filter(None, [spec.get("logSidecar")])))


def _privileged_cel(of: str) -> str:
    return f"({has(*PRIVILEGED, of=of)} && {of}.securityContext.privileged)"


def _no_own_label(pod: Any) -> bool:
    return not any(label in pod.get("labels", {}) for label in names.OWN_LABELS)


CONTAINERS: Final = (
    _unique("spec.initSteps", "init steps"),
    _unique("spec.sidecars", "sidecars"),
    Rule(
        "spec",
        "",
        "the app, init steps and sidecars share one pod, and two of them have the same name: rename one",
        f"!({_any_entry('one.name == self.app.name', 'initSteps', 'sidecars')}) && !(has(self.initSteps) && "
        "has(self.sidecars) && self.initSteps.exists(one, self.sidecars.exists(other, other.name == one.name)))",
        _names_differ,
    ),
    _reserved(names.SHIPPER_CONTAINER, "has(self.logSidecar)", "logSidecar", lambda spec: "logSidecar" in spec),
    _reserved(
        names.REDIS_CONTAINER,
        "has(self.cache) && has(self.cache.redis) && self.cache.colocate == 'Pod'",
        "cache.colocate: Pod",
        lambda spec: dig(spec, "cache", "redis") is not None and spec["cache"]["colocate"] == "Pod",
    ),
    Rule(
        "spec.initSteps[]",
        "script",
        "script is run by a shell of its own: leave command and args out, or leave script out",
        "!has(self.script) || (!has(self.command) && !has(self.args))",
        lambda it: "script" not in it or not it.keys() & {"command", "args"},
    ),
    Rule(
        "spec.initSteps[]",
        "restartPolicy",
        "a step runs to completion: leave restartPolicy out, or write a container that goes on running under sidecars",
        "!has(self.restartPolicy)",
        lambda it: "restartPolicy" not in it,
    ),
    Rule(
        "spec.initSteps[]",
        "",
        "a step runs to completion and is not probed: leave out livenessProbe, readinessProbe, startupProbe, lifecycle",
        "!has(self.livenessProbe) && !has(self.readinessProbe) && !has(self.startupProbe) && !has(self.lifecycle)",
        lambda it: not it.keys() & {"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"},
    ),
    Rule(
        "spec.sidecars[]",
        "restartPolicy",
        "a sidecar runs as long as the pod does: leave restartPolicy out",
        "!has(self.restartPolicy) || self.restartPolicy == 'Always'",
        lambda it: it.get("restartPolicy", "Always") == "Always",
    ),
    Rule(
        "spec.sidecars[]",
        "listen",
        "listen is for an ambassador: write pattern: ambassador, or leave listen out",
        "!has(self.listen) || self.pattern == 'ambassador'",
        lambda it: "listen" not in it or it["pattern"] == "ambassador",
    ),
    Rule(
        "spec.sidecars[]",
        "metrics",
        "metrics is for an adapter: write pattern: adapter, or leave metrics out",
        "!has(self.metrics) || self.pattern == 'adapter'",
        lambda it: "metrics" not in it or it["pattern"] == "adapter",
    ),
    Rule(
        "spec.sidecars[]",
        "name",
        f"the name is too long for the volume that carries config, {names.CONFIG_VOLUME_PREFIX}<name>: write at most "
        f"{names.MAX_SIDECAR_NAME_WITH_CONFIG} characters",
        f"!has(self.config) || size(self.name) <= {names.MAX_SIDECAR_NAME_WITH_CONFIG}",
        lambda it: "config" not in it or len(it["name"]) <= names.MAX_SIDECAR_NAME_WITH_CONFIG,
    ),
)


def _files(at: str) -> tuple[Rule, Rule]:
    return (
        exactly_one(
            at,
            ("files", "configMapName"),
            "write either files (name to text) or configMapName (a ConfigMap that exists)",
        ),
        Rule(
            at,
            "files",
            "a file's name has at most 253 letters, digits, '-', '_' and '.', and no folder: write another name",
            "!has(self.files) || self.files.all(name, name.matches('^[-._a-zA-Z0-9]{1,253}$'))",
            lambda it: all(re.fullmatch("[-._a-zA-Z0-9]{1,253}", name) for name in it.get("files", ())),
        ),
    )


FILES: Final = (*_files("spec.sidecars[].config"), *_files("spec.logSidecar.config"))

SECURITY: Final = (
    Rule(
        "spec",
        "security.profile",
        "a privileged container is not possible with the Restricted profile: leave privileged out, or write "
        "security.profile: Baseline",
        "self.security.profile != 'Restricted' || "
        f"!({_privileged_cel('self.app')} || {_any_entry(_privileged_cel('one'), 'initSteps', 'sidecars')} || "
        f"(has(self.logSidecar) && {_privileged_cel('self.logSidecar')}))",
        lambda spec: spec["security"]["profile"] != "Restricted" or not _privileged(spec),
    ),
    Rule(
        "spec.security",
        "runAsUser",
        "the Restricted profile does not let the app run as root: write another runAsUser, or profile: Baseline",
        "self.profile != 'Restricted' || !has(self.runAsUser) || self.runAsUser > 0",
        lambda it: it["profile"] != "Restricted" or it.get("runAsUser", 1) > 0,
    ),
)

EXTRAS: Final = (
    Rule(
        "spec.pod",
        "labels",
        f"the labels {', '.join(names.OWN_LABELS)} are the operator's: leave them out",
        f"!has(self.labels) || !{list(names.OWN_LABELS)}.exists(label, label in self.labels)",
        _no_own_label,
    ),
    Rule(
        "spec.pod",
        "annotations",
        f"annotations that begin with {names.ANNOTATION_PREFIX} are the operator's: leave them out",
        f"!has(self.annotations) || !self.annotations.exists(key, key.startsWith('{names.ANNOTATION_PREFIX}'))",
        lambda it: not any(key.startswith(names.ANNOTATION_PREFIX) for key in it.get("annotations", ())),
    ),
    Rule(
        "spec.pod",
        "volumes",
        f"volumes whose names begin with {names.VOLUME_PREFIX} are the operator's: give yours another name",
        f"!has(self.volumes) || !self.volumes.exists(one, one.name.startsWith('{names.VOLUME_PREFIX}'))",
        lambda it: not any(one["name"].startswith(names.VOLUME_PREFIX) for one in it.get("volumes", ())),
    ),
)

RULES: Final = (*CONTAINERS, *FILES, *SECURITY, *EXTRAS)
