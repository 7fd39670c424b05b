"""docs/reliability.md and the README say what the last runs of `make faults` found."""

from tests.faults import report


def test_the_pages_say_what_was_found() -> None:
    found = report.load()
    assert report.shown(report.PAGE) == report.text(found)
    assert report.shown(report.README) == report.figures(found)


def test_a_run_takes_the_place_of_an_older_one_of_the_same_faults() -> None:
    text = report.text({"faults": {"500": {"create": 3}, "409": {"create": 1, "delete": 2}}, "takeovers": {}})
    assert "| 409 | 1 |  |  |  | 2 |" in text
    assert "6 faults injected" in text
