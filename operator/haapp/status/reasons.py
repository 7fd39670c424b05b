"""Condition types and their reasons: what a program may compare, fixed for good."""

from typing import Final

RECONCILED: Final = "Reconciled"
"""Type; also the reason when the last write matched intent."""
AVAILABLE: Final = "Available"
SPREAD: Final = "Spread"
CACHE_COLOCATED: Final = "CacheColocated"
INIT_STEPS_COMPLETED: Final = "InitStepsCompleted"
SURVIVES_ZONE_LOSS: Final = "SurvivesZoneLoss"
SURVIVES_NODE_LOSS: Final = "SurvivesNodeLoss"
PROGRESSING: Final = "Progressing"
READY: Final = "Ready"
"""Type; also the reason when all that Ready asks for is met."""
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"

# Reconciled
RENDER_ERROR: Final = "RenderError"
INVALID_SPEC: Final = "InvalidSpec"
NAME_CONFLICT: Final = "NameConflict"
FORBIDDEN: Final = "Forbidden"
API_ERROR: Final = "ApiError"
PAUSED: Final = "Paused"
STATUS_REFUSED: Final = "StatusRefused"
"""Of an Event alone: the API server does not take the status."""
PERMANENT_FAILURES: Final = frozenset({RENDER_ERROR, INVALID_SPEC, NAME_CONFLICT, FORBIDDEN})
"""Outcomes that nothing but a change by a person puts right."""

# Spread
BALANCED: Final = "Balanced"
SKEWED: Final = "Skewed"
TOO_FEW_DOMAINS: Final = "TooFewDomains"
UNSCHEDULABLE: Final = "Unschedulable"

# CacheColocated
COLOCATED: Final = "Colocated"
CACHE_NOT_READY: Final = "CacheNotReady"
FAR_FROM_CACHE: Final = "FarFromCache"

# InitStepsCompleted
NO_INIT_STEPS: Final = "NoInitSteps"
STEPS_SUCCEEDED: Final = "StepsSucceeded"
STEPS_RUNNING: Final = "StepsRunning"
STEP_FAILED: Final = "StepFailed"

# SurvivesZoneLoss, SurvivesNodeLoss
ENOUGH_LEFT: Final = "EnoughLeft"
TOO_FEW_LEFT: Final = "TooFewLeft"
ZONES_UNKNOWN: Final = "ZonesUnknown"

# Available, Progressing (besides the Deployment's own)
MINIMUM_AVAILABLE: Final = "MinimumReplicasAvailable"
MINIMUM_UNAVAILABLE: Final = "MinimumReplicasUnavailable"
PODS_REFUSED: Final = "PodsRefused"
"""The API server does not let pods be created: Pod Security, a quota, a policy."""
IMAGE_PULL_FAILED: Final = "ImagePullFailed"
CONFIG_MISSING: Final = "ConfigMissing"
"""A container waits for a ConfigMap, a Secret or a key that is not there."""
CONTAINER_FAILED: Final = "ContainerFailed"
HINDRANCES: Final = frozenset(
    {UNSCHEDULABLE, STEP_FAILED, PODS_REFUSED, IMAGE_PULL_FAILED, CONFIG_MISSING, CONTAINER_FAILED}
)
"""What holds up a rollout; also reasons of Reconciling then."""
NOT_YET_KNOWN: Final = "NotYetKnown"
DEPLOYMENT_NOT_FOUND: Final = "DeploymentNotFound"
DEPLOYMENT_NOT_OBSERVED: Final = "DeploymentNotObserved"
DEADLINE_EXCEEDED: Final = "ProgressDeadlineExceeded"
ROLLED_BACK: Final = "RolledBack"

# several
SCALED_TO_ZERO: Final = "ScaledToZero"
NO_READY_PODS: Final = "NoReadyPods"
ROLLING_OUT: Final = "RollingOut"
RETRYING: Final = "Retrying"
