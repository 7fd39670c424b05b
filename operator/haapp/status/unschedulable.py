"""What to change when the scheduler finds no node, by what it says itself."""

from typing import Final

_ADVICE: Final = (
    ("topology spread", "add nodes where they are few, or set {level}.whenUnsatisfiable: ScheduleAnyway"),
    ("anti-affinity", "add nodes, or set nodes.antiAffinity: Preferred"),
    ("pod affinity", "run the cache on more nodes, or set cache.whenUnsatisfiable: ScheduleAnyway"),
    ("Insufficient", "add nodes, or lower app.resources.requests"),
    ("Too many pods", "add nodes"),
    ("affinity/selector", "correct pod.nodeSelector, pod.affinity or zones.names, or label nodes to match"),
    ("untolerated taint", "bring back the nodes that are not ready, remove the taint, or add pod.tolerations"),
    ("unschedulable", "uncordon nodes"),
    ("free ports", "add nodes, or do without hostPort"),
    ("volume", "see the pod's PersistentVolumeClaims"),
)


def advice(message: str, level: str) -> str:
    """The changes that would help, one for each thing that the scheduler names; `level` is the field of the required
    spread. "" where it names nothing known."""
    found = [text.format(level=level) for key, text in _ADVICE if key in message]
    return " or: ".join(dict.fromkeys(found))
