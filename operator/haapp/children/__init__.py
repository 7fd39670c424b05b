"""The objects that an app becomes: which of them exist, which fields are ours, and what has to be written."""

from haapp.children.kinds import KINDS, Kind, kind_of
from haapp.children.model import Child, child_of
from haapp.children.plan import Plan, plan

__all__ = ["KINDS", "Child", "Kind", "Plan", "child_of", "kind_of", "plan"]
