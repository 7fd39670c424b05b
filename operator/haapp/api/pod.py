"""Sections of the spec on the pod as a whole: security and whatever else a PodSpec has."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from haapp.api.markers import Core, Labels, Limits, NotNegative, ObjectName
from haapp.api.objects import Object

_POD = "core.v1.PodSpec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """Least privilege: own ServiceAccount, no token, seccomp RuntimeDefault, all capabilities dropped."""

    profile: Literal["Restricted", "Baseline"] = "Restricted"
    """The Pod Security Standard that the pod keeps to."""
    run_as_user: NotNegative | None = None
    """The user id of all containers that do not state one."""
    run_as_group: NotNegative | None = None
    """The group id of all containers that do not state one."""
    fs_group: NotNegative | None = None
    """The group that owns the pod's volumes."""
    read_only_root_filesystem: bool | None = None
    """Whether containers that do not state it get a read-only root file system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodExtras:
    """Further parts of the pod, merged with what the operator makes and never in place of it."""

    labels: Labels = field(default_factory=dict)
    """Further labels of the pods."""
    annotations: Labels = field(default_factory=dict)
    """Further annotations of the pods."""
    volumes: Annotated[tuple[Object, ...], Core(_POD, "volumes"), Limits(max_items=128)] = ()
    """core/v1 Volumes."""
    image_pull_secrets: Annotated[tuple[Object, ...], Core(_POD, "imagePullSecrets")] = ()
    """core/v1 LocalObjectReferences of Secrets."""
    node_selector: Annotated[dict[str, str], Core(_POD, "nodeSelector")] = field(default_factory=dict)
    """Labels that a node must have."""
    tolerations: Annotated[tuple[Object, ...], Core(_POD, "tolerations")] = ()
    """core/v1 Tolerations."""
    affinity: Annotated[Object, Core(_POD, "affinity")] | None = None
    """core/v1 Affinity."""
    priority_class_name: ObjectName | None = None
    """The PriorityClass."""
    service_account_name: ObjectName | None = None
    """A ServiceAccount that exists, in place of the app's own."""
    termination_grace_period_seconds: Annotated[NotNegative | None, Core(_POD, "terminationGracePeriodSeconds")] = None
    """How long a pod may take to stop; rollout.drainSeconds is added."""
    runtime_class_name: ObjectName | None = None
    """The RuntimeClass."""
    host_aliases: Annotated[tuple[Object, ...], Core(_POD, "hostAliases")] = ()
    """core/v1 HostAliases."""
    dns_config: Annotated[Object, Core(_POD, "dnsConfig")] | None = None
    """core/v1 PodDNSConfig."""
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] | None = None
    """core/v1 DNSPolicy."""
