"""The page about one app: what is in it, that no text can break it, and how it works in a browser."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.browser import CHROMIUM, WHY_NOT, browser
from tests.live_cases import deployment, node, pod, replica_sets
from tests.render_support import app_of
from tests.simulation_cases import node_objects

from haapp.cli.live import LiveApp
from haapp.cli.picture import picture
from haapp.cli.report_page import page

NAUGHTY = "</script><b onload='x'>&\"\u2028"


def live(**spec: Any) -> LiveApp:
    """Three zones of two nodes; four pods, one of an older revision, one without a node, and a cache."""
    app = app_of({"replicas": 5, "zones": {"keepReady": 2}, **spec})
    nodes = tuple(node(obj["metadata"]["name"], obj["metadata"]["name"][0]) for obj in node_objects())
    pods = (
        pod("p1", "a1"),
        pod("p2", "b1"),
        pod("p3", "c1"),
        pod("p4", "a1", template_hash="old11"),
        pod("p5", "", ready=False, scheduled_message="0/6 nodes are available: 6 Insufficient cpu."),
    )
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "Unschedulable",
        "message": NAUGHTY,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    obj = {
        "apiVersion": "highavailability.dev/v1alpha1",
        "kind": "HighAvailabilityApp",
        "metadata": {"name": "shop", "namespace": "store", "generation": 1},
        "status": {"observedGeneration": 1, "conditions": [condition], "summary": "4/5 ready"},
    }
    return LiveApp(obj, app, deployment(5), replica_sets(), pods, (pod("cache", "a1"),), nodes)


def told() -> dict[str, Any]:
    """As `report` would gather it."""
    found = live()
    shown = picture(found)
    losses = [
        {
            "level": "zone",
            "name": zone["name"],
            "left": shown["survives"]["zone"]["without"].get(zone["name"], 4),
            "afterwards": {"ready": 4, "pending": 1, "message": "0/6 nodes are available."},
        }
        for zone in shown["zones"]
    ]
    losses += [
        {"level": "node", "name": name, "left": left} for name, left in shown["survives"]["node"]["without"].items()
    ]
    cause = {"pod": "p5", "node": "", "what": NAUGHTY, "field": "spec.app", "change": "x", "alike": 0}
    return {
        "cluster": "here",
        "written": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "map": shown,
        "explained": {"ready": "False", "chain": [{"pods": [cause]}]},
        "conditions": list(found.conditions),
        "keepReady": {"zone": 2, "node": 1},
        "losses": losses,
        "note": "",
        "events": [{"time": "2026-01-01 00:00:00", "type": "Warning", "reason": "Bad", "message": NAUGHTY, "count": 2}],
    }


class Tags(HTMLParser):
    """Collects what a browser would fetch, and that every tag is closed."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "data"}]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_picture_tells_every_pod_once() -> None:
    shown = picture(live())
    pods = {p["name"]: p for zone in shown["zones"] for n in zone["nodes"] for p in n["pods"]}
    assert sorted(pods) == ["p1", "p2", "p3", "p4"]
    assert pods["p4"]["old"]
    assert not pods["p1"]["old"]
    assert [p["name"] for p in shown["waiting"]] == ["p5"]
    assert shown["survives"]["zone"] == {"left": 2, "worst": "a", "without": {"a": 2, "b": 3, "c": 3}}
    assert [(level["level"], level["skew"]) for level in shown["skew"]] == [("zones", 1), ("nodes", 2)]


def test_the_page_is_whole_and_asks_nobody_for_anything() -> None:
    text = page(told())
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.addresses == ["data:,"]
    assert tags.names.count("script") == 2
    assert "b onload" not in text.replace("&lt;b onload", "")
    assert "http" not in text.replace("http-equiv", "")


# In a browser

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT)
LOST = "[...document.querySelectorAll('.node.lost')].map((node) => node.dataset.node)"
ANSWER = "document.getElementById('answer').textContent"


def click(level: str, name: str) -> str:
    return f"document.querySelector('button[data-level={level}][data-name={name}]').click()"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "report.html"
    written.write_text(page(told()), encoding="utf-8")
    return written


@needs_chromium
async def test_losing_zones_and_nodes_by_button(file: Path, tmp_path: Path) -> None:
    async with browser(tmp_path / "profile") as tab:
        await tab.open(file)
        await tab.evaluate(click("zone", "a"))
        assert await tab.evaluate(ANSWER) == (
            "2 of 4 pods left, 2 asked for: enough. Once the lost pods were replaced: 4 ready, 1 Pending: "
            "0/6 nodes are available."
        )
        assert await tab.evaluate("[...document.querySelectorAll('.node.lost')].map(n => n.dataset.node)") == [
            "a1",
            "a2",
        ]
        await tab.evaluate(click("node", "b1"))
        assert await tab.evaluate(ANSWER) == "1 of 4 pods left, 2 asked for: too few."
        await tab.evaluate(click("zone", "a"))
        assert await tab.evaluate(ANSWER) == "3 of 4 pods left, 1 asked for: enough."
        await tab.evaluate(click("node", "b1"))
        assert await tab.evaluate(ANSWER) == "Press one or several: 4 pods ready now."
        assert await tab.evaluate(LOST) == []
        assert tab.errors == []


READABLE = """
(() => {
  const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = (css) => {
    const [r, g, b] = css.match(/[\\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const css = getComputedStyle(e).backgroundColor;
      if (css !== 'rgba(0, 0, 0, 0)') return css;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = document.querySelectorAll('h1 span, h2, p, td, button, svg text');
  const contrast = [...texts].filter((e) => e.textContent.trim()).map((e) => {
    const style = getComputedStyle(e);
    const [a, b] = [light(e instanceof SVGElement ? style.fill : style.color), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
  const text = [...document.querySelectorAll('svg text')].map((e) => e.getBoundingClientRect().height);
  return {wide: document.documentElement.scrollWidth, contrast: Math.min(...contrast), text: Math.min(...text)};
})()
"""
"""Width of the content, the least contrast of any text by WCAG's formula, and the height of the map's text."""


@needs_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000])
async def test_it_can_be_read(file: Path, tmp_path: Path, width: int, dark: bool) -> None:
    async with browser(tmp_path / "profile") as tab:
        await tab.open(file, width=width, dark=dark)
        found = await tab.evaluate(READABLE)
        assert found["wide"] <= width
        assert found["contrast"] >= 4.5
        assert found["text"] >= 11
        assert tab.errors == []
