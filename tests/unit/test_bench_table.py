"""The table of `make bench`: what it calls met, and that the page has what was measured."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
MEASURED: dict[str, Any] = json.loads((DOCS / "performance.json").read_text())
FIRST_MS = MEASURED["large_1000"]["cpu_ms_per_app"]
BARE = (MEASURED["floor"]["seconds"] + MEASURED["floor_after"]["seconds"]) / 2


@pytest.mark.parametrize(
    ("figure", "met", "missed", "row"),
    [
        ("create_500.per_app.status", 2, 2.1, "writes per created app"),
        ("create_500.seconds", BARE / 0.91, BARE / 0.89, "500 apps: bare writer / operator"),
        ("create_500.used.operator.cpu_s", 4.0, 4.1, "CPU per created app (5 children + status)"),
        ("rest.per_app.events", 0, 0.1, "writes at rest"),
        ("touch.per_app.status", 0, 0.1, "writes per app where somebody labels"),
        ("edit.per_app.reads", 0, 0.1, "GET/LIST per app: creation"),
        ("storm.per_app.reads", 0, 0.1, "GET/LIST per app where one"),
        ("storm.status_writes.mean", 3, 3.1, "status writes per app in a storm"),
        ("one_by_one.created_ms.p50", 35, 35.1, "one app at a time"),
        ("one_by_one.created_ms.max", 60, 60.1, "one app at a time"),
        ("one_by_one.edited_ms.p99", 50, 50.1, "edit to Deployment patched"),
        ("restart_550.seconds_new_app", 2, 2.1, "restart with 550 apps: first new app served"),
        ("restart_2000.seconds_settled", 5, 5.1, "restart with 2000 apps: settled"),
        ("restart_2000.writes_in_place", 0, 1, "restart with 2000 apps: writes"),
        ("restart_2000.used.operator.peak_rss_mb", 160, 161, "RSS with 2000 apps"),
        ("large_10000.cpu_ms_per_app", 1.24 * FIRST_MS, 1.26 * FIRST_MS, "CPU per new app of 4 children"),
        ("large_pods.rss_mb", 600, 601, "RSS with 10,000 apps and 30,000 pods"),
    ],
)
def test_a_target_is_met_up_to_its_limit(
    bench: Callable[[str], Any], figure: str, met: float, missed: float, row: str
) -> None:
    def verdict(value: float) -> str:
        results = deepcopy(MEASURED)
        *folders, name = figure.split(".")
        place = results
        for folder in folders:
            place = place[folder]
        assert name in place
        place[name] = value
        lines = bench("table").markdown(results).splitlines()
        return str(next(line for line in lines if line.startswith(f"| {row}")).split(" | ")[-1])

    assert (verdict(met), verdict(missed)) == ("met |", "**missed** |")


@pytest.mark.parametrize(("module", "name"), [("table", "figures"), ("profiles", "profile")])
def test_the_page_has_what_was_measured(bench: Callable[[str], Any], module: str, name: str) -> None:
    page = (DOCS / "performance.md").read_text()
    shown = page.partition(f"<!-- {name} -->\n")[2].partition(f"\n<!-- end of {name} -->")[0]
    assert shown == bench(module).markdown(MEASURED)
