"""Operators as they are shipped: each holds the lease before it writes."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from tests import rights
from tests.faults.proxy import Proxy
from tests.faults.trial import Stage

from devcluster.process import Operator


class Candidate:
    """An operator with a proxy of its own, so that its writes are told from the other one's."""

    def __init__(self, stage: Stage, folder: Path, name: str) -> None:
        (folder / name).mkdir()
        self.proxy = Proxy(stage.cluster, folder / name, user=rights.ACCOUNT)
        self.proxy.start()
        self.operator = with_lease(stage, folder / name, self.proxy)

    def start(self) -> None:
        self.operator.stop(signal.SIGKILL)
        self.operator.start()

    def stop(self) -> None:
        if self.operator.is_running():
            self.signal(signal.SIGCONT)
        self.operator.stop(signal.SIGKILL)
        self.proxy.stop()

    def signal(self, how: signal.Signals) -> None:
        os.kill(self.operator.pid, how)

    def leads(self) -> bool:
        return leads(self.operator)


def leads(operator: Operator) -> bool:
    """Whether it holds the lease; raises OSError while it does not answer."""
    return "haapp_leader 1.0" in operator.metrics()


def with_lease(stage: Stage, folder: Path, proxy: Proxy) -> Operator:
    """An operator behind the proxy, with leader election."""
    environment = {"KUBECONFIG": str(proxy.kubeconfig), "POD_NAMESPACE": rights.NAMESPACE}
    return Operator(stage.cluster, folder, "leased", ("--all-namespaces",), environment)


def leased(stage: Stage, folder: Path) -> Stage:
    """The same stage with such an operator in the place of its own, which must not run meanwhile."""
    return replace(stage, operator=with_lease(stage, folder, stage.proxy))
