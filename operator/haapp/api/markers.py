"""What a type hint alone cannot say of a field, written beside it as `Annotated[...]`.

The CRD's schema, the offline check and the decoder all read the same hints, so they cannot disagree.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from haapp.api import durations
from haapp.api.objects import Object


@dataclass(frozen=True, slots=True)
class Core:
    """The value is a Kubernetes type (`core.v1.Probe`), or one field of such a type, and stays as the user wrote it."""

    type: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a value, under the names that OpenAPI has for them (in snake_case)."""

    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    min_items: int | None = None
    max_items: int | None = None
    max_properties: int | None = None


@dataclass(frozen=True, slots=True)
class Json:
    """The field's name in JSON where it is not the camelCase of the attribute's."""

    name: str


@dataclass(frozen=True, slots=True)
class Duration:
    """Text such as `5m` in JSON, seconds in Python."""


@dataclass(frozen=True, slots=True)
class KeyedBy:
    """A list whose entries are told apart by these fields: server-side apply merges it entry by entry."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Container:
    """The object is a core/v1 Container; `image` is required, and the name has a default."""

    default_name: str


@dataclass(frozen=True, slots=True)
class ContainerFields:
    """The attribute takes the core/v1 Container's fields of an object that has the class's own fields among them."""


LABEL_PATTERN: Final = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
PERCENT_PATTERN: Final = "^(100|[1-9]?[0-9])%$"
ANY_PERCENT_PATTERN: Final = "^[0-9]{1,4}%$"
ENV_PATTERN: Final = "^[-._a-zA-Z][-._a-zA-Z0-9]*$"

Port = Annotated[int, Limits(minimum=1, maximum=65535)]
Positive = Annotated[int, Limits(minimum=1)]
NotNegative = Annotated[int, Limits(minimum=0)]
Seconds = Annotated[int, Duration(), Limits(min_length=2, max_length=18, pattern=durations.PATTERN)]
IntOrPercent = Annotated[int | str, Core("intstr.IntOrString"), Limits(minimum=0, pattern=PERCENT_PATTERN)]
IntOrAnyPercent = Annotated[int | str, Core("intstr.IntOrString"), Limits(minimum=0, pattern=ANY_PERCENT_PATTERN)]
PortNumberOrName = Annotated[
    int | str, Core("intstr.IntOrString"), Limits(minimum=1, maximum=65535, max_length=15, pattern=LABEL_PATTERN)
]
Quantity = Annotated[int | str, Core("resource.Quantity")]
Name = Annotated[str, Limits(min_length=1, max_length=63, pattern=LABEL_PATTERN)]
ObjectName = Annotated[str, Limits(min_length=1, max_length=253)]
Text = Annotated[str, Limits(min_length=1)]
EnvName = Annotated[str, Limits(min_length=1, max_length=256, pattern=ENV_PATTERN)]
AbsolutePath = Annotated[str, Limits(max_length=4096, pattern="^/")]
Image = Annotated[str, Limits(min_length=1, max_length=4096)]
Labels = dict[str, str]

Probe = Annotated[Object, Core("core.v1.Probe")]
Resources = Annotated[Object, Core("core.v1.ResourceRequirements")]
SecurityContext = Annotated[Object, Core("core.v1.SecurityContext")]
Env = Annotated[tuple[Object, ...], Core("core.v1.Container", "env")]
LabelSelector = Annotated[Object, Core("meta.v1.LabelSelector")]
