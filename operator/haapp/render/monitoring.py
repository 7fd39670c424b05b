"""Who scrapes what: annotations on the pods, and a PodMonitor."""

from typing import Final

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Spec
from haapp.render.environment import MONITORING_API, Environment
from haapp.render.metadata import metadata
from haapp.render.ports import metrics_targets
from haapp.render.templating import fill

SCRAPE: Final = "prometheus.io/scrape"
SCRAPE_PORT: Final = "prometheus.io/port"
SCRAPE_PATH: Final = "prometheus.io/path"


def scrape_annotations(spec: Spec) -> dict[str, str]:
    """The pod's scrape annotations. They can name one port only: the app's own, else the first adapter's."""
    targets = metrics_targets(spec)
    if not targets:
        return {}
    return {SCRAPE: "true", SCRAPE_PORT: str(targets[0].port), SCRAPE_PATH: targets[0].path}


def pod_monitor(app: App, environment: Environment, selector: dict[str, str]) -> Object | None:
    """The PodMonitor, where it is wanted and the API is installed."""
    monitoring = app.spec.monitoring
    if monitoring is None or not monitoring.pod_monitor or MONITORING_API not in environment.apis:
        return None
    targets = metrics_targets(app.spec)
    return fill("podmonitor.yaml.j2", meta=metadata(app, app.name), selector=selector, targets=targets)


def monitoring_notes(spec: Spec, environment: Environment) -> list[str]:
    """What was asked for and is not to be had."""
    monitoring, notes = spec.monitoring, []
    wanted = monitoring is not None and monitoring.pod_monitor
    if wanted and MONITORING_API not in environment.apis:
        notes.append(f"PodMonitor is not rendered: {MONITORING_API} is not installed")
    left_out = metrics_targets(spec)[1:]
    if left_out and not wanted:
        ports = ", ".join(str(target.port) for target in left_out)
        notes.append(f"The scrape annotations can name one port; with monitoring.podMonitor also {ports} is scraped")
    return notes
