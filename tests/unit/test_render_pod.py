"""The pod: containers in their order, variables, files, probes, privileges, what the user adds."""

from typing import Any

import pytest
from tests.render_support import deployment_of, env_of, init_of, main_of, pick, pod_of, rendered

from haapp.api import names
from haapp.render import RenderError

LOGS = {"directory": "/var/log/shop", "sources": [{"path": "a.log"}], "output": {"stdout": {}}}
AMBASSADOR = {
    "name": "db",
    "image": "envoy:1",
    "pattern": "ambassador",
    "listen": {"port": 5432, "hostEnv": "DB_HOST", "portEnv": "DB_PORT"},
}


def test_containers_start_in_the_order_in_which_they_are_needed() -> None:
    spec = {
        "logSidecar": LOGS,
        "cache": {"colocate": "Pod", "redis": {}},
        "initSteps": [{"name": "one", "image": "i"}, {"name": "two", "image": "i"}],
        "sidecars": [
            {"name": "late", "image": "i"},
            AMBASSADOR,
            {"name": "early", "image": "i", "start": "BeforeInitSteps"},
        ],
    }
    containers = init_of(spec)

    assert [it["name"] for it in containers] == ["log-shipper", "redis", "db", "early", "one", "two", "late"]
    native = [it["name"] for it in containers if it.get("restartPolicy") == "Always"]
    assert native == ["log-shipper", "redis", "db", "early", "late"]


def test_a_script_is_run_by_a_shell_that_stops_at_the_first_failure() -> None:
    script = 'set -x\nmigrate --url "$URL" # {{ it\'s }}\n'
    (step,) = init_of({"initSteps": [{"name": "migrate", "image": "m", "script": script}]})

    assert step["command"] == ["/bin/sh", "-ec", script]
    assert "script" not in step


def test_what_a_container_says_before_it_fails_is_kept_for_the_status() -> None:
    spec = {
        "logSidecar": LOGS,
        "initSteps": [{"name": "one", "image": "i"}, {"name": "two", "image": "i", "terminationMessagePolicy": "File"}],
        "sidecars": [{"name": "beside", "image": "i"}],
    }
    kept = {container["name"]: container["terminationMessagePolicy"] for container in [*init_of(spec), main_of(spec)]}

    fallback = "FallbackToLogsOnError"
    assert kept == {"log-shipper": fallback, "one": fallback, "two": "File", "beside": fallback, "app": fallback}


def test_an_ambassador_is_known_to_the_app_and_to_the_steps_after_it() -> None:
    spec = {"sidecars": [AMBASSADOR], "initSteps": [{"name": "migrate", "image": "m"}]}
    _, step = init_of(spec)

    expected = {"DB_HOST": "localhost", "DB_PORT": "5432"}
    assert env_of(step) == expected
    assert env_of(main_of(spec)) == expected


def test_an_ambassador_that_starts_after_the_steps_is_not_known_to_them() -> None:
    spec = {"sidecars": [{**AMBASSADOR, "start": "BeforeApp"}], "initSteps": [{"name": "migrate", "image": "m"}]}
    step, _ = init_of(spec)

    assert env_of(step) == {}
    assert env_of(main_of(spec))["DB_PORT"] == "5432"


def test_the_users_own_variable_wins() -> None:
    spec = {"sidecars": [AMBASSADOR], "app": {"env": [{"name": "DB_HOST", "value": "elsewhere"}]}}

    assert main_of(spec)["env"] == [{"name": "DB_PORT", "value": "5432"}, {"name": "DB_HOST", "value": "elsewhere"}]


def test_a_sidecars_files_are_mounted_read_only() -> None:
    config = {"mountPath": "/etc/proxy", "files": {"proxy.yaml": "a: {{ b }}\n"}}
    spec = {"sidecars": [{"name": "proxy", "image": "p", "config": config}]}
    (container,) = init_of(spec)

    assert container["volumeMounts"] == [{"name": "haapp-config-proxy", "mountPath": "/etc/proxy", "readOnly": True}]
    assert pod_of(spec)["volumes"] == [{"name": "haapp-config-proxy", "configMap": {"name": "shop-proxy-config"}}]
    assert pick(rendered(spec), "ConfigMap")["data"] == {"proxy.yaml": "a: {{ b }}\n"}


