"""The figures that the tests measured, shown after them: docs/tested.md is written from these."""

import pytest

FIGURES: list[str] = []


def told(scenario: str, figure: str) -> None:
    """Keep one for the end."""
    FIGURES.append(f"{scenario}: {figure}")


def show(reporter: pytest.TerminalReporter) -> None:
    """Print all of them."""
    if FIGURES:
        reporter.section("measured")
        for figure in FIGURES:
            reporter.line(figure)
