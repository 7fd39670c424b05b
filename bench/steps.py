"""What the operator's own steps take of a core: PYTHONPATH=operator:tools:bench python bench/steps.py.

Each by itself, in microseconds of CPU, the median of many: over and over; after 2 ms of sleep, as in a process that
waits for answers between its steps; and after as much memory was read as the caches hold. It is the same work: the
difference is what the memory of the machine takes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from performance import fleet

from haapp.api import parse_app
from haapp.children import child_of, plan
from haapp.cluster.client import encode
from haapp.render import render
from haapp.status import Observed, Outcome, assess, reasons

SLEEP_SECONDS = 0.002
"""About what an answer of the API server takes: what such a wait does to the step after it is what is measured."""

MEMORY = bytes(2**25)
"""As much as the third level of cache holds."""


def steps() -> dict[str, Callable[[], object]]:
    """What is done with an app of five children on its way."""
    stored = fleet.app("bench", "web")
    stored["metadata"] |= {"uid": "00000000-0000-0000-0000-000000000000", "generation": 1}
    app = parse_app(stored)
    objects = render(app).objects
    children = [child_of(obj["kind"], obj) for obj in objects]
    observed = Observed(
        outcome=Outcome(reasons.RECONCILED, ""),
        deployment=next(child.deployment for child in children if child.deployment),
        replica_sets=(),
        pods=(),
        cache_pods=(),
        nodes=(),
        now=datetime.now(UTC),
    )
    return {
        "reading the spec": lambda: parse_app(stored),
        "rendering": lambda: render(app),
        "comparing": lambda: plan(objects, children, app.uid),
        "writing as JSON": lambda: [encode(obj) for obj in objects],
        "judging the status": lambda: assess(app, observed, {}),
    }


def median(step: Callable[[], object], before: Callable[[], object], rounds: int) -> float:
    """Microseconds of CPU that the step takes, `before` being done first each time."""
    taken = []
    for _ in range(rounds):
        before()
        began = time.thread_time_ns()
        step()
        taken.append((time.thread_time_ns() - began) / 1000)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300, help="of each (%(default)s)")
    rounds = parser.parse_args().rounds
    befores = {
        "over and over": lambda: None,
        "after a sleep": lambda: time.sleep(SLEEP_SECONDS),
        "caches emptied": lambda: MEMORY.count(1),
    }
    print("".join(f"{name:>20}" for name in ("", *befores)))
    for name, step in steps().items():
        step()
        print(f"{name:>20}" + "".join(f"{median(step, before, rounds):20.0f}" for before in befores.values()))


if __name__ == "__main__":
    main()
