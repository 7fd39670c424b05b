"""How many pods an app may be asked to have."""

from haapp.api.spec import Spec


def fewest(spec: Spec) -> int:
    """The least number: `replicas`, or the autoscaler's floor, which is never 0: at 0 an autoscaler does nothing."""
    scaling = spec.autoscaling
    if scaling is None:
        return spec.replicas
    return scaling.min_replicas or max(1, min(spec.replicas, scaling.max_replicas))


def most(spec: Spec) -> int:
    """The greatest number: `replicas`, or the autoscaler's ceiling."""
    return spec.replicas if spec.autoscaling is None else spec.autoscaling.max_replicas
