"""What keeps pods of one app out of each other's node or zone altogether: at most one of them per domain."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from haapp.api import names
from haapp.api.app import App
from haapp.placement.model import TEMPLATE_HASH_LABEL
from haapp.placement.selectors import selects

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """At most one pod for each domain of `key`; `per_revision` says that pods of another revision may be there too, so
    that a rollout has room. `field` is where it comes from."""

    field: str
    key: str
    per_revision: bool


def exclusions(app: App) -> tuple[Exclusion, ...]:
    """From `nodes.antiAffinity: Required`, the user's own required anti-affinity, and host ports."""
    return tuple(_exclusions(app))


def _exclusions(app: App) -> Iterator[Exclusion]:
    if app.spec.nodes.anti_affinity == "Required":
        yield Exclusion("spec.nodes.antiAffinity", names.HOSTNAME_KEY, per_revision=True)
    anti_affinity = (app.spec.pod.affinity or {}).get("podAntiAffinity") or {}
    for index, term in enumerate(anti_affinity.get(_REQUIRED) or ()):
        if _selects_own(app, term):
            field = f"spec.pod.affinity.podAntiAffinity.{_REQUIRED}[{index}]"
            per_revision = TEMPLATE_HASH_LABEL in (term.get("matchLabelKeys") or ())
            yield Exclusion(field, str(term.get("topologyKey")), per_revision)
    containers = (app.spec.app, *(sidecar.container for sidecar in app.spec.sidecars))
    if any(port.get("hostPort") for port in _ports(containers)):
        yield Exclusion("spec.app.ports[].hostPort", names.HOSTNAME_KEY, per_revision=False)


def _selects_own(app: App, term: Mapping[str, Any]) -> bool:
    selector, namespaces = term.get("labelSelector"), term.get("namespaces")
    elsewhere = namespaces and app.namespace not in namespaces and term.get("namespaceSelector") is None
    return selector is not None and not elsewhere and selects(selector, own_labels(app))


def own_labels(app: App) -> dict[str, str]:
    """The labels of the app's pods, without the template hash."""
    return {
        **app.spec.pod.labels,
        names.LABEL_NAME: app.name,
        names.LABEL_INSTANCE: names.instance(app.name),
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_COMPONENT: names.COMPONENT_APP,
        names.LABEL_PART_OF: app.name,
    }


def _ports(containers: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (port for container in containers for port in container.get("ports") or ())
