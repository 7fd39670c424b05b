"""Which endpoints a Service prefers, on servers that know less than the newest."""

from typing import Final

SAME_NODE_SINCE: Final = (1, 35)
"""PreferSameNode and PreferSameZone are stable from this version of Kubernetes (KEP-3015)."""
NEAREST_OLDER: Final = "PreferClose"


def traffic_distribution(wanted: str | None, server_version: tuple[int, int]) -> tuple[str | None, str]:
    """What to write for `wanted`, and a note where that is less than what was wanted."""
    if wanted is None or wanted == NEAREST_OLDER or server_version >= SAME_NODE_SINCE:
        return wanted, ""
    needed = ".".join(map(str, SAME_NODE_SINCE))
    return NEAREST_OLDER, f"trafficDistribution {wanted} needs Kubernetes {needed}; {NEAREST_OLDER} is used"
