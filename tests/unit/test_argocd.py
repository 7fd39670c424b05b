"""Argo CD's health check, run as Argo CD runs it (Lua 5.1), on the status of every condition reason."""

from pathlib import Path
from typing import Any

import lupa.lua51
import pytest
import yaml
from tests.live_cases import app
from tests.render_support import rendered
from tests.unit.test_status_conditions import CASES, WELL, Case

from haapp.api import names
from haapp.api.names import GROUP, KIND
from haapp.status import assess

FOLDER = Path(__file__).parents[2] / "manifests" / "argocd"
LUA = (FOLDER / "health.lua").read_text()
SETTINGS = yaml.safe_load((FOLDER / "argocd-cm.yaml").read_text())["data"]


def health(obj: dict[str, Any]) -> tuple[str, str]:
    """(status, message), with `obj` as the one global that the script gets."""
    runtime = lupa.lua51.LuaRuntime()
    runtime.globals()["obj"] = table(runtime, obj)
    answer = runtime.execute(LUA)
    return str(answer["status"]), str(answer["message"] or "")


def table(runtime: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return runtime.table_from({key: table(runtime, item) for key, item in value.items() if item is not None})
    if isinstance(value, list | tuple):
        return runtime.table_from([table(runtime, item) for item in value])
    return value


def live(case: Case) -> dict[str, Any]:
    spec = app(**case.spec)
    return {"metadata": {"generation": spec.generation}, "status": assess(spec, case.live, {})}


def conditions(obj: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in obj["status"]["conditions"]}


def expected(obj: dict[str, Any]) -> str:
    seen = conditions(obj)
    if seen["Reconciled"]["reason"] == "Paused":
        return "Suspended"
    if "Stalled" in seen:
        return "Degraded"
    if "Reconciling" in seen:
        return "Progressing"
    return {"True": "Healthy", "Unknown": "Progressing", "False": "Degraded"}[seen["Ready"]["status"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.reason}")
def test_health_follows_the_conditions(case: Case) -> None:
    obj = live(case)
    status, message = health(obj)
    assert status == expected(obj)
    assert message


def test_every_health_comes_up() -> None:
    seen = {health(live(case))[0] for case in CASES}
    assert seen == {"Healthy", "Progressing", "Degraded", "Suspended"}


@pytest.mark.parametrize("status", [{}, {"observedGeneration": 1, "conditions": []}], ids=["none", "old"])
def test_what_the_operator_has_not_seen_yet_is_progressing(status: dict[str, Any]) -> None:
    assert health({"metadata": {"generation": 2}, "status": status})[0] == "Progressing"


def test_a_degraded_app_says_what_to_change() -> None:
    bad = [obj for obj in map(live, CASES) if health(obj)[0] == "Degraded"]
    assert all(health(obj)[1] in {c["message"] for c in obj["status"]["conditions"]} for obj in bad)
    assert health(live(Case("Ready", WELL, "True", "Ready", ())))[1].startswith("3/3 ready")


def test_the_settings_carry_the_script_word_for_word() -> None:
    assert SETTINGS[f"resource.customizations.health.{GROUP}_{KIND}"].strip() == LUA.strip()
    assert yaml.safe_load(SETTINGS["resource.compareoptions"]) == {"ignoreResourceStatusField": "all"}
    assert SETTINGS["application.resourceTrackingMethod"] == "annotation"


@pytest.mark.parametrize("file", ["application.yaml", "applicationset.yaml", "operator.yaml"])
def test_no_difference_has_to_be_ignored(file: str) -> None:
    text = (FOLDER / file).read_text()
    assert "ignoreDifferences:" not in text
    assert "ServerSideApply=true" in text


@pytest.mark.parametrize("name", ["shop", "s" * 63])
def test_no_application_can_be_named_as_the_instance_label_of_a_child(name: str) -> None:
    """By that label Argo CD knows its own, and names of Applications have no capitals."""
    for desired in rendered(name=name).objects:
        instance = desired["metadata"]["labels"][names.LABEL_INSTANCE]
        assert instance != instance.lower()
        assert len(instance) <= names.MAX_LABEL
        assert instance[-1].isalnum()
