"""Whether the operator has work to do, by what it asks for and by its own metrics."""

import re

from tests.space import Space, stays

from devcluster.audit import AuditLog, Request
from devcluster.process import Operator


def by_us(space: Space, requests: list[Request]) -> list[Request]:
    """The operator's requests, but for those about other tests' namespaces, which may be going just now."""
    ours = [r for r in requests if r.user_agent.startswith(("haapp-operator", "kopf"))]
    return [r for r in ours if r.namespace in ("", space.name)]


def visits(operator: Operator) -> int:
    """How many visits of an app have reached their end."""
    counts = re.findall(r'^haapp_reconcile_total\{result="ok"\} (\S+)', operator.metrics(), re.MULTILINE)
    return int(sum(map(float, counts)))


def wait_for_rest(space: Space, audit: AuditLog) -> None:
    """Wait until two seconds have passed without a request of the operator's."""

    def at_rest() -> bool:
        mark = audit.mark()
        try:
            stays(lambda: not by_us(space, audit.since(mark)), 2.0, "still at work")
        except AssertionError:
            return False
        return True

    space.wait(at_rest, "rest", 60)
