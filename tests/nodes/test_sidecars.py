"""What sidecars, ambassadors and adapters do beside a real app."""

import subprocess
import threading

from tests.nodes.database import BIN, PSQL, start_database
from tests.nodes.figures import told
from tests.nodes.lab import WWW, Object, Space, app, config_map, httpd, small

from devnodes import images

ASK = [f"{BIN}/pg_isready", "-h", "127.0.0.1", "-U", "postgres"]
HAPROXY = """
defaults
  mode tcp
  timeout connect 2s
  timeout client 1m
  timeout server 1m
listen postgres
  bind 127.0.0.1:5432
  server database {address}:5432
"""


def test_an_ambassador_carries_the_dialogue_with_the_database(space: Space) -> None:
    """The app knows localhost and two variables; a step before it talks through the ambassador too."""
    address = start_database(space)
    space.apply(config_map("proxy", haproxy__cfg=HAPROXY.format(address=address)))
    ambassador = small(
        {
            "name": "db-proxy",
            "pattern": "ambassador",
            "image": images.DEBIAN,
            "command": ["haproxy", "-db", "-f", "/etc/proxy/haproxy.cfg"],
            "config": {"mountPath": "/etc/proxy", "configMapName": "proxy"},
            "listen": {"port": 5432, "hostEnv": "DB_HOST", "portEnv": "DB_PORT"},
            "startupProbe": {"exec": {"command": ASK}, "periodSeconds": 1, "failureThreshold": 60},
        }
    )
    sql = f"{PSQL} -h $DB_HOST -p $DB_PORT -U postgres -v ON_ERROR_STOP=1"
    steps = [{"name": "migrate", "image": images.DEBIAN, "script": f"{sql} -c 'CREATE TABLE notes (text text)'"}]
    space.apply(app("wiki", httpd(), replicas=1, initSteps=steps, sidecars=[ambassador], pod=WWW))
    space.wait_ready("wiki")
    (pod,) = (found["metadata"]["name"] for found in space.pods("wiki"))
    assert space.shell(pod, "echo $DB_HOST:$DB_PORT").strip() == "localhost:5432"
    space.shell(pod, " ".join((sql, "-c \"INSERT INTO notes VALUES ('hello')\"")))
    assert space.shell(pod, f"{sql} -c 'TABLE notes'").strip() == "hello"
    told("ambassador", "HAProxy carried a migration step's and the app's dialogue with a PostgreSQL 15 in another pod")


ADAPTER = r"""
mkdir -p /tmp/web
while true; do
  awk '{ count[$2] += 1 } END { print "# TYPE legacy_jobs_total counter"
    for (kind in count) printf "legacy_jobs_total{kind=\"%s\"} %d\n", kind, count[kind] }' \
    /var/log/legacy/jobs.log > /tmp/web/new && mv /tmp/web/new /tmp/web/metrics
  sleep 1
done &
exec httpd -f -p 9102 -h /tmp/web
"""
LEGACY = """
touch /var/log/legacy/ready
httpd -p 8080 -h /var/log/legacy
while true; do echo "$(date +%s) invoice" >> /var/log/legacy/jobs.log; sleep 1; done
"""


def test_an_adapters_metrics_are_scraped_as_the_annotations_say(space: Space) -> None:
    """As Prometheus would: by the pod's annotations, from another pod; and through the Service's named port."""
    logs = {"name": "logs", "mountPath": "/var/log/legacy"}
    adapter = small(
        {
            "name": "metrics",
            "pattern": "adapter",
            "image": images.DEBIAN,
            "command": ["sh", "-c", ADAPTER],
            "metrics": {"port": 9102, "path": "/metrics"},
            "volumeMounts": [{**logs, "readOnly": True}],
        }
    )
    container = httpd(command=["sh", "-c", LEGACY], volumeMounts=[logs])
    volumes = [{"name": "logs", "emptyDir": {}}]
    space.apply(app("legacy", container, replicas=2, sidecars=[adapter], pod={"volumes": volumes}))
    space.wait_ready("legacy")
    pod, other = space.pods("legacy")
    annotations = pod["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    target = f"{pod['status']['podIP']}:{annotations['prometheus.io/port']}{annotations['prometheus.io/path']}"
    scraper = str(other["metadata"]["name"])

    def scraped() -> str:
        return space.shell(scraper, f"wget -q -O - http://{target}")

    sample = space.wait(lambda: 'legacy_jobs_total{kind="invoice"}' in scraped() and scraped(), "a sample")
    (port,) = (port for port in space.get("service", "legacy")["spec"]["ports"] if port["port"] == 9102)
    assert "legacy_jobs_total" in space.shell(scraper, f"wget -q -O - http://legacy:{port['port']}/metrics")
    told("adapter", f"scraped from another node's pod: {sample.splitlines()[-1]}; Service port {port['name']}")


APP = """
trap 'echo app: told to end >> /www/app.log; sleep 2; echo app: last words >> /www/app.log; exit 0' TERM
echo app: started >> /www/app.log
while true; do sleep 0.1; done
"""
SIDECAR = """
touch /www/app.log
tail -f /www/app.log &
trap 'echo sidecar: told to end; sleep 0.2; kill %1; exit 0' TERM
echo sidecar: started
while true; do sleep 0.1; done
"""


def test_sidecars_are_up_before_the_app_and_outlive_it(space: Space) -> None:
    """The sidecar sees the app's very last line, two seconds after the app was told to end, and is told only then."""
    www: Object = {"name": "www", "mountPath": "/www"}
    sidecar = small(
        {"name": "witness", "image": images.DEBIAN, "command": ["sh", "-c", SIDECAR], "volumeMounts": [www]}
    )
    container = {"image": images.DEBIAN, "command": ["sh", "-c", APP], "volumeMounts": [www]}
    space.apply(app("served", container, replicas=1, sidecars=[sidecar], pod=WWW))
    space.wait_ready("served")
    (pod,) = space.pods("served")
    name = str(pod["metadata"]["name"])
    lines: list[str] = []
    command = [str(space.lab.cluster.kubectl_path), f"--kubeconfig={space.lab.cluster.kubeconfig}"]
    command += [f"--namespace={space.name}", "logs", name, "--container=witness", "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        reader = threading.Thread(target=lambda: lines.extend(following.stdout or ()))
        reader.start()
        space.wait(lambda: "app: started\n" in lines, "the app's first line at the sidecar")
        space.kubectl("delete", "pod", name, "--wait=false")
        following.wait(timeout=60)
        reader.join(timeout=10)
    said = [line.strip() for line in lines if line.startswith(("app:", "sidecar:"))]
    assert said == ["sidecar: started", "app: started", "app: told to end", "app: last words", "sidecar: told to end"]
    told("order of start and end", " -> ".join(said))
