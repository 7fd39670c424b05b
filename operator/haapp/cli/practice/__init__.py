"""Good practice: rules that no API server holds, each a pure function from an app to findings."""

from collections.abc import Callable, Iterator
from typing import Final

from haapp.api import App
from haapp.cli.findings import Finding
from haapp.cli.practice import capacity, containers, placement, probes, rollout

Rule = Callable[[App], Iterator[Finding]]

RULES: Final[tuple[Rule, ...]] = (
    *probes.RULES,
    *containers.RULES,
    *capacity.RULES,
    *rollout.RULES,
    *placement.RULES,
)


def find(app: App) -> tuple[Finding, ...]:
    """Everything that the rules have to say, in the rules' order."""
    return tuple(finding for rule in RULES for finding in rule(app))
