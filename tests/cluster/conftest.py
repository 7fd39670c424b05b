"""Fixtures for tests on a real API server: an embedded cluster of this session, or the one named by CONTEXT.

`cluster`         the cluster (devcluster.cluster.Cluster) with six Ready nodes in three zones and our CRD
`account`         a kubeconfig with the token of the operator's ServiceAccount, which has the rights that are shipped
`operator`        a running operator for all namespaces, as that account; `.stop()` and `.start()` it, leave it running
`start_operator`  starts further ones, ended after the test
`namespace`       the name of a new namespace
`space`           that namespace by what tests ask of it (tests/space.py)
`kubectl`         kubectl in that namespace
`api`             pykube's client
`audit`           the requests that the API server got; skips the test on a cluster that is not embedded

Whatever that account is refused makes the session fail, and what it never used of its rights is listed at its end.

A test marked `fake_nodes("why")` is skipped where the nodes of CONTEXT are real.

`devcluster.nodes` switches nodes and zones off and on, `devcluster.cluster.wait_for` waits,
and tools/devcluster/stages/pods.yaml lists the annotations that make a pod misbehave.
"""

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pykube
import pytest
from tests import rights
from tests.space import Space

from devcluster import cluster as clusters
from devcluster import nodes
from devcluster.audit import AuditLog, audit_log
from devcluster.cluster import Cluster, ClusterError
from devcluster.process import EVERYWHERE, Operator

NEVER_USED = pytest.StashKey[list[set[str]]]()
CRDS = sorted((Path(__file__).parents[2] / "crds").glob("*.yaml"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what only fake nodes satisfy where the nodes are real."""
    context = os.environ.get("CONTEXT")
    marked = [(item, marker) for item in items if (marker := item.get_closest_marker("fake_nodes"))]
    if not marked or not context or nodes.are_fake(named(context)):
        return
    for item, marker in marked:
        item.add_marker(pytest.mark.skip(reason=f"needs fake nodes: {marker.args[0]}"))


def named(context: str) -> Cluster:
    """The cluster of CONTEXT; ends the session with a sentence where it cannot be taken."""
    try:
        return clusters.use_context(context)
    except ClusterError as error:
        pytest.exit(f"CONTEXT: {error}", returncode=2)


def cluster_of(suite: str) -> Iterator[Cluster]:
    """An embedded cluster for a suite's session, or the one named by CONTEXT. No two suites share one, even where they
    are run by one process: what a suite installs, or deletes at its end, another may be using."""
    if context := os.environ.get("CONTEXT"):
        used = named(context)
        used.install_crds(*CRDS)
        yield used
        return
    prefix = f"{suite}-"
    clusters.delete_leftovers(prefix)
    name = f"{prefix}{os.getpid()}"
    used = clusters.create(name)
    try:
        nodes.add_nodes(used, *nodes.machines())
        used.install_crds(*CRDS)
        yield used
    finally:
        clusters.delete(name)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    yield from cluster_of("test")


@pytest.fixture(scope="session")
def account(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Path]:
    rights.install(cluster)
    yield rights.kubeconfig(cluster, tmp_path_factory.mktemp("account"))
    if cluster.folder is None:
        return
    requests = [request for request in audit_log(cluster).since(0) if request.user == rights.ACCOUNT]
    granted = rights.granted(rights.manifests(cluster))
    never_used = {str(right) for right in rights.never_used(granted, rights.used(requests))}
    pytestconfig.stash.setdefault(NEVER_USED, []).append(never_used)
    assert [request for request in requests if not request.allowed] == []


@pytest.fixture(scope="session")
def operator(cluster: Cluster, account: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    running = Operator(cluster, tmp_path_factory.mktemp("operator"), environment={"KUBECONFIG": str(account)})
    running.start()
    yield running
    running.stop()


@pytest.fixture
def start_operator(cluster: Cluster, account: Path, tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    started: list[Operator] = []

    def start(*arguments: str, **changed: str) -> Operator:
        environment = {"KUBECONFIG": str(account), **changed}
        extra = Operator(cluster, tmp_path, f"operator-{len(started)}", arguments or EVERYWHERE, environment)
        started.append(extra)
        extra.start()
        return extra

    yield start
    for extra in started:
        extra.stop()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubectl(cluster: Cluster, namespace: str) -> Callable[..., str]:
    def run(*arguments: str, stdin: str | None = None) -> str:
        return cluster.kubectl(f"--namespace={namespace}", *arguments, stdin=stdin)

    return run


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[pykube.HTTPClient]:
    client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
    yield client
    client.session.close()


@pytest.fixture
def space(api: pykube.HTTPClient, namespace: str) -> Space:
    return Space(api, namespace)


@pytest.fixture
def audit(cluster: Cluster) -> AuditLog:
    if cluster.folder is None:
        pytest.skip(f"{cluster.context} has no audit log that could be read")
    return audit_log(cluster)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show the log of each operator that a failed test had."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for name, value in item.funcargs.items():
            if isinstance(value, Operator):
                report.sections.append((f"log of {name}", value.log_tail()))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker process has found to the one that reports."""
    if hasattr(session.config, "workeroutput"):
        found = session.config.stash.get(NEVER_USED, [])
        session.config.workeroutput["never used"] = [sorted(names) for names in found]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    found = getattr(node, "workeroutput", {}).get("never used", ())
    node.config.stash.setdefault(NEVER_USED, []).extend(map(set, found))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if found := config.stash.get(NEVER_USED, []):
        unused = sorted(set.intersection(*found))
        terminalreporter.write_line(f"rights of the operator that no request needed: {', '.join(unused) or 'none'}")
