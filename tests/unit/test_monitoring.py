"""manifests/monitoring: nothing is asked for that the operator does not tell."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from haapp.runtime import metrics

FOLDER = Path(__file__).parents[2] / "manifests" / "monitoring"


def told() -> set[str]:
    """The name of every series of the operator's."""
    names = set()
    for family in REGISTRY.collect():
        if family.name.startswith("haapp_"):
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
            names |= {family.name + suffix for suffix in suffixes}
    return names


def expressions(file: str) -> list[str]:
    """Every PromQL expression of a file."""
    if file == "alerts.yaml":
        spec = yaml.safe_load((FOLDER / file).read_text())["spec"]
        return [rule["expr"] for group in spec["groups"] for rule in group["rules"]]
    board: dict[str, Any] = json.loads((FOLDER / file).read_text())
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]


@pytest.mark.parametrize("file", ["alerts.yaml", "dashboard.json"])
def test_every_metric_exists(file: str) -> None:
    named = {name for text in expressions(file) for name in re.findall(r"\bhaapp_\w+", text)}
    assert named <= told()
    assert len(named) >= 8


def test_the_dashboard_shows_every_metric_of_an_app() -> None:
    shown = " ".join(expressions("dashboard.json"))
    gauges = [family.name for family in metrics.APPS.collect()]
    assert len(gauges) == 8
    assert [name for name in gauges if name not in shown] == []


def test_every_panel_has_its_own_place() -> None:
    board = json.loads((FOLDER / "dashboard.json").read_text())
    places = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
