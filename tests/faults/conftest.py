"""Fixtures of the fault tests: `stage` has the cluster, the proxy and the operator behind it.

The operator has the rights of its own ServiceAccount and no other, since the proxy impersonates that.

`make test` runs a slice that the seed HAAPP_FAULTS_SEED picks, `make faults` (HAAPP_FAULTS=all) everything; it then
writes results.json and the tables of docs/reliability.md.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pykube
import pytest
from tests import rights
from tests.cluster.conftest import api, cluster_of, namespace, pytest_runtest_makereport
from tests.faults import report
from tests.faults.candidates import Candidate, leased
from tests.faults.proxy import Proxy
from tests.faults.trial import Stage

from devcluster.cluster import Cluster
from devcluster.process import Operator

__all__ = ["api", "namespace", "pytest_runtest_makereport"]

RAN: dict[str, bool] = {}
"""Of each test of this session whether it passed."""

SEED = os.environ.get("HAAPP_FAULTS_SEED", "1")
CASE_SECONDS = 900
WHOLE = os.environ.get("HAAPP_FAULTS") == "all"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    yield from cluster_of("faults")


@pytest.fixture(scope="session")
def proxy(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    rights.install(cluster)
    running = Proxy(cluster, tmp_path_factory.mktemp("proxy"), user=rights.ACCOUNT)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def stage(
    cluster: Cluster,
    api: pykube.HTTPClient,
    proxy: Proxy,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("operator")
    operator = Operator(cluster, folder, environment={"KUBECONFIG": str(proxy.kubeconfig)})
    stage = Stage(cluster, api, proxy, operator)
    yield stage
    operator.stop()
    if WHOLE:
        whole = {item.path for item in request.session.items} == set(Path(__file__).parent.glob("test_*.py"))
        report.save(stage.found, RAN, whole=whole and not request.config.getoption("keyword"))


@pytest.fixture
def candidates(stage: Stage, tmp_path: Path) -> Iterator[tuple[Candidate, Candidate]]:
    """Two operators that are not started yet, in the place of the stage's own."""
    stage.operator.stop()
    two = Candidate(stage, tmp_path, "one"), Candidate(stage, tmp_path, "two")
    try:
        yield two
    finally:
        for candidate in two:
            candidate.stop()


@pytest.fixture
def leased_stage(stage: Stage, tmp_path: Path) -> Iterator[Stage]:
    """The stage with an operator that holds the lease; what is expected is found out before."""
    stage.expected("create")
    stage.operator.stop()
    with_lease = leased(stage, tmp_path)
    yield with_lease
    with_lease.operator.stop()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "matrix(number): so many of its cases, by the seed, belong to `make test`")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how each test ended, before the session's fixtures do."""
    name = report.nodeid.rpartition("::")[2]
    RAN[name] = RAN.get(name, True) and not report.failed


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the seeded slice, unless the whole matrix is asked for or cases are picked by -k."""
    for item in items:
        item.add_marker(pytest.mark.timeout(CASE_SECONDS))
    if WHOLE or config.getoption("keyword"):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if marker := item.get_closest_marker("matrix"):
            cases.setdefault(getattr(item, "originalname", item.name), []).append(item)
    chance = random.Random(SEED)  # noqa: S311
    left_out = {item for group in cases.values() for item in group}
    for group in cases.values():
        marker = group[0].get_closest_marker("matrix")
        left_out -= set(chance.sample(group, min(len(group), marker.args[0] if marker else 0)))
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]
