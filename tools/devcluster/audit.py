"""Count what the API server was asked for, from its audit log."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .cluster import Cluster
from .config import Object

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request."""

    verb: str
    group: str
    resource: str
    """Plural, with the subresource: `deployments`, `pods/eviction`; empty for a path that is no resource."""
    namespace: str
    name: str
    user: str
    user_agent: str
    code: int
    uri: str
    allowed: bool
    """Whether the user had the right; admission may have refused it all the same."""

    @property
    def is_write(self) -> bool:
        """Whether it may have changed something; a dry run does not."""
        return self.verb in WRITES and "dryRun=All" not in self.uri


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The audit log of an embedded cluster. A request stands in it as soon as it is answered."""

    path: Path

    def mark(self) -> int:
        """The present end of the log, to be given to `since`."""
        return self.path.stat().st_size

    def since(self, mark: int) -> list[Request]:
        """All requests answered after `mark` was taken."""
        with self.path.open("rb") as log:
            log.seek(mark)
            return list(parse(log.read().splitlines(keepends=True)))


def audit_log(cluster: Cluster) -> AuditLog:
    """The audit log of an embedded cluster. Raises ValueError for a cluster of somebody else's, which has none."""
    if cluster.folder is None:
        raise ValueError(f"{cluster.context} has no audit log that could be read")
    return AuditLog(cluster.folder / "logs" / "audit.log")


def parse(lines: Iterable[bytes]) -> Iterator[Request]:
    """Requests from lines of the log; a last line without its end is still being written, and left out."""
    for line in lines:
        if line.endswith(b"\n"):
            event = json.loads(line)
            if event["stage"] in ("ResponseComplete", "ResponseStarted"):
                yield request_of(event)


def request_of(event: Object) -> Request:
    """The Request of an audit.k8s.io/v1 Event."""
    target = event.get("objectRef") or {}
    user = event.get("user") or {}
    response = event.get("responseStatus") or {}
    parts = [target.get("resource", ""), target.get("subresource", "")]
    return Request(
        verb=event["verb"],
        group=target.get("apiGroup", ""),
        resource="/".join(part for part in parts if part),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        user=user.get("username", ""),
        user_agent=event.get("userAgent", ""),
        code=response.get("code", 0),
        uri=event.get("requestURI", ""),
        allowed=(event.get("annotations") or {}).get("authorization.k8s.io/decision") != "forbid",
    )
