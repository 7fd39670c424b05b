"""What the fault tests found, as it stands in docs/reliability.md: results.json is what `make faults` writes."""

import json
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from tests.faults.found import Found
from tests.faults.operations import OPERATIONS

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- begin: made by `make faults` -->\n", "<!-- end: made by `make faults` -->\n"
COLUMNS = tuple(OPERATIONS)
TAKEOVERS = {
    "SIGTERM": "SIGTERM (3 s)",
    "SIGKILL": "kill -9 (20 s)",
    "SIGSTOP": "SIGSTOP past the lease (20 s)",
    "lease: 503": "503 to every renewal (22 s)",
    "lease: never answered": "no answer to a renewal (22 s)",
    "lease: answers lost": "a broken connection at every renewal (22 s)",
    "lease: neither read nor renewed": "no answer of the lease at all (22 s)",
}

Results = dict[str, Any]


def load() -> Results:
    found: Results = json.loads(RESULTS.read_text())
    return found


def save(found: Found, ran: dict[str, bool], *, whole: bool) -> None:
    """Keep the results of a run, and put the pages in step; `ran` tells of each test whether it passed.

    A whole run takes the place of all that was there. After a run of some tests, which failed before, those that pass
    are no longer failed, and what they measured takes the place of what was measured before.
    """
    failed = {name for name, passed in ran.items() if not passed}
    results = rounded(asdict(found))
    if whole:
        results["failed"] = sorted(failed)
    else:
        before = load()
        results = again(before, results, set(ran)) | {"failed": sorted((set(before["failed"]) - ran.keys()) | failed)}
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    put(PAGE, text(results))
    put(README, figures(results))


def again(before: Results, after: Results, ran: set[str]) -> Results:
    """What a whole run found, after some of its tests were run again."""
    measured = {name: after[name] or before[name] for name in ("memory", "poison", "moved")}
    wrong = {
        name: {test: number for test, number in before[name].items() if test not in ran} | after[name]
        for name in ("lost", "extra")
    }
    return {**before, **measured, **wrong}


def rounded(value: Any) -> Any:
    """The same with fewer digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value


def put(page: Path, made: str) -> None:
    """Put what is made in the place of what was made before."""
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}{made}{END}{rest.partition(END)[2]}")


def shown(page: Path) -> str:
    """What a page shows."""
    return page.read_text().partition(BEGIN)[2].partition(END)[0]


def text(found: Results) -> str:
    """The tables of the page."""
    lines = [f"| fault | {' | '.join(COLUMNS)} |", f"|---|{'---:|' * len(COLUMNS)}"]
    for fault, times in sorted(found["faults"].items()):
        lines.append(f"| {fault} | {' | '.join(str(times.get(name, '')) for name in COLUMNS)} |")
    lines += [
        "",
        (
            f"{found['total']} faults injected; {found['compared']} objects compared afterwards; "
            f"states lost: {sum(found['lost'].values())}; objects made twice: {sum(found['extra'].values())}. "
            f"{found['moved']} apps changed there and back.{failures(found)}"
        ),
        "",
        "| the leader gets | takeovers | seconds, the slowest |",
        "|---|---:|---:|",
    ]
    for how, label in TAKEOVERS.items():
        if seconds := found["takeovers"].get(how):
            lines.append(f"| {label} | {len(seconds)} | {max(seconds):.1f} |")
    lines += ["", "| beside it there are | apps created | seconds to the Deployment, median | slowest |"]
    lines += ["|---|---:|---:|---:|"]
    for beside, seconds in found["poison"].items():
        lines.append(f"| {beside} | {len(seconds)} | {median(seconds):.3f} | {max(seconds):.3f} |")
    if memory := found["memory"]:
        rounds = ", ".join(f"{megabytes:.0f}" for megabytes in memory)
        lines += ["", f"The operator's memory after each of {len(memory)} rounds of faults, in MB: {rounds}."]
    return "\n".join(lines) + "\n"


def figures(found: Results) -> str:
    """The sentence of the README."""
    slowest = {how: max(found["takeovers"].get(how) or [0.0]) for how in TAKEOVERS}
    done = [name for name in COLUMNS if any(name in times for times in found["faults"].values())]
    return (
        f"{found['total']} faults were injected between operator and API server into these operations: "
        f"{', '.join(done)}. {found['compared']} objects were compared afterwards: "
        f"states lost: {sum(found['lost'].values())}, objects made twice: {sum(found['extra'].values())}. "
        f"When the leader is killed (`kill -9`) the other replica writes after "
        f"{slowest['SIGKILL']:.0f} s, when it is asked to stop after {slowest['SIGTERM']:.0f} s.{failures(found)}\n"
    )


def failures(found: Results) -> str:
    """A sentence that names the tests that failed; none where none did."""
    return f" Failed: {', '.join(found['failed'])}." if found["failed"] else ""
