"""A contradiction between what an app asks for and what its cluster has."""

from dataclasses import dataclass
from typing import Final

NO_ELIGIBLE_NODE: Final = "NoEligibleNode"
TOO_FEW_ZONES: Final = "TooFewZones"
TOO_FEW_NODES: Final = "TooFewNodes"
CACHE_NOT_FOUND: Final = "CacheNotFound"
CACHE_OUT_OF_REACH: Final = "CacheOutOfReach"
CACHE_TOO_NARROW: Final = "CacheTooNarrow"
SPREAD_UNSATISFIABLE: Final = "SpreadUnsatisfiable"
ROLLOUT_DEADLOCK: Final = "RolloutDeadlock"
BUDGET_BLOCKS_DRAINS: Final = "BudgetBlocksDrains"
KEEP_READY_IMPOSSIBLE: Final = "KeepReadyImpossible"


@dataclass(frozen=True, slots=True)
class Finding:
    """`reason` is one of this module's, `field` the path of the field to change (`spec.zones.minDomains`), `message` a
    sentence with the number to change it to, `brief` the same in the 120 characters that Kubernetes recommends for a
    warning."""

    reason: str
    field: str
    message: str
    brief: str = ""
