"""What the pod listens on: the Service's ports, and the ports that serve metrics."""

from collections.abc import Iterable
from dataclasses import dataclass

from haapp.api import names
from haapp.api.objects import Object
from haapp.api.spec import Sidecar, Spec
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


def main_port(spec: Spec) -> Object:
    """The port that an Ingress or HTTPRoute leads to: the one named http, else the first that has a name."""
    named: list[Object] = [port for port in spec.app["ports"] if "name" in port]
    return next((port for port in named if port["name"] == WEB_PORT), named[0])


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
    if monitoring is None or monitoring.port is None:
        return []
    declared = _declared(spec, monitoring.port)
    name = declared.get("name") or _free_name(taken)
    return [Target(name, declared["containerPort"], monitoring.path)]


def _declared(spec: Spec, wanted: int | str) -> Object:
    """The app's port of that name or number; a number that it does not declare stands for itself."""
    ports: list[Object] = spec.app.get("ports", [])
    found = (port for port in ports if wanted in (port.get("name"), port["containerPort"]))
    return next(found, {"containerPort": wanted})


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
