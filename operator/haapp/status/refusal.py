"""Pods that the API server does not let be created, as the Deployment's condition ReplicaFailure tells."""

import re
from typing import Final

from haapp.placement.model import Deployment
from haapp.status import reasons
from haapp.status.failures import MESSAGE, Trouble
from haapp.status.text import one_line

_WHICH_POD: Final = re.compile(r'^pods "[^"]*" is forbidden: ')
_ADVICE: Final = (
    (
        "violates PodSecurity",
        "correct what it names, or use a namespace that admits it (label pod-security.kubernetes.io/enforce)",
    ),
    ("exceeded quota", "raise that ResourceQuota, or lower replicas or app.resources"),
    ("error looking up service account", "create that ServiceAccount, or correct pod.serviceAccountName"),
)
LONG: Final = 2 * MESSAGE
"""Pod Security names every container and field that it refuses."""


def refusal(deployment: Deployment | None) -> Trouble | None:
    """Why pods of the Deployment cannot be created; `None` where they can."""
    for kind, status, reason, message in deployment.conditions if deployment is not None else ():
        if kind == "ReplicaFailure" and status == "True":
            said = _WHICH_POD.sub("", message) or reason
            advice = next((text for key, text in _ADVICE if key in said), "")
            return Trouble(reasons.PODS_REFUSED, f"pods are refused: {one_line(said, LONG)}", advice)
    return None
