"""Least privilege for the pod and for every container in it; what the user states wins field by field."""

from typing import Any, Final

from haapp.api.objects import Object
from haapp.api.spec import Security
from haapp.render.merge import given

ROOT_FILE_CAPABILITIES: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
"""What a step that asks for root needs to set up files of others; all are within the Baseline standard."""


def pod_security_context(security: Security) -> Object:
    """The pod's securityContext."""
    return given(
        runAsNonRoot=True if security.profile == "Restricted" else None,
        runAsUser=security.run_as_user,
        runAsGroup=security.run_as_group,
        fsGroup=security.fs_group,
        # Without this every start walks through the whole volume to change its owner.
        fsGroupChangePolicy="OnRootMismatch" if security.fs_group is not None else None,
        seccompProfile={"type": "RuntimeDefault"},
    )


def harden(container: Object, security: Security) -> Object:
    """`container` with the securityContext that the profile asks for, below what the container states itself."""
    own: Object = container.get("securityContext", {})
    defaults = given(
        allowPrivilegeEscalation=None if _needs_escalation(own) else False,
        readOnlyRootFilesystem=security.read_only_root_filesystem,
        # The pod's runAsNonRoot would keep a container that asks for root from ever starting.
        runAsNonRoot=False if own.get("runAsUser") == 0 else None,
    )
    context = {**defaults, **own, "capabilities": _capabilities(own)}
    return {**container, "securityContext": context}


def _capabilities(own: Object) -> Object:
    defaults: dict[str, Any] = {"drop": ["ALL"]}
    if own.get("runAsUser") == 0:
        defaults["add"] = list(ROOT_FILE_CAPABILITIES)
    return {**defaults, **own.get("capabilities", {})}


def _needs_escalation(own: Object) -> bool:
    """The API server refuses allowPrivilegeEscalation: false beside either of these."""
    return bool(own.get("privileged")) or "SYS_ADMIN" in own.get("capabilities", {}).get("add", ())
