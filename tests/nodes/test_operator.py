"""The operator as it is deployed: two replicas from manifests/ under their own RBAC, one of which leads."""

import json

from tests.nodes.figures import told
from tests.nodes.lab import OPERATOR, PATIENCE, WWW, Lab, Object, Space, app, httpd, seconds_until

from devcluster.shell import wait_for
from devnodes.node import Node

SUBJECT = f"system:serviceaccount:{OPERATOR}:haapp-operator"


def pods(lab: Lab) -> list[Object]:
    items = lab.cluster.get("pods", f"--namespace={OPERATOR}", "--selector=app.kubernetes.io/name=haapp-operator")
    return [pod for pod in items["items"] if "deletionTimestamp" not in pod["metadata"]]


def leader(lab: Lab) -> str:
    """The pod whose name stands on the lease; "" where nobody leads."""
    holder = lab.cluster.get("lease", "haapp-operator", f"--namespace={OPERATOR}")["spec"].get("holderIdentity") or ""
    return str(holder).partition("_")[0]


def changed(space: Space, replicas: int) -> float:
    """Seconds until a change of the app's replicas has reached its Deployment."""
    space.apply(app("web", httpd(), replicas=replicas, pod=WWW))
    return seconds_until(lambda: space.get("deployment", "web")["spec"]["replicas"] == replicas, "a written Deployment")


def test_it_runs_unprivileged_in_two_zones_with_no_more_rights_than_stated(lab: Lab) -> None:
    first, second = pods(lab)
    assert first["spec"]["nodeName"] != second["spec"]["nodeName"]
    context = first["spec"]["containers"][0]["securityContext"]
    assert (context["readOnlyRootFilesystem"], context["capabilities"]) == (True, {"drop": ["ALL"]})
    for verb, what in (("delete", "pods"), ("get", "secrets"), ("create", "clusterrolebindings"), ("patch", "nodes")):
        assert not may(lab, verb, what), f"{verb} {what}"
    assert may(lab, "list", "pods")
    told("rights", "may list pods, and may not delete pods, read Secrets, bind roles or change nodes")


def may(lab: Lab, verb: str, resource: str) -> bool:
    """Whether the operator's service account may do so in all namespaces."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": SUBJECT, "resourceAttributes": {"verb": verb, "resource": resource}},
    }
    answer = json.loads(lab.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))
    return bool(answer["status"]["allowed"])


def test_the_standby_takes_over_at_once_when_the_leader_ends_in_order(lab: Lab, space: Space) -> None:
    old = settled(lab, space)
    lab.kubectl("delete", "pod", old, f"--namespace={OPERATOR}", "--wait=false")
    told("leader deleted", taken_over(lab, space, old))


def test_the_standby_takes_over_when_the_leaders_node_is_lost(lab: Lab, space: Space, faults: dict[str, Node]) -> None:
    old = settled(lab, space)
    faults[node_of(lab, old)].lose()
    told("leader's node lost", taken_over(lab, space, old))


def test_a_leader_that_is_cut_off_gives_up_and_comes_back_as_the_standby(
    lab: Lab, space: Space, faults: dict[str, Node]
) -> None:
    """It cannot tell that another one leads. It must have stopped before that, and must not lead when it is back."""
    old = settled(lab, space)
    node = faults[node_of(lab, old)]
    before = restarts(lab, old)
    node.partition()
    seen = taken_over(lab, space, old)
    new = leader(lab)
    node.reconnect()
    wait_for(lambda: restarts(lab, old) > before, PATIENCE, "the old leader started again")
    wait_for(lambda: len(ready(lab)) == 2, PATIENCE, "two ready replicas")
    assert leader(lab) == new
    changed(space, 1)
    told("leader cut off", f"{seen}; back in the network the old one had ended by itself and stood by")


def settled(lab: Lab, space: Space) -> str:
    """The leader of two ready replicas, once it has written an app's Deployment."""
    wait_for(lambda: len(ready(lab)) == 2, PATIENCE, "two ready replicas")
    changed(space, 1)
    return leader(lab)


def taken_over(lab: Lab, space: Space, old: str) -> str:
    """Wait until another one leads and writes; says how long it took."""
    took = seconds_until(lambda: leader(lab) not in ("", old), "another leader")
    then = changed(space, 2)
    return f"another one led after {took:.1f} s; the next change was written {then:.1f} s later"


def node_of(lab: Lab, name: str) -> str:
    (node,) = (pod["spec"]["nodeName"] for pod in pods(lab) if pod["metadata"]["name"] == name)
    return str(node)


def restarts(lab: Lab, name: str) -> int:
    (pod,) = (pod for pod in pods(lab) if pod["metadata"]["name"] == name)
    return sum(int(state["restartCount"]) for state in pod["status"]["containerStatuses"])


def ready(lab: Lab) -> list[str]:
    """The names of the operator's ready pods."""
    return [
        str(pod["metadata"]["name"])
        for pod in pods(lab)
        for condition in pod["status"].get("conditions", ())
        if (condition["type"], condition["status"]) == ("Ready", "True")
    ]
