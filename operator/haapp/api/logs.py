"""The spec's section on log shipping."""

from dataclasses import dataclass
from typing import Annotated, Literal

from haapp.api.markers import (
    AbsolutePath,
    Env,
    Image,
    Limits,
    ObjectName,
    Port,
    Quantity,
    Resources,
    SecurityContext,
    Text,
)
from haapp.api.workload import Files

Url = Annotated[str, Limits(max_length=2048, pattern="^https?://[^\\s]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A log file and how it reads."""

    path: Annotated[str, Limits(min_length=1, max_length=1024, pattern="^[^/]")]
    """The file or glob, relative to the log directory."""
    format: Literal["nginx", "apache", "json", "regex", "none"] = "none"
    """How a line reads; `none` ships lines as they are."""
    expression: Annotated[str, Limits(min_length=1, max_length=4096)] | None = None
    """With format regex: a regular expression with named groups."""
    tag: Annotated[str, Limits(min_length=1, max_length=253)] | None = None
    """The tag of the records; made from the path unless given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elasticsearch:
    """Ship to Elasticsearch."""

    host: Text
    """The host; `${NAME}` stands for that variable of `env`."""
    port: Port = 9200
    """The port."""
    index: Text | None = None
    """The index; the app's name unless given."""
    tls: bool = False
    """Speak TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loki:
    """Ship to Grafana Loki."""

    host: Text
    """The host; `${NAME}` stands for that variable of `env`."""
    port: Port = 3100
    """The port."""
    labels: dict[str, str] | None = None
    """Labels of the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Ship by HTTP POST."""

    url: Url
    """The address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stdout:
    """Write to the shipper's own standard output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where logs go: exactly one of these."""

    elasticsearch: Elasticsearch | None = None
    """Ship to Elasticsearch."""
    loki: Loki | None = None
    """Ship to Grafana Loki."""
    http: Http | None = None
    """Ship by HTTP POST."""
    stdout: Stdout | None = None
    """Write to the shipper's own standard output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """The shipper's own configuration in place of `sources` and `output`."""

    files: Files | None = None
    """File name to text. A change rolls the pods."""
    config_map_name: ObjectName | None = None
    """A ConfigMap of the same namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSidecar:
    """A log shipper beside the app; it is up before the app and outlives it at shutdown."""

    directory: AbsolutePath
    """Where the app writes its logs: a volume that the shipper reads."""
    shipper: Literal["fluent-bit", "fluentd", "vector"] = "fluent-bit"
    """Sets the image, the configuration's place and its syntax."""
    image: Image | None = None
    """An image in place of the shipper's usual one."""
    resources: Resources | None = None
    """core/v1 ResourceRequirements of the shipper."""
    env: Env = ()
    """core/v1 EnvVars of the shipper."""
    security_context: SecurityContext | None = None
    """core/v1 SecurityContext of the shipper."""
    size_limit: Quantity = "256Mi"
    """The size of the log volume."""
    sources: Annotated[tuple[Source, ...], Limits(max_items=32)] = ()
    """The log files."""
    output: Output | None = None
    """Where logs go."""
    config: LogConfig | None = None
    """The shipper's own configuration in place of `sources` and `output`."""
