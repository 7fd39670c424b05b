"""`map`: zones as columns, nodes as rows, pods and caches in them, the skew, and what survives."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from haapp.cli import output, terminal
from haapp.cli.cluster import Cluster, add_arguments, add_namespace, connect
from haapp.cli.errors import FINE
from haapp.cli.live import look, look_all
from haapp.cli.picture import Picture, picture
from haapp.cli.terminal import BAD, FAINT, GOOD, SOME, STRONG, Line, Piece, line

EXAMPLES = """\
  kubectl haapp map
  kubectl haapp map shop -n production --watch
  kubectl haapp map shop -o json
"""
LEGEND = "● ready  ○ not ready  ◐ older revision  ✕ leaving  ◆ cache  ◇ cache not ready"
SIGNS = {"ready": ("●", GOOD), "not ready": ("○", SOME), "leaving": ("✕", FAINT)}
OLD_SIGN = "◐"
SECONDS = 2.0
"""Between two looks of --watch."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="one app (default: all of the namespace)")
    add_arguments(parser)
    add_namespace(parser)
    parser.add_argument("-w", "--watch", action="store_true", help="show it again whenever it changes, until Ctrl-C")
    output.add_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    cluster = connect(arguments)
    if arguments.watch:
        return _watch(cluster, arguments.name)
    pictures = _pictures(cluster, arguments.name)
    if arguments.output == "text":
        terminal.show(_all_lines(pictures, cluster))
    else:
        output.write({"apps": pictures}, arguments.output)
    return FINE


def _pictures(cluster: Cluster, name: str | None) -> list[Picture]:
    return [picture(live) for live in ((look(cluster, name),) if name else look_all(cluster))]


def _watch(cluster: Cluster, name: str | None) -> int:
    before: list[Picture] | None = None
    try:
        while True:
            pictures = _pictures(cluster, name)
            if pictures != before:
                if sys.stdout.isatty():
                    sys.stdout.write("\x1b[H\x1b[2J")
                terminal.show(_all_lines(pictures, cluster))
                sys.stdout.flush()
                before = pictures
            time.sleep(SECONDS)
    except KeyboardInterrupt:
        return FINE


def _all_lines(pictures: Iterable[Picture], cluster: Cluster) -> Iterator[Line]:
    shown = False
    for found in pictures:
        yield from lines(found)
        shown = True
    yield line(Piece(LEGEND, FAINT)) if shown else line(f"no HighAvailabilityApp in namespace {cluster.namespace}")


def lines(found: Picture) -> Iterator[Line]:
    """The map of one app."""
    yield line(Piece(found["name"], STRONG), f"  {found['summary']}")
    columns = [_column(zone) for zone in found["zones"]]
    for row in zip_longest(*columns):
        yield tuple(piece for cell, column in zip(row, columns, strict=True) for piece in _padded(cell or (), column))
    for pod in found["waiting"]:
        yield line("  without a node: ", _sign(pod), f" {pod['name']}")
    yield line(f"  skew: {', '.join(map(_skew, found['skew']))}")
    left = (f"without {it['worst'] or level} {it['left']} of {found['ready']} are left" for level, it in _losses(found))
    yield line(f"  survives: {'; '.join(left)}")


def _losses(found: Picture) -> Iterable[tuple[str, Picture]]:
    survives: dict[str, Picture] = found["survives"]
    return survives.items()


def _column(zone: Picture) -> list[Line]:
    return [line("  ", Piece(zone["name"] or "(no zone)", STRONG)), *map(_row, zone["nodes"])]


def _row(node: Picture) -> Line:
    style = BAD if not node["ready"] else FAINT if not node["mayBeUsed"] else ""
    down = " (down)" if not node["ready"] else "" if node["mayBeUsed"] else " (not used)"
    caches = [Piece("◆" if cache["ready"] else "◇", GOOD if cache["ready"] else SOME) for cache in node["caches"]]
    return line("  ", Piece(f"{node['name']}{down} ", style), *map(_sign, node["pods"]), *caches)


def _sign(pod: Picture) -> Piece:
    sign, style = SIGNS[pod["state"]]
    return Piece(OLD_SIGN if pod["old"] and pod["state"] == "ready" else sign, style)


def _padded(cell: Line, column: list[Line]) -> Line:
    width = max(sum(len(piece.text) for piece in row) for row in column)
    missing = width - sum(len(piece.text) for piece in cell)
    return (*cell, Piece(" " * (missing + 2)))


def _skew(level: Picture) -> str:
    over = level["skew"] > level["maxSkew"]
    return f"{level['level']} {level['skew']}{' above' if over else ' of'} {level['maxSkew']}"
