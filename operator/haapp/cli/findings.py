"""What there is to say against an app."""

from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning"]
SEVERITIES: Final = ("warning", "error")
"""From the lesser to the greater."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: the field's path, what happens as it stands, and what to write instead ("" where `happens` says it).

    An `error` cannot work as it is written; a `warning` works until it matters.
    """

    rule: str
    severity: Severity
    path: str
    happens: str
    instead: str = ""

    def at_least(self, severity: Severity) -> bool:
        """Whether this is as grave as `severity`."""
        return SEVERITIES.index(self.severity) >= SEVERITIES.index(severity)
