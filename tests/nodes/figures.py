"""What the tests saw, with its figures: shown after them, and put into docs/tested.md where RECORD is set."""

import os
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tested.md"
BEGIN, END = (
    "<!-- begin: made by `make test-nodes RECORD=1` -->\n",
    "<!-- end: made by `make test-nodes RECORD=1` -->\n",
)

RAN = {
    "hangs": (
        "1 hangs",
        "two nginx 1.22, one stopped by a signal; liveness by `httpGet` with a header, 3 failures, 2 s apart",
    ),
    "waits": ("2 waits for its database", "busybox httpd, readiness every 1 s, 2 failures"),
    "slow": (
        "3 slow start (five minutes scaled to two)",
        "a server that listens after 60 s; liveness alone would have killed it after 3 s",
    ),
    "exec and grpc": ("4 exec and gRPC", "etcd, live by its gRPC health service, ready by a command"),
    "preparation": (
        "5 database preparation",
        "two pods, two `psql` steps each, PostgreSQL 15; the first migration is wrong",
    ),
    "download": ("6 configuration download", "a step with wget, from another app by its Service's name"),
    "root step": ("7 root prepares, app as 1001", "`chown` and `chmod` by a step with uid 0"),
    "root step refused": ("7 where root is refused", "the same in a namespace that enforces `restricted`"),
    "log shipper": ("8 log shipper", "nginx 1.22; a **stand-in** for Fluent Bit; a collector by HTTP"),
    "ambassador": ("9 ambassador", "Envoy 1.40 with the example's configuration; PostgreSQL 15 in another pod"),
    "adapter": (
        "10 adapter",
        "an awk script that turns a log into Prometheus' text format; scraped as the pod's annotations say",
    ),
    "cache": (
        "11, 14 cache on the same node",
        "three web pods and three Redis 7.0; 2,000 GETs each, by the Service (near) and to another node (far)",
    ),
    "shutdown": ("sidecars at start and end", "an app that takes 2 s to end, and a sidecar"),
    "rolling update": (
        "14 rolling update",
        "three nginx; a client in a pod, 50 requests a second through the ClusterIP, a new connection each",
    ),
    "node drain": ("14 node drain", "the same; `kubectl drain` of a node with a pod"),
    "node loss": ("12 node loss", "the same; a node's power cut (`kill -9` of its first process)"),
    "partition": ("12 node cut off", "the same; a node's cable pulled"),
    "reboot": ("12 node rebooted", "the same; a node's power cut and switched on again at once"),
    "rights": (
        "operator",
        "two replicas from `manifests/cluster-wide`, in two zones, as user 65532 with a read-only root file system",
    ),
    "leader deleted": ("operator, leader deleted", "`kubectl delete pod`"),
    "leader's node lost": ("operator, leader's node lost", "its node's power cut; the lease lasts 15 s"),
    "leader cut off": ("operator, leader cut off", "its node's cable pulled"),
}
"""Each thing that is told of: its scenario, and what runs for it. docs/tested.md has them in this order."""

SEEN: dict[str, str] = {}


def told(what: str, seen: str) -> None:
    """Keep what was seen of one of RAN."""
    assert what in RAN
    SEEN[what] = seen


def show(reporter: pytest.TerminalReporter) -> None:
    """Print all of it, and record it."""
    if SEEN:
        reporter.section("measured")
        for what, seen in SEEN.items():
            reporter.line(f"{what}: {seen}")
    if os.environ.get("RECORD") and SEEN.keys() == RAN.keys():
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}")


def table() -> str:
    """The table of docs/tested.md."""
    rows = [f"| {scenario} | {ran} | {SEEN[what]} |" for what, (scenario, ran) in RAN.items()]
    return "\n".join(["| scenario | what ran | what was seen |", "|---|---|---|", *rows, ""])
