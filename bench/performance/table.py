"""The figures against their targets, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from performance import large

LINEAR = 1.25
"""What the last apps may cost of the first ones, and still be called constant on a machine that others use."""

Row = tuple[str, str, str, bool]


def brief(figures: Mapping[str, Any]) -> str:
    """One line of a phase's most telling figures."""
    told = {name: value for name, value in figures.items() if isinstance(value, int | float)}
    for name in ("latency_s", "per_app", "status_writes", "failed"):
        told |= {name: figures[name]} if figures.get(name) else {}
    for name in ("created_ms", "edited_ms"):
        told |= {name: {k: v for k, v in figures[name].items() if k != "all"}} if name in figures else {}
    told |= {name: of_it for name, of_it in figures.get("used", {}).items() if name == "operator"}
    return ", ".join(f"{name} {value}" for name, value in told.items())


def markdown(results: Mapping[str, Any]) -> str:
    """The table, with the machine above it."""
    machine = results["machine"]
    head = (
        f"Machine: {machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, shared by API server, etcd, "
        f"controllers, load generator and operator; load before the run {machine['load_before']}.\n"
    )
    lines = ["| figure | target | measured | |", "|---|---|---|---|"]
    for name, target, value, met in rows(results):
        verdict = ("met" if met else "**missed**") if target else ""
        lines.append(f"| {name} | {target} | {value} | {verdict} |")
    return "\n".join([head, *lines])


def insert(page: Path, name: str, text: str) -> None:
    """Put the tables of that name between their marks on the page, or at its end; and print them."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = page.read_text() if page.exists() else "# Performance\n"
    if begin not in old:
        old += f"\n{begin}\n{end}\n"
    before, _, rest = old.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")
    print(text)


def rows(results: Mapping[str, Any]) -> Iterator[Row]:
    """(figure, target, measured, whether it is met)."""
    sizes = sorted((n for n in results if n.startswith("create_") and n[7:].isdigit()), key=lambda n: int(n[7:]))
    first = results[sizes[0]]
    yield from _creation(results, first)
    yield from _pods(results)
    yield from _single(results["one_by_one"])
    bare = results["create_no_services"]
    cpu = _cpu(first)
    yield "CPU per created app (5 children + status)", "&le; 8 ms", f"{cpu:.1f} ms", cpu <= 8
    yield "CPU per created app of 4 children", "", f"{_cpu(bare):.1f} ms", True
    yield from _restarts(results)
    yield from _large(results)


def _creation(results: Mapping[str, Any], first: Mapping[str, Any]) -> Iterator[Row]:
    per_app = first["per_app"]
    told = f"{per_app['children']:g} children + {per_app['status']:g} status, {per_app['events']:g} Events"
    met = per_app["children"] <= 5 and per_app["status"] <= 2
    yield "writes per created app", "its children + 2 status", told, met
    touched = "writes per app where somebody labels the app and its Deployment (no-op)"
    for name, what in (("rest", "writes at rest"), ("touch", touched)):
        writes = sum(results[name]["per_app"][sort] for sort in ("children", "status", "events"))
        yield what, "0", f"{writes:g}", writes == 0
    yield from _reads(results)
    bare = results["create_no_services"]
    for suffix, what, made, target in (("", "", first, 0.9), ("_no_services", " without Services", bare, 0.6)):
        floors = results[f"floor{suffix}"], results[f"floor_after{suffix}"]
        same = results[f"same_writes{suffix}"]
        before, after = (floor["seconds"] for floor in floors)
        ratio = (before + after) / 2 / made["seconds"]
        told = f"{ratio:.2f} ({before} s before and {after} s after / {made['seconds']} s)"
        yield f"{made['apps']} apps{what}: bare writer / operator", f"&ge; {target}", told, ratio >= target
        same_what = f"{made['apps']} apps{what}: the same writes without an operator / operator"
        yield same_what, "", _ratio(same, made), True
        yield f"{made['apps']} apps{what}: until each has its status", "", f"{made['seconds_observed']} s", True
        yield f"{made['apps']} apps{what}, all at once: creation to Deployment, p50 / p99", "", _latency(made), True
        told = " / ".join(f"{_cpu(figures, 'apiserver'):.0f}" for figures in (*floors, same, made))
        who = "bare writer before / after / the same writes / operator until each has its status"
        yield f"{made['apps']} apps{what}: CPU of the API server per app, {who}", "", f"{told} ms", True
    edits = results["edit"]["per_app"]
    told = f"{edits['children']:g} children + {edits['status']:g} status, {edits['events']:g} Events"
    yield "writes per image change", "", told, True
    yield from _changed("another image for all", results["edit"])
    yield from _more(results)
    cpu = results["rest"]["used"]["operator"]["cpu_s"]
    yield f"CPU of the operator in {results['rest']['seconds']:g} s of rest", "", f"{cpu:g} s", True


def _changed(what: str, figures: Mapping[str, Any]) -> Iterator[Row]:
    told = f"{figures['seconds']} s, {figures['seconds_observed']} s, {_cpu(figures):.1f} ms"
    yield f"{figures['apps']} apps, {what}: until all are changed, until all is told, CPU per app", "", told, True


def _more(results: Mapping[str, Any]) -> Iterator[Row]:
    """The larger sizes: so many more apps that there are as many."""
    for name, made in results.items():
        size = name.removeprefix("create_to_")
        if size != name:
            what = f"{made['apps']} more apps without Services, {size} in all"
            yield from _against(what, results[f"floor_{size}"], made)


def _against(what: str, floor: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[Row]:
    yield f"{what}: bare writer / operator", "", _ratio(floor, made), True
    yield f"{what}: until each has its status", "", f"{made['seconds_observed']} s", True
    yield f"{what}: creation to Deployment, p50 / p99", "", _latency(made), True
    peaks = " / ".join(f"{made['used'][who]['peak_rss_mb']:.0f} MB" for who in ("operator", "apiserver"))
    yield f"{what}: peak RSS of operator / API server", "", peaks, True


def _ratio(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    return f"{one['seconds'] / other['seconds']:.2f} ({one['seconds']} s / {other['seconds']} s)"


def _cpu(figures: Mapping[str, Any], of: str = "operator") -> float:
    """Milliseconds of CPU for each app."""
    return float(1000 * figures["used"][of]["cpu_s"] / figures["apps"])


def _latency(made: Mapping[str, Any]) -> str:
    return f"{made['latency_s']['p50']} / {made['latency_s']['p99']} s"


def _reads(results: Mapping[str, Any]) -> Iterator[Row]:
    """The GETs and LISTs in each phase but the restarts, which are the watches' own lists."""
    phases = {name: r["per_app"]["reads"] for name, r in results.items() if "reads" in r.get("per_app", ())}
    made_anew = phases.pop("storm", None)
    most = max(phases.values())
    yield "GET/LIST per app: creation, image change, rollout, rest", "0", f"{most:g}", most == 0
    if made_anew is not None:
        what = "GET/LIST per app where one that has been served gets another child (storm)"
        yield what, "0", f"{made_anew:g}", made_anew == 0


