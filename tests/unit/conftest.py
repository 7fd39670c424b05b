"""Fixtures of the tests of pure logic."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Gives a module of the bench, which is on nobody's path."""
    monkeypatch.syspath_prepend(BENCH)
    yield lambda name: importlib.import_module(f"performance.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "performance"]:
        del sys.modules[name]
