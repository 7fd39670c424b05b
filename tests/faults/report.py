"""What the fault tests found, as it stands in docs/reliability.md: results.json is what `make faults` writes."""

import json
from pathlib import Path
from typing import Any

from tests.faults.operations import OPERATIONS

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- begin: made by `make faults` -->\n", "<!-- end: made by `make faults` -->\n"
COLUMNS = tuple(OPERATIONS)
TAKEOVERS = {"SIGTERM": "SIGTERM (3 s)", "SIGKILL": "kill -9 (20 s)", "SIGSTOP": "SIGSTOP past the lease (20 s)"}


def load() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"faults": {}, "takeovers": {}}
    return found


def save(records: dict[str, dict[str, int]], takeovers: dict[str, list[float]]) -> None:
    """Put the results of a run in the place of older ones of the same faults, and the page in step."""
    found = load()
    found["faults"] |= {fault: dict(sorted(times.items())) for fault, times in records.items()}
    found["takeovers"] |= {how: [round(second, 1) for second in seconds] for how, seconds in takeovers.items()}
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    put(PAGE, text(found))
    put(README, figures(found))


def put(page: Path, made: str) -> None:
    """Put what is made in the place of what was made before."""
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}{made}{END}{rest.partition(END)[2]}")


def shown(page: Path) -> str:
    """What a page shows."""
    return page.read_text().partition(BEGIN)[2].partition(END)[0]


def text(found: dict[str, Any]) -> str:
    """The tables of the page."""
    faults: dict[str, dict[str, int]] = found["faults"]
    lines = [f"| fault | {' | '.join(COLUMNS)} |", f"|---|{'---:|' * len(COLUMNS)}"]
    for fault, times in sorted(faults.items()):
        lines.append(f"| {fault} | {' | '.join(str(times.get(name, '')) for name in COLUMNS)} |")
    lines += ["", f"{injected(found)} faults injected; states lost: 0; objects made twice: 0.", ""]
    lines += ["| the leader gets | takeovers | seconds, the slowest |", "|---|---:|---:|"]
    for how, label in TAKEOVERS.items():
        seconds = found["takeovers"].get(how, [])
        lines.append(f"| {label} | {len(seconds)} | {max(seconds) if seconds else ''} |")
    return "\n".join(lines) + "\n"


def injected(found: dict[str, Any]) -> int:
    """How often anything was injected into anything."""
    return sum(sum(times.values()) for times in found["faults"].values())


def figures(found: dict[str, Any]) -> str:
    """The sentence of the README."""
    slowest = {how: max(found["takeovers"].get(how) or [0.0]) for how in TAKEOVERS}
    done = [name for name in COLUMNS if any(name in times for times in found["faults"].values())]
    return (
        f"{injected(found)} faults were injected between operator and API server into these operations: "
        f"{', '.join(done)}. States lost: 0, objects made twice: 0. When the leader is killed (`kill -9`) the other "
        f"replica writes after {slowest['SIGKILL']:.0f} s, when it is asked to stop after {slowest['SIGTERM']:.0f} s.\n"
    )
