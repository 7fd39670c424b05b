"""What rendering takes besides the app, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from haapp.api.objects import Object

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
MONITORING_API: Final = "monitoring.coreos.com/v1"
ALL_OPTIONAL_APIS: Final = frozenset({GATEWAY_API, MONITORING_API})


@dataclass(frozen=True, slots=True)
class Environment:
    """What rendering has to know of the cluster; the defaults suit a current cluster with everything installed."""

    server_version: tuple[int, int] = (1, 37)
    """The API server's major and minor version."""
    apis: frozenset[str] = ALL_OPTIONAL_APIS
    """Those of `ALL_OPTIONAL_APIS` that the server has."""
    config_versions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """A fingerprint for each (kind, name) of `config_references`; one that is not here does not exist yet."""
    adopted_selector: Mapping[str, str] | None = None
    """The matchLabels of an adopted Deployment's selector, which cannot change any more."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What an app becomes."""

    objects: tuple[Object, ...]
    """The objects in the order in which to apply them; parts of them may be shared, so they are not to be changed."""
    notes: tuple[str, ...] = ()
    """What could not be rendered as asked for, one sentence each, for the condition's message."""
