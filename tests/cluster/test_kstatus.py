"""kstatus (`kubectl wait`, Flux, Argo CD's sync waves) agrees with the status, for every condition reason.

The Go library itself is asked: tests/kstatus is a program of a few lines around it.
"""

import json
import subprocess
from typing import Any

from tests.live_cases import app
from tests.programs import program
from tests.unit.test_status_conditions import CASES

from haapp.api.names import API_VERSION, KIND
from haapp.status import assess


def live() -> list[dict[str, Any]]:
    objects = []
    for case in CASES:
        spec = app(**case.spec)
        metadata = {"name": spec.name, "namespace": spec.namespace, "generation": spec.generation}
        status = assess(spec, case.live, {})
        objects.append({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "status": status})
    return objects


def computed(objects: list[dict[str, Any]]) -> list[str]:
    text = "\n".join(map(json.dumps, objects))
    return subprocess.run([program("kstatus")], input=text, capture_output=True, text=True, check=True).stdout.split()


def expected(obj: dict[str, Any]) -> str:
    conditions = {condition["type"]: condition["status"] for condition in obj["status"]["conditions"]}
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions["Ready"] == "True" and "Reconciling" not in conditions else "InProgress"


def test_it_agrees_with_ready_reconciling_and_stalled() -> None:
    objects = live()
    found = computed(objects)
    assert found == [expected(obj) for obj in objects]
    assert set(found) == {"Current", "InProgress", "Failed"}


def test_a_generation_that_was_not_looked_at_yet_is_in_progress() -> None:
    obj = next(obj for obj in live() if expected(obj) == "Current")
    obj["metadata"]["generation"] += 1
    assert computed([obj]) == ["InProgress"]
