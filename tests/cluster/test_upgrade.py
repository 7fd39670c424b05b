"""From each released CRD to this one, with apps in place: nothing is lost, and nothing is written."""

from pathlib import Path

import pytest
from tests.rest import by_us, visits, wait_for_rest
from tests.space import Space, app

from devcluster.audit import AuditLog
from devcluster.cluster import Cluster
from devcluster.process import Operator
from haapp.api import names

ROOT = Path(__file__).parents[2]
RELEASED = sorted((ROOT / "tests" / "schemas").glob("v*.yaml"))
CRD = ROOT / "crds" / "highavailabilityapps.yaml"


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_an_app_of_a_release_lives_on(
    cluster: Cluster, operator: Operator, space: Space, audit: AuditLog, released: Path
) -> None:
    cluster.kubectl("replace", "-f", str(released))
    try:
        space.apply(app(replicas=2, zones={"minDomains": 2}, cache={"redis": {}}))
        space.wait_ready()
        wait_for_rest(space, audit)
        before = space.get(names.PLURAL)
        mark = audit.mark()
    finally:
        cluster.kubectl("replace", "-f", str(CRD))
    operator.stop()
    operator.start()
    space.wait(lambda: visits(operator) >= 1, "a visit of the app")
    wait_for_rest(space, audit)
    after = space.get(names.PLURAL)
    assert (after["spec"], after["metadata"]["uid"]) == (before["spec"], before["metadata"]["uid"])
    assert after["status"]["conditions"] == before["status"]["conditions"]
    assert [r for r in by_us(space, audit.since(mark)) if r.is_write and r.namespace] == []
