"""The fingerprints of an app's configuration, as they stand on its Deployment.

By them the configuration that the pods run with is known when the operator may not read it any more.
"""

import json
from collections.abc import Mapping

from haapp.api.app import App
from haapp.api.names import CONFIG_VERSIONS_ANNOTATION
from haapp.render.environment import Environment
from haapp.render.references import Reference, config_references


def versions_used(app: App, environment: Environment) -> dict[str, str]:
    """Kind/name to fingerprint, of what the pods are to be restarted for when it changes."""
    versions = environment.config_versions if app.spec.rollout.restart_on_config_change else {}
    return {"/".join(key): versions[key] for key in config_references(app) if key in versions}


def versions_annotation(used: Mapping[str, str]) -> dict[str, str]:
    """What the Deployment records of them; nothing where there are none."""
    return {CONFIG_VERSIONS_ANNOTATION: json.dumps(used, sort_keys=True)} if used else {}


def versions_of(annotations: Mapping[str, str]) -> dict[Reference, str]:
    """What the Deployment of these annotations records; nothing where that cannot be read."""
    try:
        found = json.loads(annotations.get(CONFIG_VERSIONS_ANNOTATION, "{}"))
        pairs = [(key.partition("/"), str(version)) for key, version in found.items()]
    except (ValueError, AttributeError):
        return {}
    return {(kind, name): version for (kind, _, name), version in pairs}
