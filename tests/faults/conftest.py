"""Fixtures of the fault tests: `stage` has the cluster, the proxy and the operator behind it.

`make test` runs a slice that the seed HAAPP_FAULTS_SEED picks, `make faults` (HAAPP_FAULTS=all) everything.
"""

import os
from collections.abc import Iterator

import pykube
import pytest
from tests.cluster.conftest import api, cluster, pytest_runtest_makereport
from tests.faults.proxy import Proxy
from tests.faults.trial import Stage

from devcluster.cluster import Cluster
from devcluster.process import Operator

__all__ = ["api", "cluster", "pytest_runtest_makereport"]

WHOLE = os.environ.get("HAAPP_FAULTS") == "all"


@pytest.fixture(scope="session")
def proxy(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(cluster, tmp_path_factory.mktemp("proxy"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def stage(
    cluster: Cluster, api: pykube.HTTPClient, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("operator")
    operator = Operator(cluster, folder, environment={"KUBECONFIG": str(proxy.kubeconfig)})
    yield Stage(cluster, api, proxy, operator)
    operator.stop()
