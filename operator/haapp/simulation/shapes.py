"""What kube-scheduler looks at in a pod, read once from a pod or from the template of one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from haapp.placement.model import TEMPLATE_HASH_LABEL
from haapp.placement.selectors import selects
from haapp.simulation.requests import UNSTATED, Amounts, pod_requests

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"

Selector = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A pod (anti-)affinity term. `selector` is `None` where nothing is selected; `weight` is below 0 where a
    preference pushes away, 0 for a required term."""

    key: str
    selector: Selector | None
    namespaces: frozenset[str]
    everywhere: bool
    weight: int = 0

    def matches(self, pod: "Shape") -> bool:
        """Whether the term speaks of that pod."""
        there = self.everywhere or pod.namespace in self.namespaces
        return there and self.selector is not None and selects(self.selector, pod.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """A topology spread constraint; `honor_*` say whether nodes that the pod may not use are left out of account."""

    key: str
    max_skew: int
    required: bool
    min_domains: int
    selector: Selector | None
    honor_affinity: bool
    honor_taints: bool

    def counts(self, pod: "Shape") -> bool:
        """Whether a pod of the same namespace counts; an empty selector counts none."""
        return bool(self.selector) and self.matches(pod)

    def matches(self, pod: "Shape") -> bool:
        """Whether the selector selects the pod."""
        return self.selector is not None and selects(self.selector, pod.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A pod without a name. `requests` decides whether it fits, `weighed` (CPU, memory) where it fits best;
    `node_terms` are the required node affinity's, `None` where there is none."""

    namespace: str
    labels: Mapping[str, str]
    requests: Amounts
    weighed: Amounts
    node_selector: Mapping[str, str]
    node_terms: tuple[Mapping[str, Any], ...] | None
    node_preferences: tuple[tuple[int, Mapping[str, Any]], ...]
    tolerations: tuple[Mapping[str, Any], ...]
    constraints: tuple[Constraint, ...]
    affinity: tuple[Term, ...]
    anti_affinity: tuple[Term, ...]
    preferences: tuple[Term, ...]
    host_ports: frozenset[tuple[str, str, int]]


def shape_of(pod: Mapping[str, Any], namespace: str = "", template_hash: str = "") -> Shape:
    """The shape of a pod, or of a pod template in a namespace; a ReplicaSet adds `template_hash` as a label."""
    meta, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    where = meta.get("namespace") or namespace
    labels = {**(meta.get("labels") or {}), **({TEMPLATE_HASH_LABEL: template_hash} if template_hash else {})}
    affinity = spec.get("affinity") or {}
    nodes, near, apart = (affinity.get(kind) or {} for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity"))
    terms = nodes.get(REQUIRED)
    return Shape(
        namespace=where,
        labels=labels,
        requests=pod_requests(spec),
        weighed=pod_requests(spec, UNSTATED),
        node_selector=spec.get("nodeSelector") or {},
        node_terms=None if terms is None else tuple(terms.get("nodeSelectorTerms") or ()),
        node_preferences=tuple((int(it["weight"]), it["preference"]) for it in nodes.get(PREFERRED) or ()),
        tolerations=tuple(spec.get("tolerations") or ()),
        constraints=tuple(_constraint(it, labels) for it in spec.get("topologySpreadConstraints") or ()),
        affinity=tuple(_term(it, labels, where) for it in near.get(REQUIRED) or ()),
        anti_affinity=tuple(_term(it, labels, where) for it in apart.get(REQUIRED) or ()),
        preferences=(*_weighted(near, labels, where, 1), *_weighted(apart, labels, where, -1)),
        host_ports=frozenset(_host_ports(spec)),
    )


def presence(shape: Shape) -> str:
    """Equal for pods that mean the same to one that comes to their node; where they may be themselves is no matter."""
    terms = [
        (term.key, term.selector, sorted(term.namespaces), term.everywhere, term.weight)
        for term in (*shape.affinity, *shape.anti_affinity, *shape.preferences)
    ]
    amounts = sorted(shape.requests.items()), sorted(shape.weighed.items())
    return repr((shape.namespace, sorted(shape.labels.items()), amounts, terms, sorted(shape.host_ports)))


def _constraint(item: Mapping[str, Any], labels: Mapping[str, str]) -> Constraint:
    return Constraint(
        key=item["topologyKey"],
        max_skew=int(item["maxSkew"]),
        required=item["whenUnsatisfiable"] == "DoNotSchedule",
        min_domains=int(item.get("minDomains") or 1),
        selector=_narrowed(item.get("labelSelector"), labels, "In", item.get("matchLabelKeys")),
        honor_affinity=item.get("nodeAffinityPolicy", "Honor") == "Honor",
        honor_taints=item.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _weighted(part: Mapping[str, Any], labels: Mapping[str, str], namespace: str, sign: int) -> Iterator[Term]:
    for item in part.get(PREFERRED) or ():
        yield _term(item["podAffinityTerm"], labels, namespace, sign * int(item["weight"]))


def _term(item: Mapping[str, Any], labels: Mapping[str, str], namespace: str, weight: int = 0) -> Term:
    """Of a namespaceSelector only the empty one, which selects all, can be told without the namespaces' labels."""
    stated, selector = item.get("namespaces"), item.get("namespaceSelector")
    alike = _narrowed(item.get("labelSelector"), labels, "In", item.get("matchLabelKeys"))
    return Term(
        key=item["topologyKey"],
        selector=_narrowed(alike, labels, "NotIn", item.get("mismatchLabelKeys")),
        namespaces=frozenset(stated or ((namespace,) if selector is None else ())),
        everywhere=selector == {},
        weight=weight,
    )


def _narrowed(
    selector: Selector | None, labels: Mapping[str, str], operator: str, keys: Iterable[str] | None
) -> Selector | None:
    """A selector that also compares those labels with the pod's own, where the pod has them."""
    own = [{"key": key, "operator": operator, "values": [labels[key]]} for key in keys or () if key in labels]
    if selector is None or not own:
        return selector
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *own]}


def _host_ports(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    sidecars = (it for it in spec.get("initContainers") or () if it.get("restartPolicy") == "Always")
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port["containerPort"] if spec.get("hostNetwork") else 0)
            if number:
                yield port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", int(number)  # noqa: S104
