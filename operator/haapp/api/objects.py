"""Kubernetes objects as plain JSON data."""

from typing import Any

Object = dict[str, Any]
"""A Kubernetes object, or a part of one, exactly as it stands in JSON."""
