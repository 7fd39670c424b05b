"""Fixtures for tests on real nodes with real containers, with the operator in the cluster from manifests/.

`lab`        the cluster: kubectl, and the nodes to be lost, partitioned and rebooted
`space`      a new namespace by what tests ask of it (tests/nodes/lab.py)
`faults`     the nodes by name; skips the test on a cluster whose nodes cannot be harmed

NODES=name takes a cluster that `make nodes` left running, CONTEXT=kind-... one of kind's with the images loaded.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.nodes.figures import show
from tests.nodes.lab import Lab, Space, deploy_operator

from devcluster.binaries import BuildError
from devcluster.cluster import use_context
from devcluster.shell import ClusterError
from devnodes import cluster as real
from devnodes.node import Node

COULD_NOT_START = 69
"""What sysexits.h calls EX_UNAVAILABLE."""


def pytest_configure() -> None:
    """Told to end, a session tidies up as it does when it is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with ExitStack() as stack:
        lab = _lab(stack)
        deploy_operator(lab)
        yield lab


def _lab(stack: ExitStack) -> Lab:
    """The cluster that the environment asks for; one that is started here ends with the stack. The session ends with
    COULD_NOT_START where there is none: then nothing of the product was tried."""
    try:
        if context := os.environ.get("CONTEXT"):
            return Lab(use_context(context), {})
        if (name := os.environ.get("NODES")) and (found := real.find(name)):
            return Lab(found.cluster, found.nodes)
        real.delete_leftovers("test-")
        started = stack.enter_context(real.running(f"test-{os.getpid()}"))
    except (ClusterError, BuildError, OSError) as error:
        pytest.exit(f"real nodes: {error}", returncode=COULD_NOT_START)
    return Lab(started.cluster, started.nodes)


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
