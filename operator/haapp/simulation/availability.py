"""The share of time in which enough pods are ready, from where they are and how often nodes and zones fail.

The model: each node and each zone is up or down by itself, independently of all others, and is down for
repair / (mtbf + repair) of the time; a pod is ready exactly while its node and its zone are up. Every combination of
failures counts, summed zone by zone and node by node, which is exact for any number of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, log10
from typing import Final

DAY: Final = 86_400
YEAR: Final = 365 * DAY


@dataclass(frozen=True, slots=True)
class Rates:
    """Mean time between failures, and until what was lost is ready again, in seconds.

    The defaults, from what was published of Google's clusters of 1,800 machines (Jeff Dean, Google I/O 2008, as
    reported by Data Center Knowledge, "Failure Rates in Google Data Centers"):
    - a node fails every 300 days: 1,000 machine failures a year and 20 racks that take 40 to 80 machines with them are
      1.2 losses for each machine and year;
    - a zone fails once a year for 6 hours: a power distribution unit does, with 500 to 1,000 machines.
    Pods of a lost node are ready elsewhere after 10 minutes: 50 s until the node counts as lost
    (kube-controller-manager's node-monitor-grace-period), 300 s until its pods are deleted (the admission plugin
    DefaultTolerationSeconds), and a start. Where they find no place elsewhere the node's own repair counts.
    """

    node_mtbf: float = 300 * DAY
    node_repair: float = 600
    zone_mtbf: float = YEAR
    zone_repair: float = 6 * 3600

    @property
    def node_down(self) -> float:
        """The probability that a node is down."""
        return self.node_repair / (self.node_mtbf + self.node_repair)

    @property
    def zone_down(self) -> float:
        """The probability that a zone is down."""
        return self.zone_repair / (self.zone_mtbf + self.zone_repair)


@dataclass(frozen=True, slots=True)
class Availability:
    """`down` is the share of time in which fewer than `keep` pods are ready; 1 - down would lose the last digits."""

    keep: int
    down: float

    @property
    def share(self) -> float:
        """The share of time in which enough pods are ready."""
        return 1 - self.down

    @property
    def nines(self) -> float:
        """3 for 99.9 %, 4 for 99.99 %."""
        return -log10(self.down) if self.down else inf

    @property
    def down_per_year(self) -> float:
        """Seconds."""
        return self.down * YEAR


Distribution = list[float]
"""The probability of each number of ready pods, from 0."""


def availability(zones: Iterable[Mapping[str, int]], keep: int, rates: Rates) -> Availability:
    """`zones` holds for each zone how many pods are on which node; `keep` is how many must be ready."""
    total: Distribution = [1.0]
    for nodes in zones:
        total = _sum(total, _zone(nodes.values(), rates))
    return Availability(keep, min(1.0, sum(total[:keep])))


def _zone(pods: Iterable[int], rates: Rates) -> Distribution:
    while_up: Distribution = [1.0]
    for number in pods:
        node = [0.0] * (number + 1)
        node[0] += rates.node_down
        node[number] += 1 - rates.node_down
        while_up = _sum(while_up, node)
    distribution = [(1 - rates.zone_down) * probability for probability in while_up]
    distribution[0] += rates.zone_down
    return distribution


def _sum(one: Distribution, other: Distribution) -> Distribution:
    """The distribution of the sum of two independent numbers."""
    result = [0.0] * (len(one) + len(other) - 1)
    for i, p in enumerate(one):
        for j, q in enumerate(other):
            result[i + j] += p * q
    return result
