"""A HighAvailabilityApp as read from the API server or a file."""

from dataclasses import dataclass

from haapp.api.spec import Spec


@dataclass(frozen=True, slots=True)
class App:
    """One HighAvailabilityApp. `uid` is "" and `generation` 0 where the object has not been stored (a file)."""

    name: str
    namespace: str
    uid: str
    generation: int
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Spec
