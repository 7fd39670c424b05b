"""Every example that is shipped becomes Ready, all of them in one namespace, and goes without a trace."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.space import Space

from haapp.api import names
from haapp.children import KINDS

pytestmark = [
    pytest.mark.usefixtures("operator"),
    pytest.mark.timeout(420),
    pytest.mark.fake_nodes("the images and databases of the examples are made up"),
]

EXAMPLES = Path(__file__).parents[2] / "manifests" / "examples"
READY_SECONDS = 180.0
"""Some 90 pods on six fake nodes of one small machine."""


def test_all_examples(space: Space, kubectl: Callable[..., str]) -> None:
    kubectl("apply", "-f", str(EXAMPLES))
    apps = [obj["metadata"]["name"] for obj in space.items(names.PLURAL)]
    assert len(apps) >= 15
    space.wait_reconciled(*apps)
    space.wait_ready(*apps, timeout=READY_SECONDS)
    kubectl("delete", names.SHORT_NAME, "--all", "--timeout=60s")
    space.wait(lambda: not left(space), "nothing left", 90)


def left(space: Space) -> list[str]:
    """What was made for an app and is still there."""
    ours = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
    plurals = [kind.plural for kind in KINDS if not kind.optional] + ["replicasets", "pods"]
    return [f"{plural}/{obj['metadata']['name']}" for plural in plurals for obj in space.items(plural, ours)]
