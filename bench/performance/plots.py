"""Four plots as SVG, drawn here: a few lines of text each, and no library to install for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from performance import large

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 320, 70, 50, 40, 20
COLOURS = ("#3f51b5", "#e67e22", "#2e8b57", "#b03a48", "#7f8c8d")

Points = Sequence[tuple[float, float]]


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Write performance-latency.svg, performance-requests.svg, performance-memory.svg and, where it is known how cost
    grows, performance-growth.svg into the folder."""
    created = {name: r["latencies_s"] for name, r in results.items() if r.get("latencies_s")}
    curves = {name: [(float(n), value) for n, value in enumerate(values)] for name, values in created.items()}
    title = "From the app's creation to its Deployment, all apps created at once"
    (folder / "performance-latency.svg").write_text(lines(title, "percentile", "seconds", curves))
    bars = {name: r["per_app"] for name, r in results.items() if r.get("per_app") and name != "rest"}
    (folder / "performance-requests.svg").write_text(stacks("The operator's requests per app, by phase", bars))
    title = "The operator's memory against apps"
    (folder / "performance-memory.svg").write_text(lines(title, "apps", "MB resident", memory(results)))
    if grown := large.sizes(results):
        curve = {"the operator's CPU for each": [(float(r["apps"]), float(r["cpu_ms_per_app"])) for r in grown]}
        title = "What a new app costs, the more there are"
        (folder / "performance-growth.svg").write_text(lines(title, "apps", "milliseconds", curve))


def memory(results: Mapping[str, Any]) -> dict[str, Points]:
    """(apps in place, peak resident MB), of a process begun with them and of one that saw them come."""
    begun = [r for name, r in results.items() if name.startswith("restart_")]
    grown = large.sizes(results)
    runs = {"peak of a process begun with them": begun, "peak of one that saw them come, another run": grown}
    return {
        what: sorted((float(r["apps"]), float(r["used"]["operator"]["peak_rss_mb"])) for r in figures)
        for what, figures in runs.items()
        if figures
    }


def lines(title: str, across: str, up: str, curves: Mapping[str, Points]) -> str:
    """A line for each curve."""
    points = [point for curve in curves.values() for point in curve] or [(1.0, 1.0)]
    right, top = max(x for x, _ in points) or 1.0, max(y for _, y in points) or 1.0
    body = axes(title, across, up, right, top)
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{_x(x / right):.1f},{_y(y / top):.1f}" for x, y in curve)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        body.append(text(LEFT + 10, TOP + 14 * (number + 1), name, colour=colour))
    return picture(body)


def stacks(title: str, bars: Mapping[str, Mapping[str, float]]) -> str:
    """A bar for each phase, of one piece for each sort of request."""
    top = max((sum(parts.values()) for parts in bars.values()), default=1.0) or 1.0
    body = axes(title, "", "requests per app", None, top)
    sorts = list(dict.fromkeys(sort for parts in bars.values() for sort in parts))
    step = 1 / max(1, len(bars))
    for number, (name, parts) in enumerate(bars.items()):
        low = 0.0
        for sort, value in parts.items():
            high = low + value
            left, upper = _x((number + 0.2) * step), _y(high / top)
            size = f'width="{_x(step * 0.6) - _x(0):.1f}" height="{_y(low / top) - upper:.1f}"'
            fill = COLOURS[sorts.index(sort) % len(COLOURS)]
            body.append(f'<rect x="{left:.1f}" y="{upper:.1f}" {size} fill="{fill}"/>')
            low = high
        for row, words in enumerate(name.replace("_", " ").split(" ", 1)):
            body.append(text(_x((number + 0.5) * step), HEIGHT - BOTTOM + 14 * (row + 1), words, anchor="middle"))
    for number, sort in enumerate(sorts):
        body.append(text(LEFT + 10 + 90 * number, HEIGHT - 8, sort, colour=COLOURS[number % len(COLOURS)]))
    return picture(body)


def axes(title: str, across: str, up: str, right: float | None, top: float) -> list[str]:
    """The frame, and five marks on each axis that has numbers."""
    body = [text(WIDTH / 2, 20, title, anchor="middle", colour="#000")]
    for n in range(5):
        share = n / 4
        y = _y(share)
        body.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        body.append(text(LEFT - 6, y + 4, f"{top * share:.3g}", anchor="end"))
        if right is not None:
            body.append(text(_x(share), HEIGHT - BOTTOM + 16, f"{right * share:,.0f}", anchor="middle"))
    body.append(text(WIDTH / 2, HEIGHT - 12, across, anchor="middle"))
    body.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{up}</text>')
    return body


def text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = "#555") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def picture(body: Sequence[str]) -> str:
    """The whole file; the background is white, for pages that are dark."""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *body, "</svg>", ""])


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
