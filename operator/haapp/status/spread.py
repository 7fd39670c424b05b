"""The condition Spread: do the live pods keep to what is asked for, level by level?"""

from collections.abc import Iterator

from haapp.placement.live import active_pods
from haapp.placement.scheduler import cache_required
from haapp.placement.spread import Level, counts, domains, levels, skew
from haapp.status import reasons
from haapp.status.scene import Scene
from haapp.status.text import joined, listed, one_line, plural, tally
from haapp.status.unschedulable import advice
from haapp.status.verdict import Verdict

NOUNS = {"zones": "zone", "nodes": "node"}


def spread(scene: Scene) -> Verdict:
    """Of several things that are not as asked a required one is told first; a soft one does not hold Ready back."""
    if scene.desired == 0:
        return Verdict(reasons.SPREAD, "True", reasons.SCALED_TO_ZERO, "no pod is asked for")
    shortfalls = list(_shortfalls(scene))
    if shortfalls:
        return min(shortfalls, key=lambda verdict: not verdict.required)
    if not scene.settled:
        message = "no pod of the current revision is ready yet"
        return Verdict(reasons.SPREAD, "Unknown", reasons.NO_READY_PODS, message, required=_required(scene))
    return Verdict(reasons.SPREAD, "True", reasons.BALANCED, _balanced(scene))


def _shortfalls(scene: Scene) -> Iterator[Verdict]:
    yield from _unschedulable(scene)
    for level in levels(scene.app.spec):
        yield from _too_few(scene, level)
    if scene.settled:
        for level in levels(scene.app.spec):
            yield from _skewed(scene, level)
        yield from _sharing(scene)


def _unschedulable(scene: Scene) -> Iterator[Verdict]:
    waiting = [pod for pod in scene.current if pod.scheduled_message and not pod.node]
    if not waiting:
        return
    said = one_line(min(pod.scheduled_message for pod in waiting), 512)
    count = f"{len(waiting)} of {plural(len(scene.current), 'pod')} cannot be scheduled"
    level = next((level.field for level in levels(scene.app.spec) if level.required), "zones")
    message = joined(f"{count}: {said}", advice(said, level))
    yield _false(reasons.UNSCHEDULABLE, message, f"{count}: {one_line(said, 200)}", required=_required(scene))


def _too_few(scene: Scene, level: Level) -> Iterator[Verdict]:
    names, wanted = domains(level, scene.eligible), level.min_domains or 0
    if len(names) >= wanted:
        return
    noun = NOUNS.get(level.field, "domain")
    have = f"{plural(len(names), noun)}{f' ({listed(sorted(names))})' if names else ''}"
    cause = f"{have} of the {wanted} that {level.field}.minDomains asks for"
    message = (
        f"{cause}: a {noun} counts with a ready, schedulable node that the pods may use; bring one back, add nodes, or "
        f"lower {level.field}.minDomains to {max(1, len(names))}"
    )
    yield _false(reasons.TOO_FEW_DOMAINS, message, cause, required=level.required)


def _skewed(scene: Scene, level: Level) -> Iterator[Verdict]:
    names, numbers = domains(level, scene.eligible), counts(level.key, scene.settled, scene.nodes)
    found = skew(level, numbers, names)
    if found <= level.max_skew:
        return
    cause = f"skew {found} over {level.field} ({tally(numbers, names)}), {level.field}.maxSkew is {level.max_skew}"
    if scene.app.spec.rebalance.mode == "Off":
        remedy = f"set rebalance.mode: WhenSafe, or raise {level.field}.maxSkew to {found}"
    else:
        remedy = f"pods are moved once all are ready, if that helps; or raise {level.field}.maxSkew to {found}"
    yield _false(reasons.SKEWED, joined(cause, remedy), cause, required=level.required)


def _sharing(scene: Scene) -> Iterator[Verdict]:
    """Pods that share a node although `nodes.antiAffinity` is Required (an adopted Deployment's may)."""
    if scene.app.spec.nodes.anti_affinity != "Required":
        return
    node, *_ = (level for level in levels(scene.app.spec) if level.field == "nodes")
    shared = sorted(name for name, number in counts(node.key, scene.settled, scene.nodes).items() if number > 1)
    if shared:
        cause = f"several pods share a node ({listed(shared)}), nodes.antiAffinity is Required"
        yield _false(reasons.SKEWED, joined(cause, "delete one of them, or set nodes.antiAffinity: Preferred"), cause)


def _required(scene: Scene) -> bool:
    """Whether anything at all is required of where the pods are."""
    spec = scene.app.spec
    hard = any(level.required for level in levels(spec))
    return hard or spec.nodes.anti_affinity == "Required" or cache_required(spec)


def _balanced(scene: Scene) -> str:
    parts = []
    for level in levels(scene.app.spec):
        names, numbers = domains(level, scene.eligible), counts(level.key, scene.settled, scene.nodes)
        if names:
            parts.append(f"{level.field} {tally(numbers, names)} (skew {skew(level, numbers, names)})")
    waiting = len(active_pods(scene.current)) - len(scene.settled)
    return joined(*parts, f"{plural(waiting, 'pod')} not ready yet" if waiting > 0 else "")


def _false(reason: str, message: str, cause: str, *, required: bool = True) -> Verdict:
    return Verdict(reasons.SPREAD, "False", reason, message, required, cause)
