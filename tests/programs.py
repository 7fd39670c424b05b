"""Programs of others' that tests ask."""

from pathlib import Path

import pytest

from devcluster.binaries import BuildError, ensure_program


def program(name: str) -> Path:
    """The path of a program of devcluster.binaries.PROGRAMS. Skips the test where it cannot be built."""
    try:
        return ensure_program(name)
    except BuildError as error:
        pytest.skip(f"{name} cannot be built here: {error}")
