"""A simulation's findings for people at a terminal."""

from collections.abc import Iterable, Iterator
from typing import Any

from haapp.cli.quantities import spoken
from haapp.cli.terminal import BAD, FAINT, GOOD, SOME, STRONG, Line, Piece, line, table
from haapp.status.text import plural

SHOWN_LAYOUTS = 6
SHOWN_NODES = 40

Told = dict[str, Any]


def lines(told: Told) -> Iterator[Line]:
    """Everything about one app."""
    yield _headline(told)
    yield from _nodes(told)
    yield from _possible(told)
    yield _survives(told)
    if "loss" in told:
        yield from _loss(told["loss"], told)
    if "rollout" in told:
        yield from _rollout(told["rollout"])
    if "availability" in told:
        yield from _availability(told["availability"], told)
    yield from (line(Piece(f"  note: {note}", FAINT)) for note in told["notes"])


def by_zone(numbers: dict[str, int]) -> str:
    """`zone-a:2 zone-b:1`; nodes without a zone are in `(no zone)`."""
    return " ".join(f"{zone or '(no zone)'}:{number}" for zone, number in numbers.items())


def _headline(told: Told) -> Line:
    placed = f"{told['placed']} of {plural(told['replicas'], 'pod')} placed"
    style = BAD if told["pending"] else GOOD
    return line(Piece(told["name"], STRONG), ": ", Piece(placed, style), f", zones {by_zone(told['zones'])}")


def _nodes(told: Told) -> Iterator[Line]:
    yield from _pending(told)
    besides: dict[str, Told] = told["beside"]
    rows = [("ZONE", "NODE", told["name"], *besides)]
    numbers = {name: {node["name"]: node["pods"] for node in other["nodes"]} for name, other in besides.items()}
    for node in told["nodes"]:
        others = [numbers[name][node["name"]] for name in besides]
        rows.append((node["zone"] or "-", node["name"], *(str(it or "-") for it in (node["pods"], *others))))
    kept = rows[: SHOWN_NODES + 1]
    if len(rows) > len(kept):
        used = [row for row in rows[1:] if any(cell != "-" for cell in row[2:])]
        kept = [rows[0], *used[:SHOWN_NODES]]
    yield from table(kept, "  ")
    if len(kept) < len(rows):
        yield line(Piece(f"  and {len(rows) - len(kept)} nodes more", FAINT))
    for name, other in besides.items():
        yield from _pending({"name": name, **other})


def _pending(told: Told) -> Iterator[Line]:
    if told["pending"]:
        yield line("  ", Piece(f"{plural(told['pending'], 'pod')} of {told['name']} Pending: ", BAD), told["message"])


def _possible(told: Told) -> Iterator[Line]:
    listed, complete = told["possible"]["layouts"], told["possible"]["complete"]
    mine = {"zones": told["zones"], "pending": told["pending"]}
    others = [it for it in listed if it != mine]
    if others:
        yield line("  the scheduler draws lots here; it may as well be:")
        yield from (line(f"    {_layout(it)}") for it in others[:SHOWN_LAYOUTS])
    if len(others) > SHOWN_LAYOUTS:
        yield line(f"    or one of {len(others) - SHOWN_LAYOUTS} more")
    if not complete:
        yield line(Piece("  not every layout that is possible was tried: there are too many", FAINT))


def _layout(layout: Told) -> str:
    return by_zone(layout["zones"]) + (f", {layout['pending']} Pending" if layout["pending"] else "")


def _survives(told: Told) -> Line:
    parts = []
    for level, loss in told["survives"].items():
        parts.append(f"losing {loss['worst'] or f'the {level}'} leaves {loss['left']} of {told['placed']}")
    return line(f"  survives: {'; '.join(parts)}")


def _loss(loss: Told, told: Told) -> Iterator[Line]:
    lost, after = ", ".join([*loss["zones"], *loss["nodes"]]), loss["afterwards"]
    yield line(
        f"  loss of {lost}: ",
        Piece(f"{loss['left']} of {told['placed']} left at once", BAD if not loss["left"] else SOME),
    )
    yield line(f"    once pods were replaced: {after['ready']} ready, zones {by_zone(after['zones'])}")
    yield from (line("  ", *pieces) for pieces in _pending({"name": told["name"], **after}))


def _rollout(rollout: Told) -> Iterator[Line]:
    tried = f" ({plural(rollout['statesTried'], 'state')} tried)"
    source = " from the pods that run now" if rollout["fromLivePods"] else ""
    style = GOOD if rollout["verdict"] == "finishes" else BAD
    yield line(f"  a rollout{source} ", Piece(rollout["verdict"], style), Piece(tried, FAINT))
    if stuck := rollout.get("stuck"):
        old, new = sum(stuck["old"].values()), sum(stuck["new"].values())
        yield line(
            f"    it stands still with {old} old and {new} new pods, {stuck['pending']} Pending: {stuck['message']}"
        )


def _availability(told: Told, whole: Told) -> Iterator[Line]:
    rates = told["rates"]
    yield line(f"  at least {plural(told['keep'], 'pod')} ready, if all failures are independent (an assumption) and")
    for what in ("node", "zone"):
        mtbf, repair = rates[f"{what}MtbfSeconds"], rates[f"{what}RepairSeconds"]
        yield line(f"  a {what} fails every {spoken(mtbf)} and its pods are back after {spoken(repair)}:")
    rows: list[Iterable[Piece | str]] = [("", "AVAILABLE", "NINES", "DOWN A YEAR", "AT WORST", "NINES")]
    rows.append(_row("as it is", told))
    rows += [_row(f"with {name}", change) for name, change in told["changes"].items()]
    yield from table([tuple(row) for row in rows], "    ")
    yield line(Piece("    at worst: as close together as what is required allows, where nodes are full", FAINT))
    if told["unreplaced"]:
        nodes = ", ".join(told["unreplaced"])
        yield line(f"    pods of {nodes} find no place elsewhere: give the machine's own repair time as --node-repair")


def _row(name: str, told: Told) -> tuple[str, ...]:
    placed, worst = told["placed"], told["atWorst"]
    return (
        name,
        percent(placed["availability"], placed["nines"]),
        f"{placed['nines']:.2f}",
        spoken(placed["downSecondsPerYear"]),
        percent(worst["availability"], worst["nines"]),
        f"{worst['nines']:.2f}",
    )


def percent(share: float, nines: float) -> str:
    """With as many digits as its nines need, and two more; never rounded up to 100 %."""
    digits = max(1, min(12, int(nines)))
    text = f"{100 * share:.{digits}f}"
    return f"{text} %" if float(text) < 100 or share == 1 else f"> 99.{'9' * digits} %"
