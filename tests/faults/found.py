"""What a run of the fault tests counts and measures, as it goes into results.json."""

import os
from dataclasses import dataclass, field
from typing import Any

State = dict[str, Any]


@dataclass(slots=True)
class Found:
    """All that a session has found."""

    faults: dict[str, dict[str, int]] = field(default_factory=dict)
    """How often each fault met each operation."""

    total: int = 0
    """How many faults were injected: one that met several operations counts once."""

    compared: int = 0
    """Objects that were held against those of an undisturbed operation."""

    lost: dict[str, int] = field(default_factory=dict)
    """By test: objects of them that were missing, or other than they had to be."""

    extra: dict[str, int] = field(default_factory=dict)
    """By test: objects that were there beside them."""

    moved: int = 0
    """Apps that were changed from one random spec to another and back."""

    takeovers: dict[str, list[float]] = field(default_factory=dict)
    """Seconds until the standby's first write, by the signal that the leader got."""

    memory: list[float] = field(default_factory=list)
    """The operator's resident memory in MB after each round of faults."""

    poison: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from an app's creation to its Deployment, by what else there was."""

    def injected(self, fault: str, times: dict[str, int], once: int | None = None) -> None:
        """Count a fault that met operations so often; `once`: so often in all, whatever each operation met."""
        of_fault = self.faults.setdefault(fault, {})
        for name, number in times.items():
            of_fault[name] = of_fault.get(name, 0) + number
        self.total += sum(times.values()) if once is None else once

    def compare(self, expected: State, came: State) -> State:
        """What differs: key -> (expected, came). Counts all of it."""
        pairs = {key: (expected.get(key), came.get(key)) for key in {**expected, **came}}
        differing = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        self.compared += len(expected)
        for wrong, number in (
            (self.lost, sum(key in expected for key in differing)),
            (self.extra, sum(key not in expected for key in differing)),
        ):
            if number:
                wrong[running_test()] = wrong.get(running_test(), 0) + number
        return differing


def running_test() -> str:
    """The name of the test that runs, as pytest tells its environment."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2].rpartition(" ")[0]
