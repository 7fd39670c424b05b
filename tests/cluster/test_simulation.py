"""`simulate` against the real kube-scheduler: a seeded sample of random layouts. `make simulate-check` runs many."""

import pytest
from tests.scheduler_check import Verdicts, compare

from devcluster.cluster import Cluster

SEEDS = range(25)


@pytest.fixture(scope="module")
def verdicts(cluster: Cluster) -> Verdicts:
    if cluster.folder is None:
        pytest.skip(f"{cluster.context} has a scheduler of its own kind: its plugins may not be the default ones")
    return compare(cluster, SEEDS)


@pytest.mark.timeout(600)
def test_hard_layouts_come_about_as_foretold(verdicts: Verdicts) -> None:
    assert verdicts.hard >= 10
    assert verdicts.apart == []


def test_soft_layouts_nearly_always_do(verdicts: Verdicts) -> None:
    assert len(verdicts.apart_soft) <= 1, verdicts.apart_soft


def test_pending_pods_get_the_reason_that_was_foretold(verdicts: Verdicts) -> None:
    assert verdicts.messages
    assert verdicts.other_messages == []
