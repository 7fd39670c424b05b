"""docs/reliability.md and the README say what the last run of `make faults` found, and that was no loss."""

from dataclasses import asdict
from pathlib import Path

import pytest
from tests.faults import report
from tests.faults.found import Found


def test_the_pages_say_what_was_found() -> None:
    found = report.load()
    assert report.shown(report.PAGE) == report.text(found)
    assert report.shown(report.README) == report.figures(found)


def test_the_last_whole_run_lost_nothing() -> None:
    found = report.load()
    assert found["total"] > 100
    assert found["compared"] > 1000
    assert (found["lost"], found["extra"], found["failed"]) == ({}, {}, [])


def test_a_fault_that_meets_several_operations_at_once_is_injected_once() -> None:
    found = Found()
    found.injected("500", {"create": 3, "delete": 2})
    found.injected("410", {"create": 4, "delete": 4}, once=4)
    found.injected("410", {"create": 1}, once=1)
    assert found.faults == {"500": {"create": 3, "delete": 2}, "410": {"create": 5, "delete": 4}}
    assert found.total == 10


def test_what_is_missing_other_or_too_much_is_counted_and_shown() -> None:
    found = Found()
    assert found.compare({"a": 1, "b": 2}, {"a": 1, "b": 2}) == {}
    assert found.compare({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3, "d": 4}) == {
        "b": (2, 3),
        "c": (3, None),
        "d": (None, 4),
    }
    assert (found.compared, list(found.lost.values()), list(found.extra.values())) == (5, [2], [1])
    results = asdict(found) | {"failed": ["test_a", "test_b"]}
    text = report.text(results)
    assert "states lost: 2; objects made twice: 1." in text
    assert "Failed: test_a, test_b." in text
    assert report.figures(results).endswith(" s. Failed: test_a, test_b.\n")
    assert "Failed" not in report.figures(results | {"failed": []})


def test_a_failed_test_that_is_run_again_takes_its_own_place_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RESULTS", "PAGE", "README"):
        monkeypatch.setattr(report, name, tmp_path / name)
        (tmp_path / name).write_text(report.BEGIN + report.END)
    whole = Found(total=7, compared=90, lost={"test_b": 1, "test_c": 2}, memory=[1.0])
    alone = Found(total=1, compared=5, memory=[2.0])
    report.save(whole, {"test_a": True, "test_b": False, "test_c": False}, whole=True)
    assert report.load()["failed"] == ["test_b", "test_c"]
    report.save(alone, {"test_b": True}, whole=False)
    found = report.load()
    assert (found["total"], found["compared"], found["lost"], found["memory"]) == (
        7,
        90,
        {"test_c": 2},
        [2.0],
    )
    assert found["failed"] == ["test_c"]
    assert report.shown(tmp_path / "PAGE") == report.text(found)
