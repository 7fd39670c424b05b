"""What sidecars, ambassadors and adapters do beside a real app."""

from concurrent.futures import ThreadPoolExecutor

import yaml
from tests.nodes.database import PSQL, query, start_database
from tests.nodes.figures import told
from tests.nodes.lab import REPOSITORY, WWW, Object, Space, app, httpd, small

from devnodes import images

EXAMPLE = REPOSITORY / "manifests" / "examples" / "09-database-ambassador.yaml"


def test_an_ambassador_carries_the_dialogue_with_the_database(space: Space) -> None:
    """The example's own Envoy and its configuration, but for the database's address. The app knows localhost and two
    variables; a step before it talks through the ambassador too."""
    start_database(space)
    database = f"database.{space.name}.svc.cluster.local"
    secret, config, example = yaml.safe_load_all(EXAMPLE.read_text().replace("postgres.example.com", database))
    (ambassador,) = example["spec"]["sidecars"]
    ambassador |= {"image": images.ENVOY, "resources": small({})["resources"]}
    sql = f"{PSQL} -h $DB_HOST -p $DB_PORT -U postgres -v ON_ERROR_STOP=1"
    steps = [{"name": "migrate", "image": images.DEBIAN, "script": f"{sql} -c 'CREATE TABLE notes (text text)'"}]
    space.apply(secret, config, app("wiki", httpd(), replicas=1, initSteps=steps, sidecars=[ambassador], pod=WWW))
    space.wait_ready("wiki")
    (pod,) = (found["metadata"]["name"] for found in space.pods("wiki"))
    assert space.shell(pod, "echo $DB_HOST:$DB_PORT").strip() == "localhost:5432"
    space.shell(pod, " ".join((sql, "-c \"INSERT INTO notes VALUES ('hello')\"")))
    assert query(space, "TABLE notes") == "hello"
    assert space.shell(pod, f"{sql} -c 'TABLE notes'").strip() == "hello"
    told("ambassador", "a migration step's and the app's dialogue went by `$DB_HOST:$DB_PORT`, there and back")


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
    told("adapter", f"`{sample.splitlines()[-1]}`, from another pod, and through the Service's port `{port['name']}`")


APP = """
trap 'echo app: told to end >> /www/order; sleep 2; echo app: last words >> /www/order; exit 0' TERM
echo app: started >> /www/order
while true; do sleep 0.1; done
"""
SIDECAR = """
trap 'echo sidecar: told to end >> /www/order; cat /www/order; sleep 1; exit 0' TERM
echo sidecar: started >> /www/order
while true; do sleep 0.1; done
"""
"""Shows the whole order in the end, and stays until that is read."""


def test_sidecars_are_up_before_the_app_and_outlive_it(space: Space) -> None:
    """The app says its last words two seconds after it was told to end; only then the sidecar is told."""
    www: Object = {"name": "www", "mountPath": "/www"}
    sidecar = small(
        {"name": "witness", "image": images.DEBIAN, "command": ["sh", "-c", SIDECAR], "volumeMounts": [www]}
    )
    container = {"image": images.DEBIAN, "command": ["sh", "-c", APP], "volumeMounts": [www]}
    space.apply(app("served", container, replicas=1, sidecars=[sidecar], pod=WWW))
    space.wait_ready("served")
    (pod,) = (str(found["metadata"]["name"]) for found in space.pods("served"))
    space.wait(lambda: "app: started" in space.execute(pod, "cat", "/www/order"), "the app's first words")
    with ThreadPoolExecutor() as pool:
        following = pool.submit(space.kubectl, "logs", pod, "--container=witness", "--follow", timeout=120)
        space.kubectl("delete", "pod", pod, "--wait=false")
        said = following.result().splitlines()
    assert said == ["sidecar: started", "app: started", "app: told to end", "app: last words", "sidecar: told to end"]
    told("shutdown", ", ".join(said))
