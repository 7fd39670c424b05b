"""Shards split the apps, while their number changes too; an API server that can leaves out what is not theirs."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pykube
import pytest
from tests import rights
from tests.cluster.conftest import CRDS
from tests.space import APPS, Space, app

from devcluster import cluster as clusters
from devcluster import nodes
from devcluster.audit import audit_log
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names
from haapp.cluster.shard_lease import STAGE_ANNOTATION, lease_name
from haapp.sharding import Shard, parse

GATE = {"kube-apiserver": {"feature-gates": "ShardedListAndWatch=true"}}
EACH = 4
"""Namespaces of each half, by either hash."""

STARTUP_SECONDS = 60.0


def halves(tag: str) -> list[str]:
    """Names of namespaces: EACH for each pair of what the two hashes say."""
    candidates = (f"{number:x}-{tag}" for number in range(4096))
    by_both: dict[tuple[bool, bool], list[str]] = {}
    for name in candidates:
        found = by_both.setdefault((Shard(0, 2).serves(name), Shard(0, 2, by_server=True).serves(name)), [])
        found.append(name)
    return [name for found in by_both.values() for name in islice(found, EACH // 2)]


@dataclass
class Ground:
    """Eight namespaces of a cluster, in which shards of the operator work, each by a name of its own, and nobody else.
    Their leases are in the namespace `tag`."""

    cluster: Cluster
    api: pykube.HTTPClient
    tag: str
    folder: Path
    running: list[Operator] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home = Space(self.api, self.tag)
        self.spaces = [Space(self.api, name) for name in halves(self.tag)]
        self.mark = audit_log(self.cluster).mark()

    def start(self, shard: str) -> Operator:
        account = f"shard-{shard.replace('/', '-of-').replace(':', '-')}"
        environment = {"KUBECONFIG": str(self.credentials(account)), "POD_NAMESPACE": self.tag}
        started = Operator(self.cluster, self.folder, account, ("--all-namespaces", f"--shard={shard}"), environment)
        self.running.append(started)
        started.start()
        return started

    def line_up(self, layout: str) -> list[Operator]:
        """The shards of a layout, which wait for those of another to end."""
        started = [self.start(shard) for shard in layout_of(layout)]
        for shard in layout_of(layout):
            self.home.wait(lambda shard=shard: self.stage(shard) == "waiting", f"{shard} waits")
        return started

    def credentials(self, account: str) -> Path:
        """A kubeconfig of a service account that may do all, so that the audit log tells who did what."""
        self.cluster.kubectl("create", "serviceaccount", account, "-n", self.tag)
        binding = f"{self.tag}-{account}"
        subject = f"--serviceaccount={self.tag}:{account}"
        self.cluster.kubectl("create", "clusterrolebinding", binding, "--clusterrole=cluster-admin", subject)
        return rights.kubeconfig(self.cluster, self.folder, account, self.tag)

    def apply(self, image: str, name: str = "web") -> None:
        for space in self.spaces:
            space.apply(app(name, replicas=0, app={"image": image}))

    def settled(self, spaces: list[Space] | None = None, name: str = "web") -> None:
        for space in self.spaces if spaces is None else spaces:
            space.wait_condition("Reconciled", name=name, timeout=60)

    def writers(self) -> dict[str, list[str]]:
        """Who wrote in each namespace, in their order, once for all writes in a row, since this was last asked."""
        log, prefix = audit_log(self.cluster), f"system:serviceaccount:{self.tag}:shard-"
        mark, self.mark = self.mark, log.mark()
        ours = [r for r in log.since(mark) if r.is_write and r.user.startswith(prefix)]
        named = {s.name: [r.user.removeprefix(prefix) for r in ours if r.namespace == s.name] for s in self.spaces}
        return {name: [who for who, _ in groupby(users)] for name, users in named.items()}

    def expected(self, layout: str) -> dict[str, list[str]]:
        """What `writers` tells where the shards of a layout were at work, written as `2` or `2:server`."""
        return {
            space.name: [serving(layout, space.name).replace("/", "-of-").replace(":", "-")] for space in self.spaces
        }

    def stage(self, shard: str) -> str:
        lease = self.home.find("leases", lease_name("haapp-operator", parse(shard))) or {"metadata": {}}
        return str(lease["metadata"].get("annotations", {}).get(STAGE_ANNOTATION))


def serving(layout: str, namespace: str) -> str:
    """Which shard of a layout serves a namespace."""
    (found,) = (shard for shard in layout_of(layout) if parse(shard).serves(namespace))
    return found


def leads(operator: Operator) -> bool:
    return "haapp_leader 1.0" in operator.metrics()


@contextmanager
def ground_of(cluster: Cluster, api: pykube.HTTPClient, folder: Path) -> Iterator[Ground]:
    tag = f"shards-{uuid.uuid4().hex[:6]}"
    ground = Ground(cluster, api, tag, folder)
    created = [tag, *(space.name for space in ground.spaces)]
    for name in created:
        cluster.kubectl("create", "namespace", name)
    try:
        yield ground
    finally:
        for running in ground.running:
            running.stop()
        cluster.kubectl("delete", "namespace", *created, "--wait=false")
        bindings = [f"{tag}-{running.name}" for running in ground.running]
        cluster.kubectl("delete", "clusterrolebinding", *bindings, "--ignore-not-found")


@pytest.fixture
def ground(cluster: Cluster, api: pykube.HTTPClient, operator: Operator, tmp_path: Path) -> Iterator[Ground]:
    """On a server that knows nothing of shards, unless its context is one of the user's."""
    if cluster.folder is None:
        pytest.skip(f"{cluster.context} has no audit log that could be read")
    operator.stop()
    try:
        with ground_of(cluster, api, tmp_path) as made:
            yield made
    finally:
        operator.start()


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[Ground]:
    """On a cluster of its own, whose API server can shard."""
    clusters.delete_leftovers("gated-")
    name = f"gated-{os.getpid()}"
    used = clusters.create(name, flags=GATE)
    try:
        nodes.add_nodes(used, *nodes.machines(1))
        used.install_crds(*CRDS)
        client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(used.kubeconfig)))
        with ground_of(used, client, tmp_path) as made:
            yield made
        client.session.close()
    finally:
        clusters.delete(name)