def test_a_config_map_of_the_users_is_mounted_and_not_rendered() -> None:
    spec = {"sidecars": [{"name": "p", "image": "p", "config": {"mountPath": "/etc/p", "configMapName": "mine"}}]}

    assert pod_of(spec)["volumes"] == [{"name": "haapp-config-p", "configMap": {"name": "mine"}}]
    assert pick(rendered(spec), "ConfigMap") is None


def test_two_volumes_in_one_place_are_refused() -> None:
    mounts = [{"name": "own", "mountPath": "/etc/p/"}]
    config = {"mountPath": "/etc/p", "files": {"a": "b"}}
    spec = {"sidecars": [{"name": "p", "image": "p", "config": config, "volumeMounts": mounts}]}

    with pytest.raises(RenderError, match=r"spec\.sidecars\[0\]\.volumeMounts: /etc/p .*mount elsewhere"):
        rendered(spec)


def test_draining_sleeps_before_the_stop_and_lengthens_the_grace_period() -> None:
    assert main_of()["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert pod_of()["terminationGracePeriodSeconds"] == 35
    longer = {"rollout": {"drainSeconds": 20}, "pod": {"terminationGracePeriodSeconds": 60}}
    assert main_of(longer)["lifecycle"]["preStop"]["sleep"]["seconds"] == 20
    assert pod_of(longer)["terminationGracePeriodSeconds"] == 80


def test_an_app_that_drains_itself_is_left_alone() -> None:
    pre_stop = {"exec": {"command": ["quit"]}}
    spec = {"app": {"lifecycle": {"preStop": pre_stop}}}

    assert main_of(spec)["lifecycle"] == {"preStop": pre_stop}
    assert pod_of(spec)["terminationGracePeriodSeconds"] == 30


def test_a_post_start_hook_stays_beside_the_drain() -> None:
    post_start = {"exec": {"command": ["warm"]}}
    lifecycle = main_of({"app": {"lifecycle": {"postStart": post_start}}})["lifecycle"]

    assert lifecycle == {"postStart": post_start, "preStop": {"sleep": {"seconds": 5}}}


def test_no_drain_no_hook() -> None:
    spec = {"rollout": {"drainSeconds": 0}}

    assert "lifecycle" not in main_of(spec)
    assert pod_of(spec)["terminationGracePeriodSeconds"] == 30


def test_the_app_has_an_account_of_its_own_without_a_token() -> None:
    account = pick(rendered(), "ServiceAccount")

    assert account["automountServiceAccountToken"] is False
    assert pod_of()["serviceAccountName"] == "shop"
    assert pod_of()["automountServiceAccountToken"] is False


def test_an_account_of_the_users_keeps_its_own_say_on_the_token() -> None:
    spec = {"pod": {"serviceAccountName": "robot"}}

    assert pick(rendered(spec), "ServiceAccount") is None
    assert pod_of(spec)["serviceAccountName"] == "robot"
    assert "automountServiceAccountToken" not in pod_of(spec)


def test_whatever_else_a_pod_has_is_passed_on() -> None:
    extras: dict[str, Any] = {
        "imagePullSecrets": [{"name": "pull"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "priorityClassName": "high",
        "runtimeClassName": "gvisor",
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
        "dnsConfig": {"nameservers": ["10.0.0.2"]},
        "dnsPolicy": "None",
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    pod = pod_of({"pod": extras})

    assert {field: pod[field] for field in extras} == extras


def test_labels_and_annotations_are_added() -> None:
    spec = {"pod": {"labels": {"team": "web"}, "annotations": {"note": "yes"}}}
    meta = deployment_of(spec)["spec"]["template"]["metadata"]

    assert meta["labels"]["team"] == "web"
    assert meta["labels"][names.LABEL_NAME] == "shop"
    assert meta["annotations"] == {"note": "yes"}


def test_the_users_ports_and_fields_of_the_container_are_kept() -> None:
    extra = {"workingDir": "/srv", "args": ["--x"], "resources": {"requests": {"cpu": "1"}}, "tty": True}
    main = main_of({"app": extra})

    assert {field: main[field] for field in extra} == extra
    assert main["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
