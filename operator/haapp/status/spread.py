"""The condition Spread: do the live pods keep to what is asked for, level by level?"""

from collections.abc import Iterator

from haapp.placement.scheduler import cache_required
from haapp.status import reasons
from haapp.status.scene import NODES_UNSEEN, Scene, Tally
from haapp.status.text import joined, listed, one_line, plural, tally
from haapp.status.unschedulable import advice
from haapp.status.verdict import Verdict

NOUNS = {"zones": "zone", "nodes": "node"}


def spread(scene: Scene) -> Verdict:
    """Of several things that are not as asked a required one is told first; a soft one does not hold Ready back."""
    if scene.desired == 0:
        return Verdict(reasons.SPREAD, "True", reasons.SCALED_TO_ZERO, "no pod is asked for")
    shortfalls = list(_shortfalls(scene)) if scene.nodes else list(_unschedulable(scene))
    if shortfalls:
        return min(shortfalls, key=lambda verdict: not verdict.required)
    if not scene.nodes:
        return Verdict(reasons.SPREAD, "Unknown", reasons.ZONES_UNKNOWN, NODES_UNSEEN, required=_required(scene))
    if not scene.settled:
        message = "no pod of the current revision is ready yet"
        return Verdict(reasons.SPREAD, "Unknown", reasons.NO_READY_PODS, message, required=_required(scene))
    return Verdict(reasons.SPREAD, "True", reasons.BALANCED, _balanced(scene))


def _shortfalls(scene: Scene) -> Iterator[Verdict]:
    yield from _unschedulable(scene)
    for found in scene.tallies:
        yield from _too_few(found)
    if scene.settled:
        for found in scene.tallies:
            yield from _skewed(scene, found)
        yield from _sharing(scene)


def _unschedulable(scene: Scene) -> Iterator[Verdict]:
    waiting = [pod for pod in scene.current if pod.scheduled_message and not pod.node]
    if not waiting:
        return
    said = one_line(min(pod.scheduled_message for pod in waiting), 512)
    count = f"{len(waiting)} of {plural(len(scene.current), 'pod')} cannot be scheduled"
    level = next((item.level.field for item in scene.tallies if item.level.required), "zones")
    message = joined(f"{count}: {said}", advice(said, level))
    yield _false(reasons.UNSCHEDULABLE, message, f"{count}: {one_line(said, 200)}", required=_required(scene))


def _too_few(found: Tally) -> Iterator[Verdict]:
    level, names = found.level, found.domains
    wanted = level.min_domains or 0
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


def _skewed(scene: Scene, found: Tally) -> Iterator[Verdict]:
    level, skew = found.level, found.skew
    if skew <= level.max_skew:
        return
    where = tally(found.numbers, found.domains)
    cause = f"skew {skew} over {level.field} ({where}), {level.field}.maxSkew is {level.max_skew}"
    if scene.app.spec.rebalance.mode == "Off":
        remedy = f"set rebalance.mode: WhenSafe, or raise {level.field}.maxSkew to {skew}"
    else:
        remedy = f"pods are moved once all are ready, if that helps; or raise {level.field}.maxSkew to {skew}"
    yield _false(reasons.SKEWED, joined(cause, remedy), cause, required=level.required)


def _sharing(scene: Scene) -> Iterator[Verdict]:
    """Pods that share a node although `nodes.antiAffinity` is Required (an adopted Deployment's may)."""
    if scene.app.spec.nodes.anti_affinity != "Required":
        return
    _, nodes, *_ = scene.tallies
    shared = sorted(name for name, number in nodes.numbers.items() if number > 1)
    if shared:
        cause = f"several pods share a node ({listed(shared)}), nodes.antiAffinity is Required"
        yield _false(reasons.SKEWED, joined(cause, "delete one of them, or set nodes.antiAffinity: Preferred"), cause)


def _required(scene: Scene) -> bool:
    """Whether anything at all is required of where the pods are."""
    spec = scene.app.spec
    hard = any(item.level.required for item in scene.tallies)
    return hard or spec.nodes.anti_affinity == "Required" or cache_required(spec)


def _balanced(scene: Scene) -> str:
    parts = [
        f"{item.level.field} {tally(item.numbers, item.domains)} (skew {item.skew})"
        for item in scene.tallies
        if item.domains
    ]
    waiting = len(scene.current) - len(scene.settled)
    return joined(*parts, f"{plural(waiting, 'pod')} not ready yet" if waiting > 0 else "")


def _false(reason: str, message: str, cause: str, *, required: bool = True) -> Verdict:
    return Verdict(reasons.SPREAD, "False", reason, message, required, cause)
