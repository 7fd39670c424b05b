"""How many pods are asked for, and numbers that may be percentages of them."""

from haapp.api.spec import Spec


def fewest(spec: Spec) -> int:
    """The least number of pods that the app may be asked to have: the autoscaler's floor, else `replicas`."""
    if spec.autoscaling is None:
        return spec.replicas
    return spec.autoscaling.min_replicas or spec.replicas


def most(spec: Spec) -> int:
    """The greatest number of pods that the app may be asked to have: the autoscaler's ceiling, else `replicas`."""
    return spec.replicas if spec.autoscaling is None else spec.autoscaling.max_replicas


def scaled(value: int | str, total: int, *, up: bool) -> int:
    """A number as it is, or a percentage of `total`, rounded up or down."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total
    return -(-share // 100) if up else share // 100
