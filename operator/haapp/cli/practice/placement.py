"""Rules about where pods may run."""

from collections.abc import Iterator
from typing import Final

from haapp.api import App
from haapp.api.names import HOSTNAME_KEY, ZONE_KEY
from haapp.cli.findings import Finding


def pinned(app: App) -> Iterator[Finding]:
    for key, what in ((HOSTNAME_KEY, "node"), (ZONE_KEY, "zone")):
        if key in app.spec.pod.node_selector:
            yield Finding(
                "pinned",
                "warning",
                f"spec.pod.nodeSelector[{key}]",
                f"all pods stand in one {what}: its loss is an outage",
                "nothing here; zones.names limits the app to several zones",
            )
    if app.spec.zones and len(app.spec.zones.names) == 1:
        yield Finding(
            "pinned",
            "warning",
            "spec.zones.names",
            "all pods stand in one zone: its loss is an outage",
            "two names or more, or none",
        )


def kept_by_luck(app: App) -> Iterator[Finding]:
    zones, nodes = app.spec.zones, app.spec.nodes
    if zones and zones.keep_ready is not None and zones.when_unsatisfiable == "ScheduleAnyway":
        yield _kept_by_luck("spec.zones.keepReady", "zone", "zones.whenUnsatisfiable: DoNotSchedule")
    hard = nodes.anti_affinity == "Required" or nodes.when_unsatisfiable == "DoNotSchedule"
    if nodes.keep_ready is not None and not hard:
        instead = "nodes.antiAffinity: Required, or nodes.whenUnsatisfiable: DoNotSchedule"
        yield _kept_by_luck("spec.nodes.keepReady", "node", instead)


def _kept_by_luck(path: str, what: str, instead: str) -> Finding:
    happens = f"the spread that keeps these pods is only preferred: a full cluster may put too many on one {what}"
    return Finding("kept-by-luck", "warning", path, happens, instead)


def tolerates_everything(app: App) -> Iterator[Finding]:
    for index, toleration in enumerate(app.spec.pod.tolerations):
        if toleration.get("operator") == "Exists" and not toleration.get("key"):
            yield Finding(
                "tolerates-everything",
                "warning",
                f"spec.pod.tolerations[{index}]",
                "pods stay on nodes that are lost or drained, and run on those kept for other things",
                "the key of the one taint that is meant",
            )


RULES: Final = (pinned, kept_by_luck, tolerates_everything)
