"""What is true of an app, from what was observed: conditions with reasons, and one line for people."""

from haapp.status.assessment import assess, assess_invalid
from haapp.status.observed import Observed, Outcome

__all__ = ["Observed", "Outcome", "assess", "assess_invalid"]
