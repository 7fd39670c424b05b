"""What the pod listens on: the Service's ports, and the ports that serve metrics."""

from collections.abc import Iterable
from dataclasses import dataclass

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Monitoring, Sidecar, Spec
from haapp.render.errors import RenderError

WEB_PORT = "http"


@dataclass(frozen=True, slots=True)
class Target:
    """A place that serves metrics: of the sidecar of that name, or of the main container where it is ""."""

    name: str
    """The container port's name, one in the whole pod."""
    port: int
    path: str
    sidecar: str = ""


def port_name(port: Object) -> str:
    """The port's name on the Service, where each needs one: its own, or one made from protocol and number."""
    name: str = port.get("name") or f"{port.get('protocol', 'TCP').lower()}-{port['containerPort']}"
    return name


def main_port(app: App, wanted_by: str) -> Object:
    """The port that an Ingress or HTTPRoute leads to: the one named http, else the first."""
    ports: list[Object] = app.spec.app.get("ports", [])
    if not ports or app.spec.service.enabled is False:
        raise RenderError(wanted_by, "it needs the Service; give spec.app.ports and leave spec.service.enabled out")
    return next((port for port in ports if port.get("name") == WEB_PORT), ports[0])


def service_ports(spec: Spec) -> list[Object]:
    """core/v1 ServicePorts for the app's ports and the adapters' metrics."""
    own = [_service_port(port) for port in spec.app.get("ports", ())]
    metrics = [
        {"name": target.name, "port": target.port, "targetPort": target.port, "protocol": "TCP"}
        for target in metrics_targets(spec)
        if target.sidecar
    ]
    _refuse_equal(own + metrics)
    return own + metrics


def metrics_targets(spec: Spec) -> list[Target]:
    """The app's own metrics first, then the adapters' in the user's order."""
    taken = {port_name(port) for port in spec.app.get("ports", ())}
    targets = _own_target(spec, taken)
    for sidecar in _adapters(spec):
        assert sidecar.metrics is not None  # noqa: S101 - `_adapters` asked
        name = _adapter_port_name(sidecar, taken)
        targets.append(Target(name, sidecar.metrics.port, sidecar.metrics.path, sidecar.name))
    return targets


def _own_target(spec: Spec, taken: set[str]) -> list[Target]:
    monitoring = spec.monitoring
    if monitoring is None or (monitoring.port is None and _adapters(spec)):
        return []
    declared = _declared(spec, monitoring)
    if declared is None and not isinstance(monitoring.port, int):
        raise RenderError("spec.monitoring.port", "spec.app.ports has no such port; name one of them or give a number")
    if declared is None:
        return [Target(_free_name(taken), int(monitoring.port or 0), monitoring.path)]
    return [Target(declared.get("name") or _free_name(taken), declared["containerPort"], monitoring.path)]


def _declared(spec: Spec, monitoring: Monitoring) -> Object | None:
    """The container port that serves the app's metrics: the one asked for, else one named metrics, else the first."""
    ports: list[Object] = spec.app.get("ports", [])
    if monitoring.port is None:
        named = (port for port in ports if port.get("name") == names.METRICS_PORT)
        return next(named, ports[0] if ports else None)
    return next((port for port in ports if monitoring.port in (port.get("name"), port["containerPort"])), None)


def _adapters(spec: Spec) -> list[Sidecar]:
    return [sidecar for sidecar in spec.sidecars if sidecar.metrics is not None]


def _adapter_port_name(sidecar: Sidecar, taken: set[str]) -> str:
    """The name that the adapter's container gives to its metrics port, else a free one."""
    assert sidecar.metrics is not None  # noqa: S101 - an adapter with metrics
    number = sidecar.metrics.port
    ports = (port for port in sidecar.container.get("ports", ()) if port["containerPort"] == number)
    name: str | None = next((port["name"] for port in ports if "name" in port), None)
    if name is None:
        return _free_name(taken)
    if name in taken:
        raise RenderError("spec.sidecars", f"{sidecar.name} names its port {name} as another one is; name it otherwise")
    taken.add(name)
    return name


def _free_name(taken: set[str]) -> str:
    """`metrics`, or the first of `metrics-2`, `metrics-3`, ... that is free; it is taken from now on."""
    name, count = names.METRICS_PORT, 1
    while name in taken:
        count += 1
        name = f"{names.METRICS_PORT}-{count}"
    taken.add(name)
    return name


def _service_port(port: Object) -> Object:
    number: int = port["containerPort"]
    return {
        "name": port_name(port),
        "port": number,
        # By name a rollout may change the number: each pod is reached at its own.
        "targetPort": port.get("name") or number,
        "protocol": port.get("protocol", "TCP"),
    }


def _refuse_equal(ports: Iterable[Object]) -> None:
    seen: set[tuple[str, int] | str] = set()
    for port in ports:
        keys: tuple[tuple[str, int] | str, ...] = ((port["protocol"], port["port"]), port["name"])
        if seen.intersection(keys):
            raise RenderError("spec.app.ports", f"{port['name']} {port['port']} is there twice; leave one of them out")
        seen.update(keys)
