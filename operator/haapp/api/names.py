"""Names that are fixed: of the API, of labels and annotations, and of what is derived from an app's name."""

from typing import Final

GROUP: Final = "highavailability.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "HighAvailabilityApp"
PLURAL: Final = "highavailabilityapps"
SINGULAR: Final = "highavailabilityapp"
SHORT_NAME: Final = "haapp"

FIELD_MANAGER: Final = "ha-operator"
MANAGED_BY: Final = "ha-operator"

LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
OWN_LABELS: Final = (LABEL_NAME, LABEL_INSTANCE, LABEL_MANAGED_BY, LABEL_COMPONENT, LABEL_PART_OF)
INSTANCE_SUFFIX: Final = ".HA"
COMPONENT_APP: Final = "app"
COMPONENT_CACHE: Final = "cache"

ANNOTATION_PREFIX: Final = f"{GROUP}/"
HASH_ANNOTATION: Final = f"{ANNOTATION_PREFIX}desired-hash"
ADOPT_ANNOTATION: Final = f"{ANNOTATION_PREFIX}adopt"
CONFIG_HASH_ANNOTATION: Final = f"{ANNOTATION_PREFIX}config-hash"
CONFIG_VERSIONS_ANNOTATION: Final = f"{ANNOTATION_PREFIX}config-versions"
ROLLED_BACK_ANNOTATION: Final = f"{ANNOTATION_PREFIX}rolled-back"

ZONE_KEY: Final = "topology.kubernetes.io/zone"
HOSTNAME_KEY: Final = "kubernetes.io/hostname"

APP_CONTAINER: Final = "app"
"""The main container's name unless the user gives another."""
SHIPPER_CONTAINER: Final = "log-shipper"
REDIS_CONTAINER: Final = "redis"

VOLUME_PREFIX: Final = "haapp-"
"""Volumes of the operator begin with this, so they never meet a volume of the user's."""
LOG_VOLUME: Final = f"{VOLUME_PREFIX}logs"
CONFIG_VOLUME_PREFIX: Final = f"{VOLUME_PREFIX}config-"
METRICS_PORT: Final = "metrics"
"""The name of an adapter's port on the Service."""

CACHE_SUFFIX: Final = "-cache"
MAX_LABEL: Final = 63
"""The longest name of a Service, container, port or volume, and the longest label value (DNS label, RFC 1123)."""
MAX_APP_NAME: Final = MAX_LABEL
MAX_APP_NAME_WITH_CACHE: Final = MAX_LABEL - len(CACHE_SUFFIX)
MAX_SIDECAR_NAME_WITH_CONFIG: Final = MAX_LABEL - len(CONFIG_VOLUME_PREFIX)


def instance(app_name: str) -> str:
    """The value of LABEL_INSTANCE. Its capitals keep it from ever being the name of an Argo CD Application.

    By that label Argo CD knows what it may prune, unless there is an owner: a child left without one would be lost.
    """
    return f"{app_name[: MAX_LABEL - len(INSTANCE_SUFFIX)]}{INSTANCE_SUFFIX}"


def cache_name(app_name: str) -> str:
    """The name of the managed cache's Deployment and Service."""
    return f"{app_name}{CACHE_SUFFIX}"


def shipper_config_name(app_name: str) -> str:
    """The name of the ConfigMap that holds the log shipper's configuration."""
    return sidecar_config_name(app_name, SHIPPER_CONTAINER)


def sidecar_config_name(app_name: str, sidecar: str) -> str:
    """The name of the ConfigMap that holds a sidecar's `config.files`."""
    return f"{app_name}-{sidecar}-config"


def config_volume_name(container: str) -> str:
    """The name of the pod's volume through which a container reads its ConfigMap."""
    return f"{CONFIG_VOLUME_PREFIX}{container}"
