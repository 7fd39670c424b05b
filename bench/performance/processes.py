"""What processes used, from /proc."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
RESET_PEAK = "5"
"""Written to clear_refs it sets the peak to what is used now (proc(5))."""


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds (user and system) since its start, resident and peak resident memory in MB (10^6 bytes)."""

    cpu: float
    rss: float
    peak: float


def used(pid: int) -> Used:
    """What the process has used so far; nothing of one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return Used(0.0, 0.0, 0.0)
    sizes = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.startswith("Vm")}
    rss, peak = (int(sizes.get(name, 0)) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return Used((int(fields[11]) + int(fields[12])) / TICKS, rss, peak)


def reset_peak(pid: int) -> None:
    """Let the peak begin anew."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)


class Meter:
    """What named processes use between its creation and `read`."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        for pid in self._pids.values():
            reset_peak(pid)
        self._before = {name: used(pid) for name, pid in self._pids.items()}

    def read(self) -> dict[str, dict[str, float]]:
        """CPU seconds, resident and peak memory in MB, by process."""
        after = {name: used(pid) for name, pid in self._pids.items()}
        return {
            name: {
                "cpu_s": round(now.cpu - self._before[name].cpu, 2),
                "rss_mb": round(now.rss, 1),
                "peak_rss_mb": round(now.peak, 1),
            }
            for name, now in after.items()
        }


def machine() -> dict[str, object]:
    """What this was measured on, and how busy it was."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) * 1024 / 1e9
    return {
        "cpu": names[0] if names else "unknown",
        "cores": os.cpu_count(),
        "memory_gb": round(memory, 1),
        "load_before": round(os.getloadavg()[0], 1),
    }
