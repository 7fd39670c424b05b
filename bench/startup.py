"""How soon `kubectl-haapp` has done its work, from the start of the process: python bench/startup.py.

Prints for each offline command the fastest and the median of several runs and the least processor time, beside what
Python itself and the libraries that `render` cannot do without take. Ends with 1 if the fastest `render` is over the
limit. On a busy machine the wall clock shows what others do; the processor time hardly does.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
APP = ROOT / "manifests" / "examples" / "14-enterprise-web-service.yaml"
LIMIT = 0.4
"""Seconds, for `render`, on an idle machine."""
NODES = """
apiVersion: v1
kind: Node
metadata: {name: a1, labels: {topology.kubernetes.io/zone: a}}
---
apiVersion: v1
kind: Node
metadata: {name: b1, labels: {topology.kubernetes.io/zone: b}}
---
apiVersion: v1
kind: Node
metadata: {name: c1, labels: {topology.kubernetes.io/zone: c}}
"""


class Times(NamedTuple):
    """Seconds of each run by the clock, sorted, and the least that any needed of a processor."""

    wall: list[float]
    processor: float


def measure(command: list[str], runs: int) -> Times:
    """The times of a command; what it says and how it ends is no matter."""
    wall, processor = [], []
    for _ in range(runs):
        began, used = time.perf_counter(), _processor()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        wall.append(time.perf_counter() - began)
        processor.append(_processor() - used)
    return Times(sorted(wall), min(processor))


def _processor() -> float:
    """Seconds of processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    haapp = str(Path(sys.executable).with_name("kubectl-haapp"))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as nodes:
        nodes.write(NODES)
        nodes.flush()
        measured = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -c 'import jinja2, yaml'": [sys.executable, "-c", "import argparse, dataclasses, jinja2, yaml"],
            "kubectl-haapp --help": [haapp, "--help"],
            "kubectl-haapp render": [haapp, "render", "-f", str(APP)],
            "kubectl-haapp check": [haapp, "check", "-f", str(APP)],
            "kubectl-haapp simulate": [haapp, "simulate", "-f", str(APP), "--nodes", nodes.name],
        }
        times = {name: measure(command, runs) for name, command in measured.items()}
    for name, found in times.items():
        median = statistics.median(found.wall)
        print(f"{name:34} fastest {found.wall[0]:.3f} s  median {median:.3f} s  processor {found.processor:.3f} s")
    fastest = times["kubectl-haapp render"].wall[0]
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"render starts in {fastest:.3f} s (limit {LIMIT} s on an idle machine; {load:.1f} processes per processor)")
    return 1 if fastest > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
