"""The CustomResourceDefinition: schema, rules, columns, subresources. `python -m haapp.api.crd` prints it as YAML."""

import sys
from typing import Any, Final

import yaml

from haapp.api import names
from haapp.api.objects import Object
from haapp.api.rule import Rule
from haapp.api.rules import ENTRIES, RULES
from haapp.api.schema import schema_of
from haapp.api.spec import Spec
from haapp.api.status import Status

DESCRIPTION: Final = (
    "An application, and what must stay true of it: over how many zones it spreads, how near its cache is, what runs "
    "before it, where its logs go. The operator writes everything that makes it so."
)


def crd() -> Object:
    """The CustomResourceDefinition of HighAvailabilityApp."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": [names.SHORT_NAME],
                "categories": ["all"],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def _version() -> Object:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            _column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether all that is required is true."),
            _column("Replicas", ".status.columns.replicas", "Ready and desired pods."),
            _column("Zones", ".status.columns.zones", "Ready pods by zone."),
            _column("Survives", ".status.columns.survives", "Which loss is survived."),
            _column("Cache", ".status.columns.cache", "Pods that are as near the cache as asked."),
            _column("Age", ".metadata.creationTimestamp", "Time since creation.", type="date"),
            _column("Summary", ".status.summary", "One line for people.", priority=1),
            _column("Image", ".spec.app.image", "The app's image.", priority=1),
        ],
        "schema": {"openAPIV3Schema": _schema()},
    }


def _column(name: str, path: str, description: str, **more: Any) -> Object:
    return {"name": name, "type": "string", "jsonPath": path, "description": description, **more}


def _schema() -> Object:
    schema: Object = {
        "type": "object",
        "description": DESCRIPTION,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": {"description": Spec.__doc__, **schema_of(Spec, described=True)},
            "status": {"description": Status.__doc__, **schema_of(Status, described=True)},
        },
    }
    for rule in RULES:
        schema = _with_rule(schema, rule.steps, rule)
    return schema


def _with_rule(schema: Object, steps: tuple[str, ...], rule: Rule) -> Object:
    """A copy of the schema with a rule at the place that `steps` lead to; parts that are shared stay as they are."""
    if not steps:
        known = schema.get("x-kubernetes-validations", [])
        return {**schema, "x-kubernetes-validations": [*known, _validation(rule)]}
    step, rest = steps[0], steps[1:]
    if step == ENTRIES:
        return {**schema, "items": _with_rule(schema["items"], rest, rule)}
    properties = schema["properties"]
    return {**schema, "properties": {**properties, step: _with_rule(properties[step], rest, rule)}}


def _validation(rule: Rule) -> Object:
    validation = {"rule": rule.cel, "message": rule.message}
    return {**validation, "fieldPath": f".{rule.field}"} if rule.field else validation


class _Dumper(yaml.SafeDumper):
    """Writes shared parts out each time: a CRD has no use for anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def to_yaml(definition: Object) -> str:
    """YAML in the order of the mapping, short collections on one line."""
    return yaml.dump(definition, Dumper=_Dumper, sort_keys=False, width=160, default_flow_style=None)


if __name__ == "__main__":
    sys.stdout.write(to_yaml(crd()))
