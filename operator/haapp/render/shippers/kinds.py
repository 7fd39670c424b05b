"""What differs from one shipper to the next, apart from the syntax of its configuration."""

from dataclasses import dataclass, field
from typing import Final

STATE_FOLDER: Final = "/var/lib/haapp-logs"
"""Where a shipper remembers how far it has read, and keeps what it could not send yet."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One shipper."""

    image: str
    config_folder: str
    """Where its configuration is mounted."""
    main_files: tuple[str, ...]
    """The names that its main configuration file may have; rendered is the first."""
    template: str
    user: int
    """The unprivileged user that it runs as, unless the app's user or another is stated."""
    memory: str
    args: tuple[str, ...] = ()
    """Its arguments; `{file}` stands for the main configuration file."""
    env: dict[str, str] = field(default_factory=dict)
    """Its variables; `{file}` stands for the main configuration file's name."""
    images_by_output: dict[str, str] = field(default_factory=dict)
    """Images for those outputs that the usual one cannot serve."""


# The images' entry points stay: fluentd's loads the Elasticsearch plugin's sniffer, and all of them reap children.
KINDS: Final = {
    "fluent-bit": Kind(
        image="fluent/fluent-bit:5.0.3",
        # A folder of its own beside /fluent-bit/etc, where the image keeps parsers that a configuration may include.
        config_folder="/fluent-bit/config",
        main_files=("fluent-bit.yaml", "fluent-bit.conf"),
        template="shippers/fluent-bit.yaml.j2",
        user=65532,
        memory="64Mi",
        args=("-c", "/fluent-bit/config/{file}"),
    ),
    "fluentd": Kind(
        image="fluent/fluentd-kubernetes-daemonset:v1.19-debian-elasticsearch8-1",
        config_folder="/fluentd/etc",
        main_files=("fluent.conf",),
        template="shippers/fluentd.conf.j2",
        user=999,
        memory="192Mi",
        # TMPDIR: the root file system is read-only, and Ruby makes a socket at the start.
        env={"FLUENTD_CONF": "{file}", "TMPDIR": STATE_FOLDER},
        # fluentd's own images have no Loki plugin; its publisher offers this tag and no version.
        images_by_output={"loki": "grafana/fluent-plugin-loki:main"},
    ),
    "vector": Kind(
        image="timberio/vector:0.56.0-alpine",
        config_folder="/etc/vector",
        main_files=("vector.yaml", "vector.toml", "vector.json"),
        template="shippers/vector.yaml.j2",
        user=65532,
        memory="128Mi",
        args=("--config", "/etc/vector/{file}"),
        # From 0.57 on Vector leaves ${NAME} alone unless told otherwise; before, it does not know this variable.
        env={"VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION": "true"},
    ),
}
