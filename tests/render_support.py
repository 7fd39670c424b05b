"""Apps and their objects for the tests of rendering."""

from typing import Any

from haapp.api import App, parse_app
from haapp.api.names import API_VERSION, KIND
from haapp.render import Environment, Rendered, render

MAIN = {"image": "shop:1", "ports": [{"name": "http", "containerPort": 8080}]}


def app_of(spec: dict[str, Any] | None = None, name: str = "shop", **metadata: Any) -> App:
    """An app with `spec` beside a main container that is as plain as can be."""
    wanted = spec or {}
    main = {**MAIN, **wanted.get("app", {})}
    meta = {"name": name, "namespace": "store", **metadata}
    return parse_app({"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "spec": {**wanted, "app": main}})


def rendered(
    spec: dict[str, Any] | None = None, environment: Environment | None = None, name: str = "shop"
) -> Rendered:
    """What such an app becomes."""
    return render(app_of(spec, name=name), environment or Environment())


def pick(result: Rendered, kind: str, name: str | None = None) -> Any:
    """The object of that kind (and name), or None."""
    found = [it for it in result.objects if it["kind"] == kind and name in (None, it["metadata"]["name"])]
    assert len(found) <= 1, f"{len(found)} objects of kind {kind}"
    return found[0] if found else None


def deployment_of(spec: dict[str, Any] | None = None, environment: Environment | None = None) -> Any:
    """The app's Deployment."""
    return pick(rendered(spec, environment), "Deployment", "shop")


def pod_of(spec: dict[str, Any] | None = None, environment: Environment | None = None) -> Any:
    """The pod spec in the app's Deployment."""
    return deployment_of(spec, environment)["spec"]["template"]["spec"]


def main_of(spec: dict[str, Any] | None = None) -> Any:
    """The main container."""
    return pod_of(spec)["containers"][0]


def init_of(spec: dict[str, Any]) -> list[Any]:
    """The init containers, native sidecars among them, in order."""
    return list(pod_of(spec).get("initContainers", []))


def env_of(container: Any) -> dict[str, Any]:
    """A container's variables, name to value (or to where the value comes from)."""
    return {it["name"]: it.get("value", it.get("valueFrom")) for it in container.get("env", [])}
