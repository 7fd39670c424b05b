"""From an object as the API server or a file gives it to an `App`: check, hold against the rules, decode."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from haapp.api import names
from haapp.api.app import App
from haapp.api.check import Check, compile_check
from haapp.api.decode import decode
from haapp.api.errors import Errors, FieldError, InvalidSpec
from haapp.api.nesting import too_deep
from haapp.api.objects import Object
from haapp.api.rules import broken
from haapp.api.schema import schema_of
from haapp.api.spec import Spec

TEXTS: Final[Object] = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA: Final[Object] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 253},
    "namespace": {"type": "string", "maxLength": 63, "default": "default"},
    "uid": {"type": "string", "default": ""},
    "generation": {"type": "integer", "default": 0},
    "labels": {**TEXTS, "default": {}},
    "annotations": {**TEXTS, "default": {}},
}
"""The part of an object's metadata that an App has."""


def parse_app(obj: Any) -> App:
    """The HighAvailabilityApp in `obj`, which may be any JSON. Raises InvalidSpec, and nothing else, if it is none.

    The schema and the rules are those of the CRD, so an object that was stored before a rule was made, or that is only
    a file, is refused with the very message that the API server gives.
    """
    if not isinstance(obj, Mapping):
        raise InvalidSpec([FieldError("", f"a {names.KIND} must be an object")])
    errors = Errors()
    filled = checked(obj, errors)
    if not errors.blocking:
        for error in broken(filled):
            errors.add(error.path, error.message)
    if errors.number:
        raise InvalidSpec([*too_deep(obj.get("spec")), *errors.told()])
    return App(**filled["metadata"], spec=decode(Spec, filled["spec"]))


def checked(obj: Mapping[Any, Any], errors: Errors) -> Object:
    """The metadata and spec of `obj` after the schema's check, with defaults filled in; adds to `errors`."""
    _check_type(obj, errors)
    return {
        "metadata": _checked_metadata(obj.get("metadata"), errors),
        "spec": _spec_check()(obj.get("spec") or {}, "spec", errors),
    }


@cache
def _spec_check() -> Check:
    return compile_check(schema_of(Spec))


@cache
def _metadata_check() -> Check:
    return compile_check({"type": "object", "required": ["name"], "properties": METADATA})


def _check_type(obj: Mapping[Any, Any], errors: Errors) -> None:
    for field, wanted in (("apiVersion", names.API_VERSION), ("kind", names.KIND)):
        if obj.get(field, wanted) != wanted:
            errors.add(field, f"write {wanted}")


def _checked_metadata(metadata: Any, errors: Errors) -> Any:
    known = {name: metadata[name] for name in METADATA if name in metadata} if isinstance(metadata, dict) else {}
    return _metadata_check()(known, "metadata", errors)
