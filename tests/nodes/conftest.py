"""Fixtures for tests on real nodes with real containers, with the operator in the cluster from manifests/.

`lab`        the cluster: kubectl, and the nodes to be lost, partitioned and rebooted
`space`      a new namespace by what tests ask of it (tests/nodes/lab.py)
`faults`     the nodes by name; skips the test on a cluster whose nodes cannot be harmed

NODES=name takes a cluster that `make nodes` left running, CONTEXT=kind-... one of kind's with the images loaded.
"""

import os
import uuid
from collections.abc import Iterator

import pytest
from tests.nodes.figures import show
from tests.nodes.lab import Lab, Space, deploy_operator

from devcluster.cluster import ClusterError, use_context
from devnodes import cluster as real
from devnodes.host import obstacle
from devnodes.node import Node


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if context := os.environ.get("CONTEXT"):
        try:
            lab = Lab(use_context(context), {})
        except ClusterError as error:
            pytest.exit(f"CONTEXT: {error}", returncode=2)
        deploy_operator(lab)
        yield lab
        return
    if reason := obstacle():
        pytest.exit(f"test-nodes: {reason}", returncode=2)
    if (name := os.environ.get("NODES")) and (found := real.find(name)):
        lab = Lab(found.cluster, found.nodes)
        deploy_operator(lab)
        yield lab
        return
    real.delete_leftovers("test-")
    with real.running(f"test-{os.getpid()}") as running:
        lab = Lab(running.cluster, running.nodes)
        deploy_operator(lab)
        yield lab


@pytest.fixture
def space(lab: Lab) -> Iterator[Space]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    lab.kubectl("create", "namespace", name)
    yield Space(lab, name)
    lab.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def faults(lab: Lab) -> Iterator[dict[str, Node]]:
    if not lab.nodes:
        pytest.skip(f"the nodes of {lab.cluster.context} cannot be switched off from here")
    yield lab.nodes
    lab.heal()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    show(terminalreporter)
