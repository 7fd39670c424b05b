"""Rendering: an app's spec becomes Kubernetes objects. Pure, through the templates in `templates/`."""

from haapp.render.environment import ALL_OPTIONAL_APIS, GATEWAY_API, MONITORING_API, Environment, Rendered
from haapp.render.errors import RenderError
from haapp.render.pipeline import render
from haapp.render.references import config_references
from haapp.render.templating import compile_all
from haapp.render.versions import versions_of

__all__ = [
    "ALL_OPTIONAL_APIS",
    "GATEWAY_API",
    "MONITORING_API",
    "Environment",
    "RenderError",
    "Rendered",
    "compile_all",
    "config_references",
    "render",
    "versions_of",
]