def _pods(results: Mapping[str, Any]) -> Iterator[Row]:
    if "storm" not in results:
        return
    made = results["create_pods"]
    yield from _against(f"{made['apps']} apps of 3 pods", results["floor_pods"], made)
    yield from _changed("another image for 3 pods each", results["rollout"])
    storm = results["storm"]["status_writes"]
    told = f"{storm['mean']} (most {storm['max']})"
    yield "status writes per app in a storm of 0 to 30 pods", "&le; 3", told, storm["mean"] <= 3
    rollout = results["rollout"]["per_app"]
    total = sum(rollout.values())
    told = f"{total:.2f} ({rollout['children']:g} children, {rollout['status']:g} status, {rollout['events']:g} Events)"
    yield "requests per app in a rollout with 3 pods", "&le; 4", told, total <= 4
    told = f"{results['storm']['seconds']} s, {_cpu(results['storm']):.0f} ms"
    yield "storm of 0 to 30 pods: until all are ready and told of, CPU per app", "", told, True


def _single(single: Mapping[str, Any]) -> Iterator[Row]:
    made, edited = single["created_ms"], single["edited_ms"]
    met = made["p50"] <= 35 and made["max"] <= 60
    told = f"{made['p50']} / {made['max']} ms"
    yield "one app at a time, creation to Deployment, p50 / max", "&le; 35 / 60 ms", told, met
    yield "edit to Deployment patched, idle, p99", "&le; 50 ms", f"{edited['p99']} ms", edited["p99"] <= 50


def _large(results: Mapping[str, Any]) -> Iterator[Row]:
    if "large_restart" not in results:
        return
    sizes = large.sizes(results)
    told = ", ".join(f"{r['cpu_ms_per_app']} ms up to {r['apps']:,}" for r in sizes)
    ratio = sizes[-1]["cpu_ms_per_app"] / sizes[0]["cpu_ms_per_app"]
    yield (
        "CPU per new app of 4 children, as they become more",
        f"constant, within {LINEAR - 1:.0%}",
        told,
        ratio <= LINEAR,
    )
    pods, restart = results["large_pods"], results["large_restart"]
    what = f"RSS with {pods['apps']:,} apps and {pods['pods']:,} pods"
    yield what, "&le; 600 MB", f"{pods['rss_mb']:.0f} MB", pods["rss_mb"] <= 600
    peak = restart["used"]["operator"]["peak_rss_mb"]
    yield f"{what}, peak of a restart", "&le; 600 MB", f"{peak:.0f} MB", peak <= 600
    yield (
        f"restart with that: settled (writes {restart['writes_in_place']})",
        "",
        f"{restart['seconds_settled']} s",
        True,
    )


def _restarts(results: Mapping[str, Any]) -> Iterator[Row]:
    restarts = sorted((r for n, r in results.items() if n.startswith("restart_")), key=lambda r: int(r["apps"]))
    for r in restarts:
        told, memory, writes = r["seconds_new_app"], r["used"]["operator"]["peak_rss_mb"], r["writes_in_place"]
        target = "&le; 2 s" if 500 <= r["apps"] < 1000 else ""
        yield f"restart with {r['apps']} apps: first new app served", target, f"{told} s", told <= 2
        target = "&le; 5 s" if r["apps"] >= 2000 else ""
        yield f"restart with {r['apps']} apps: settled", target, f"{r['seconds_settled']} s", r["seconds_settled"] <= 5
        yield f"restart with {r['apps']} apps: writes to what is in place", "0", str(writes), not writes
        limit = 160 if r["apps"] <= 2500 else 600
        yield f"RSS with {r['apps']} apps", f"&le; {limit} MB", f"{memory:.0f} MB", memory <= limit
