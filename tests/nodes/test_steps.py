"""What init steps do before the app starts, with real containers and a real database."""

import pytest
from tests.nodes.database import PSQL, query, start_database
from tests.nodes.figures import told
from tests.nodes.lab import WWW, Object, Space, app, config_map, httpd

from devcluster.shell import ClusterError
from devnodes import images

MIGRATION = f"{PSQL} $DATABASE_URL -v ON_ERROR_STOP=1 -c"
BROKEN = f'{MIGRATION} "ALTER TABLE articles ADD COLUMN price numeric"'
CREATE = f'{MIGRATION} "CREATE TABLE IF NOT EXISTS articles (id int PRIMARY KEY, title text)"'
SEED = " ".join((MIGRATION, "\"INSERT INTO articles VALUES (1, 'first') ON CONFLICT DO NOTHING\""))


def step(name: str, script: str, **fields: object) -> Object:
    url = {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "database", "key": "url"}}}
    return {"name": name, "image": images.DEBIAN, "script": script, "env": [url], **fields}


def test_the_database_is_prepared_first_and_a_failing_migration_never_starts_the_app(space: Space) -> None:
    """The first migration assumes a table that is not there. What PostgreSQL says of it must stand in the status."""
    address = start_database(space)
    url = f"postgres://postgres@{address}:5432/postgres"
    space.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"}, "stringData": {"url": url}})
    steps = [step("db-migration", BROKEN), step("seed-data", SEED)]
    space.apply(app("shop", httpd(), replicas=2, initSteps=steps, pod=WWW))

    def failed() -> Object | None:
        condition = space.condition("shop", "InitStepsCompleted")
        return condition if condition.get("status") == "False" else None

    message = space.wait(failed, "a failed step in the status")["message"]
    assert "db-migration" in message
    assert "exit 1" in message
    assert 'relation "articles" does not exist' in message
    first, second = space.status("shop")["initSteps"]
    assert (first["name"], first["succeeded"]) == ("db-migration", 0)
    assert first["failed"] >= 1
    assert (second["name"], second["succeeded"], second["running"], second["failed"]) == ("seed-data", 0, 0, 0)
    for pod in space.pods("shop"):
        (state,) = pod["status"]["containerStatuses"]
        assert "waiting" in state["state"]
        assert state["restartCount"] == 0

    space.apply(app("shop", httpd(), replicas=2, initSteps=[step("db-migration", CREATE), steps[1]], pod=WWW))
    status = space.wait_ready("shop")
    assert [found["succeeded"] for found in status["initSteps"]] == [2, 2]
    assert query(space, "SELECT title FROM articles") == "first"
    told(
        "preparation",
        f"the app did not start; the status said `{message.partition(';')[0]}`; corrected, both steps succeeded in "
        "both pods, and the app started",
    )


def test_a_downloaded_configuration_is_there_and_read_only(space: Space) -> None:
    source = {"volumes": [{"name": "www", "configMap": {"name": "source"}}]}
    server = httpd(command=["httpd", "-f", "-p", "8080", "-h", "/www"])
    space.apply(config_map("source", app__conf="colour=green\n", ready="yes"))
    space.apply(app("source", server, replicas=1, pod=source))
    space.wait_ready("source")
    fetch = "wget -q -O /config/app.conf http://source:8080/app.conf"
    config = {"name": "config", "mountPath": "/config"}
    container = httpd(
        command=["httpd", "-f", "-p", "8080", "-h", "/config"],
        volumeMounts=[{**config, "readOnly": True}],
    )
    steps = [{"name": "fetch", "image": images.DEBIAN, "script": fetch, "volumeMounts": [config]}]
    volumes = [{"name": "config", "emptyDir": {}}]
    space.apply(app("configured", container, replicas=1, initSteps=steps, pod={"volumes": volumes}))
    space.wait_ready("configured")
    (pod,) = (found["metadata"]["name"] for found in space.pods("configured"))
    assert space.execute(pod, "cat", "/config/app.conf") == "colour=green\n"
    with pytest.raises(ClusterError, match="Read-only file system"):
        space.execute(pod, "touch", "/config/other")
    told("download", "the app reads the file that was fetched; a write gets `Read-only file system`")


PREPARE = "mkdir /data/own && echo prepared > /data/own/ready && chown -R 1001:1001 /data/own && chmod 750 /data/own"


def prepared(name: str) -> Object:
    data = {"name": "data", "mountPath": "/data"}
    root = {"runAsUser": 0, "runAsNonRoot": False}
    steps = [
        {
            "name": "permissions",
            "image": images.DEBIAN,
            "script": PREPARE,
            "securityContext": root,
            "volumeMounts": [data],
        }
    ]
    container = httpd(command=["httpd", "-f", "-p", "8080", "-h", "/data/own"], volumeMounts=[data])
    readiness = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1}
    return app(
        name,
        container,
        replicas=1,
        initSteps=steps,
        probes={"readiness": readiness},
        security={"profile": "Baseline", "runAsUser": 1001, "runAsGroup": 1001},
        pod={"volumes": [{"name": "data", "emptyDir": {}}]},
    )


def test_root_prepares_a_volume_for_an_app_that_is_not_root(space: Space) -> None:
    space.apply(prepared("archive"))
    space.wait_ready("archive")
    (pod,) = (found["metadata"]["name"] for found in space.pods("archive"))
    assert space.execute(pod, "id", "-u").strip() == "1001"
    assert space.shell(pod, "stat -c '%u:%g %a' /data/own").strip() == "1001:1001 750"
    space.shell(pod, "echo more > /data/own/more")
    for place in ("/etc/x", "/usr/bin/x", "/x"):
        with pytest.raises(ClusterError, match=r"Permission denied|Read-only"):
            space.shell(pod, f"echo no > {place}")
    assert space.shell(pod, "grep CapEff /proc/1/status").split() == ["CapEff:", "0000000000000000"]
    told("root step", "the app is uid 1001 without capabilities, writes what was prepared and nowhere else")


def test_a_pod_security_level_that_refuses_root_is_named(space: Space) -> None:
    space.lab.kubectl("label", "namespace", space.name, "pod-security.kubernetes.io/enforce=restricted")
    space.apply(prepared("refused"))

    def refused() -> Object | None:
        condition = space.condition("refused", "Available")
        return condition if "PodSecurity" in condition.get("message", "") else None

    message = space.wait(refused, "Pod Security in the status")["message"]
    assert 'PodSecurity "restricted' in message
    assert space.pods("refused") == []
    told("root step refused", f"no pod is made; the status said `{message[:110]}...`")
