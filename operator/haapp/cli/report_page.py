"""The report's HTML: one file without anything from outside, so that it can be mailed and read years later."""

import json
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2

TEMPLATE: Final = "report.html.j2"
WIDTH: Final = 190
"""Of a zone's picture, in its own units; the page scales it."""
ROW: Final = 46
PODS_IN_ROW: Final = 9


def page(told: dict[str, Any]) -> str:
    """The page. Every text in it is escaped; the data for its script is JSON in which no tag can end."""
    return _template().render(told=told, zones=[_zone(zone) for zone in told["map"]["zones"]], data=_embedded(told))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(resources.files("haapp.cli").joinpath(TEMPLATE).read_text("utf-8"))


def _embedded(told: dict[str, Any]) -> str:
    nodes = {
        node["name"]: {"zone": zone["name"], "ready": sum(pod["state"] == "ready" for pod in node["pods"])}
        for zone in told["map"]["zones"]
        for node in zone["nodes"]
    }
    data = {"nodes": nodes, "losses": told["losses"], "keep": told["keepReady"], "ready": told["map"]["ready"]}
    return json.dumps(data).replace("<", "\\u003c").replace("&", "\\u0026")


def _zone(zone: dict[str, Any]) -> dict[str, Any]:
    """A zone's nodes, each with where its row begins, and its pods, each with where its dot stands."""
    nodes, top = [], 8
    for node in zone["nodes"]:
        dots = [*_dots(node["pods"]), *_caches(node["caches"], len(node["pods"]))]
        rows = max(1, -(-len(dots) // PODS_IN_ROW))
        nodes.append({**node, "top": top, "height": ROW - 6 + (rows - 1) * 18, "dots": dots})
        top += ROW + (rows - 1) * 18
    return {"name": zone["name"] or "(no zone)", "nodes": nodes, "height": top + 2, "width": WIDTH}


def _dots(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = [pod["state"].replace(" ", "-") + (" old" if pod["old"] else "") for pod in pods]
    return [
        {"kind": kind, "title": f"{pod['name']}: {pod['state']}", **_at(at)}
        for at, (pod, kind) in enumerate(zip(pods, kinds, strict=True))
    ]


def _caches(caches: list[dict[str, Any]], after: int) -> list[dict[str, Any]]:
    told = {True: "ready", False: "not ready"}
    return [
        {
            "kind": "cache" if it["ready"] else "cache not-ready",
            "title": f"{it['name']}: cache, {told[it['ready']]}",
            **_at(after + at),
        }
        for at, it in enumerate(caches)
    ]


def _at(number: int) -> dict[str, int]:
    row, column = divmod(number, PODS_IN_ROW)
    return {"x": 20 + column * 18, "y": 28 + row * 18}
