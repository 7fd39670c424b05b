"""Sections of the spec on what runs in a pod: probes, init steps, sidecars."""

from dataclasses import dataclass
from typing import Annotated, Literal

from haapp.api.markers import (
    AbsolutePath,
    ContainerFields,
    EnvName,
    Limits,
    Name,
    ObjectName,
    Port,
    Probe,
    Seconds,
)
from haapp.api.objects import Object

Files = Annotated[dict[str, str], Limits(max_properties=32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """Probes of the main container."""

    liveness: Probe | None = None
    """core/v1 Probe: the container is restarted when it fails."""
    readiness: Probe | None = None
    """core/v1 Probe: the pod is out of the Service until it succeeds."""
    startup: Probe | None = None
    """core/v1 Probe: liveness and readiness wait for it."""
    start_within: Seconds | None = None
    """How long a start may take, e.g. 5m: sets the startup probe's failureThreshold. Without a startup probe it asks
    the liveness probe's handler, else the readiness probe's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitStep:
    """A container that runs to completion before the app: a core/v1 Container plus `script`."""

    name: Name
    """The step's name; no other container of the pod has it."""
    container: Annotated[Object, ContainerFields()]
    script: Annotated[str, Limits(min_length=1, max_length=65536)] | None = None
    """A shell text, run with /bin/sh -ec in place of command and args."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Configuration files of a sidecar: `files` written here, or those of a ConfigMap that exists."""

    mount_path: AbsolutePath
    """The folder in the container where the files appear."""
    files: Files | None = None
    """File name to text. A change rolls the pods."""
    config_map_name: ObjectName | None = None
    """A ConfigMap of the same namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where an ambassador listens, and how the app gets to know."""

    port: Port
    """The port on localhost."""
    host_env: EnvName | None = None
    """The variable of the app that is set to localhost."""
    port_env: EnvName | None = None
    """The variable of the app that is set to the port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterMetrics:
    """Where an adapter serves metrics."""

    port: Port
    """The port; it is on the Service and in the scrape annotations."""
    path: AbsolutePath = "/metrics"
    """The HTTP path."""


Pattern = Literal["sidecar", "ambassador", "adapter"]
Start = Literal["BeforeInitSteps", "BeforeApp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """A native sidecar beside the app: a core/v1 Container plus `pattern`, `config`, `listen`, `metrics`, `start`."""

    name: Name
    """The sidecar's name; no other container of the pod has it."""
    container: Annotated[Object, ContainerFields()]
    pattern: Pattern = "sidecar"
    """What it is for: an ambassador stands between the app and something outside, an adapter puts the app's output
    into a standard form."""
    config: Config | None = None
    """Its configuration files."""
    listen: Listen | None = None
    """Of an ambassador: where the app reaches it."""
    metrics: AdapterMetrics | None = None
    """Of an adapter: where it serves metrics."""
    start: Start | None = None
    """When it starts: BeforeInitSteps (where an ambassador starts unless this says otherwise, for a step may need what
    is behind it) or BeforeApp (all others, so that a step can prepare their files)."""

    def __post_init__(self) -> None:
        """Fill `start`, which depends on `pattern`: it is never None afterwards."""
        if self.start is None:
            object.__setattr__(self, "start", "BeforeInitSteps" if self.pattern == "ambassador" else "BeforeApp")
