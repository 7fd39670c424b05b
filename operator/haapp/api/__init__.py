"""The API: a HighAvailabilityApp as types, its reading and checking, and the CRD that is made from the types."""

from haapp.api.app import App
from haapp.api.errors import FieldError, InvalidSpec
from haapp.api.objects import Object
from haapp.api.parse import parse_app
from haapp.api.spec import Spec

__all__ = ["App", "FieldError", "InvalidSpec", "Object", "Spec", "parse_app"]