def test_two_shards_split_the_apps_and_three_take_over_from_them(ground: Ground) -> None:
    old = [ground.start("0/2"), ground.start("1/2")]
    ground.apply("example/web:1")
    ground.settled()
    assert ground.writers() == ground.expected("2")
    assert all(leads(each) for each in old)

    new = ground.line_up("3")
    ground.apply("example/web:2")
    ground.settled()
    assert ground.writers() == ground.expected("2"), "who waits does nothing"

    old[0].stop()
    ground.home.wait(lambda: leads(new[0]), "0/3 leads")
    assert [leads(each) for each in new] == [True, False, False], "1/2 works where the others would"
    ground.apply("example/web:3")
    ground.settled([space for space in ground.spaces if served_by(space, "0/3", "1/2")])
    old[1].stop()
    ground.home.wait(lambda: all(leads(each) for each in new), "all three lead")
    ground.settled()
    before, after = ground.expected("2"), ground.expected("3")
    for name, users in ground.writers().items():
        assert users in (before[name], after[name], before[name] + after[name]), "one after the other"
    ground.apply("example/web:4")
    ground.settled()
    assert ground.writers() == after


@pytest.mark.parametrize(("where", "old", "new"), [("ground", "3", "2"), ("gated", "2:server", "3:server")])
def test_one_layout_takes_over_from_another_while_apps_come_change_and_go(
    request: pytest.FixtureRequest, where: str, old: str, new: str
) -> None:
    """The old processes end one by one: no app is left, and none is served twice."""
    ground: Ground = request.getfixturevalue(where)
    leaving = [ground.start(shard) for shard in layout_of(old)]
    for name in ("web", "goes"):
        ground.apply("example/web:1", name)
        ground.settled(name=name)
    assert ground.writers() == ground.expected(old)

    coming = ground.line_up(new)
    for number, process in enumerate(leaving, 1):
        ground.apply(f"example/web:{number + 1}")
        ground.apply("example/web:1", f"comes-{number}")
        process.stop()
    for space in ground.spaces:
        space.delete(names.PLURAL, "goes")
    ground.home.wait(lambda: all(leads(each) for each in coming), "all of the new ones lead")
    for name in ("web", *(f"comes-{number}" for number in range(1, len(leaving) + 1))):
        ground.settled(name=name)
    before, after = ground.expected(old), ground.expected(new)
    for name, users in ground.writers().items():
        assert users in (before[name], after[name], before[name] + after[name]), "one after the other"
    ground.apply("example/web:1")
    ground.settled()
    assert ground.writers() == after


def layout_of(layout: str) -> list[str]:
    """The shards of a layout, as `--shard` takes them."""
    count, _, by = layout.partition(":")
    return [f"{index}/{count}{':' if by else ''}{by}" for index in range(int(count))]


def served_by(space: Space, *shards: str) -> bool:
    return any(parse(shard).serves(space.name) for shard in shards)


def test_a_server_that_cannot_shard_sends_all_of_it(ground: Ground) -> None:
    ground.apply("example/web:1")
    assert listed(ground, "0/2:server") == {space.name for space in ground.spaces}
    for shard in ("0/2:server", "1/2:server"):
        ground.start(shard)
    ground.settled()
    assert ground.writers() == ground.expected("2:server")


def test_a_server_that_can_shard_sends_each_its_own(gated: Ground) -> None:
    gated.apply("example/web:1")
    for shard in ("0/2:server", "1/2:server"):
        own = {space.name for space in gated.spaces if parse(shard).serves(space.name)}
        assert listed(gated, shard) == own
        assert watched(gated, shard) == own
        gated.start(shard)
    gated.settled()
    assert gated.writers() == gated.expected("2:server")


def listed(ground: Ground, shard: str) -> set[str]:
    """The namespaces of the apps that a list with the shard's selector has."""
    items = ask(ground, shard).json()["items"]
    return {item["metadata"]["namespace"] for item in items} & {space.name for space in ground.spaces}


def watched(ground: Ground, shard: str) -> set[str]:
    """The same of a watch, once every app has changed."""
    version = ask(ground, shard).json()["metadata"]["resourceVersion"]
    ground.apply(f"example/web:{shard[0]}")
    params = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "2"}
    events = [json.loads(line) for line in ask(ground, shard, **params).text.splitlines()]
    assert all(event["type"] == "MODIFIED" for event in events)
    return {event["object"]["metadata"]["namespace"] for event in events}


def ask(ground: Ground, shard: str, **params: str) -> Any:
    params = {"shardSelector": parse(shard).selector, **params}
    answer = ground.api.session.get(f"{ground.api.url}{APPS}/{names.PLURAL}", params=params, timeout=30)
    answer.raise_for_status()
    return answer
