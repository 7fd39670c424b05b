"""The conditions SurvivesZoneLoss and SurvivesNodeLoss, and `status.survives`."""

from dataclasses import dataclass

from haapp.api.names import ZONE_KEY
from haapp.api.objects import Object
from haapp.placement.domains import zones_of
from haapp.placement.replicas import scaled
from haapp.placement.survival import Loss, best_left, enough_replicas, node_loss, zone_loss
from haapp.status import reasons
from haapp.status.scene import NODES_UNSEEN, Scene
from haapp.status.text import joined, plural
from haapp.status.verdict import Truth, Verdict


def survives_status(scene: Scene) -> Object:
    """`status.survives`, from the ready pods of every revision."""
    losses = {"zoneLoss": zone_loss(scene.ready, scene.nodes), "nodeLoss": node_loss(scene.ready)}
    return {name: {"worstReadyLeft": loss.ready_left, "worst": loss.worst} for name, loss in losses.items()}


@dataclass(frozen=True, slots=True)
class _Question:
    """One of the two conditions: the loss of one `noun` of so many domains, of which `keep` pods are to be left."""

    type: str
    noun: str
    keep: int | str | None
    domains: int

    def verdict(self, status: Truth, reason: str, message: str, cause: str = "") -> Verdict:
        return Verdict(self.type, status, reason, message, self.keep is not None, cause)


def survives_zone_loss(scene: Scene) -> Verdict:
    """`zones.keepReady` pods are left when the worst zone is lost; one where that is not stated."""
    zones = scene.app.spec.zones
    keep = zones.keep_ready if zones is not None else None
    question = _Question(reasons.SURVIVES_ZONE_LOSS, "zone", keep, len(zones_of(scene.eligible)))
    if scene.desired and not scene.nodes:
        return question.verdict("Unknown", reasons.ZONES_UNKNOWN, NODES_UNSEEN)
    if scene.desired and scene.ready and not any(scene.nodes[pod.node].zone for pod in scene.ready):
        message = f"no node with a ready pod carries the label {ZONE_KEY}; label the nodes"
        return question.verdict("Unknown", reasons.ZONES_UNKNOWN, message)
    return _answer(scene, question, zone_loss(scene.ready, scene.nodes))


def survives_node_loss(scene: Scene) -> Verdict:
    """`nodes.keepReady` pods are left when the worst node is lost; one where that is not stated."""
    keep = scene.app.spec.nodes.keep_ready
    question = _Question(reasons.SURVIVES_NODE_LOSS, "node", keep, len(scene.eligible))
    return _answer(scene, question, node_loss(scene.ready))


def _answer(scene: Scene, question: _Question, loss: Loss) -> Verdict:
    noun, keep = question.noun, question.keep
    if scene.desired == 0:
        return question.verdict("True", reasons.SCALED_TO_ZERO, "no pod is asked for, so none can be lost")
    if not scene.observed.pods:
        return question.verdict("Unknown", reasons.NOT_YET_KNOWN, "no pod has been seen yet")
    wanted = 1 if keep is None else scaled(keep, scene.desired, up=True)
    asked = (
        f"{noun}s.keepReady is not stated, 1 is looked for" if keep is None else f"{noun}s.keepReady asks for {wanted}"
    )
    left = "no pod is ready"
    if scene.ready:
        count = plural(len(scene.ready), "ready pod")
        left = f"{loss.ready_left} of {count} would be left without {noun} {loss.worst or '(unnamed)'}"
    if loss.ready_left >= wanted:
        return question.verdict("True", reasons.ENOUGH_LEFT, joined(left, asked))
    message = joined(left, asked, _remedy(scene, noun, 1 if keep is None else keep, question.domains))
    return question.verdict("False", reasons.TOO_FEW_LEFT, message, left if keep is not None else "")


def _remedy(scene: Scene, noun: str, keep: int | str, domains: int) -> str:
    """What to change: nothing, if the pods asked for would be enough once they are up and spread."""
    if best_left(scene.desired, domains) >= scaled(keep, scene.desired, up=True):
        return "it is enough once all pods are ready and spread evenly"
    zones = scene.app.spec.zones
    if noun == "zone" and zones is not None and 0 < domains < (zones.min_domains or 0):
        # Each zone holds no more than maxSkew pods for as long as there are fewer of them than asked for.
        return f"bring back or add a zone that the pods may use, or lower zones.minDomains to {domains}"
    enough = enough_replicas(keep, scene.desired, domains)
    if enough is None:
        return f"add a {noun} that the pods may use"
    whose = "replicas" if scene.app.spec.autoscaling is None else "autoscaling.minReplicas"
    return f"raise {whose} to {enough}, or add a {noun} that the pods may use"
