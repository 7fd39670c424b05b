"""Least privilege for the pod and every container, and what the user states on top."""

from typing import Any

import pytest
from tests.render_support import init_of, main_of, pod_of

LOGS = {"directory": "/var/log/shop", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}
STRICT = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def step_of(context: dict[str, Any], profile: str = "Restricted") -> Any:
    step = {"name": "setup", "image": "i", "securityContext": context}
    return init_of({"initSteps": [step], "security": {"profile": profile}})[0]["securityContext"]


def test_restricted_is_what_the_standard_of_that_name_asks_for() -> None:
    assert pod_of()["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert main_of()["securityContext"] == STRICT


def test_baseline_leaves_the_user_open() -> None:
    spec = {"security": {"profile": "Baseline"}}

    assert pod_of(spec)["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert main_of(spec)["securityContext"] == STRICT


def test_the_stated_ids_are_the_pods() -> None:
    context = pod_of({"security": {"runAsUser": 7, "runAsGroup": 8, "fsGroup": 9}})["securityContext"]

    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (7, 8, 9)
    assert context["fsGroupChangePolicy"] == "OnRootMismatch"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_read_only_root_file_system_is_for_all_that_do_not_state_it(wanted: bool) -> None:
    spec = {"security": {"readOnlyRootFilesystem": wanted}, "sidecars": [{"name": "s", "image": "i"}]}

    assert main_of(spec)["securityContext"]["readOnlyRootFilesystem"] is wanted
    assert init_of(spec)[0]["securityContext"]["readOnlyRootFilesystem"] is wanted


def test_what_a_container_states_wins_field_by_field() -> None:
    own = {"runAsUser": 5, "capabilities": {"add": ["NET_BIND_SERVICE"]}, "readOnlyRootFilesystem": True}
    context = main_of({"app": {"securityContext": own}})["securityContext"]

    assert context == {**own, **STRICT, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}


def test_a_step_that_asks_for_root_may_set_up_files() -> None:
    context = step_of({"runAsUser": 0})

    assert context["runAsNonRoot"] is False
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]}


def test_the_capabilities_of_a_root_step_are_its_own_where_stated() -> None:
    assert step_of({"runAsUser": 0, "capabilities": {"add": ["CHOWN"]}})["capabilities"]["add"] == ["CHOWN"]


@pytest.mark.parametrize("own", [{"privileged": True}, {"capabilities": {"add": ["SYS_ADMIN"]}}])
def test_what_the_api_server_refuses_together_is_not_put_together(own: dict[str, Any]) -> None:
    assert "allowPrivilegeEscalation" not in step_of(own, "Baseline")


def test_our_own_containers_are_strict_whatever_the_profile() -> None:
    spec = {
        "security": {"profile": "Baseline"},
        "logSidecar": LOGS,
        "cache": {"colocate": "Pod", "redis": {}},
    }
    for container in init_of(spec):
        context = container["securityContext"]
        assert {key: context[key] for key in STRICT} == STRICT
        assert context["runAsNonRoot"] is True
        assert context["readOnlyRootFilesystem"] is True
        assert context["runAsUser"] > 0


def test_the_shipper_runs_as_the_apps_user_where_that_is_known() -> None:
    spec = {"security": {"runAsUser": 1001}, "logSidecar": LOGS}
    assert "runAsUser" not in init_of(spec)[0]["securityContext"]

    own = {**LOGS, "securityContext": {"runAsUser": 12}}
    assert init_of({"logSidecar": own})[0]["securityContext"]["runAsUser"] == 12
