"""What the cluster has for one app, counted once for all checks."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from haapp.api.app import App
from haapp.api.replicas import fewest, most
from haapp.placement.capacity import near_cache, zone_sizes
from haapp.placement.domains import zones_of
from haapp.placement.model import Node, Pod
from haapp.placement.scheduler import cache_required


@dataclass(frozen=True)
class Cluster:
    """`usable` are the nodes that the app may use when they are well, `present` how many pods it has now."""

    app: App
    usable: tuple[Node, ...]
    cache_pods: tuple[Pod, ...]
    present: int

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """The zones of the usable nodes."""
        return zones_of(self.usable)

    @cached_property
    def sizes(self) -> Counter[str]:
        """The usable nodes of each zone."""
        return zone_sizes(self.usable)

    @cached_property
    def near_cache(self) -> Counter[str]:
        """The usable nodes of each zone that are near enough to the cache where that is required, else all."""
        return near_cache(self.app.spec, self.usable, self.cache_pods) if cache_required(self.app.spec) else self.sizes

    @property
    def most(self) -> int:
        """The greatest number of pods that may be asked for."""
        return most(self.app.spec)

    @property
    def now(self) -> int:
        """The number of pods that a rollout begun now would replace."""
        return fewest(self.app.spec) if self.app.spec.autoscaling is None else max(fewest(self.app.spec), self.present)
