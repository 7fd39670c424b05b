"""A PostgreSQL of Debian's in a pod of its own, which stands for the database outside of an app."""

from tests.nodes.lab import Object, Space, small

from devnodes import images

BIN = "/usr/lib/postgresql/15/bin"
START = f"""
set -e
export PGDATA=/data/pg
{BIN}/initdb --username=postgres --auth=trust --no-sync > /dev/null
echo "host all all all trust" >> $PGDATA/pg_hba.conf
exec {BIN}/postgres -c listen_addresses='*' -c unix_socket_directories=/data -c fsync=off -c jit=off
"""
PSQL = f"{BIN}/psql --no-psqlrc --tuples-only --no-align"
LABELS = {"app": "database"}


def start_database(space: Space) -> str:
    """Start it behind the Service `database`, and wait for it; returns the Service's address."""
    container: Object = {
        "name": "postgres",
        "image": images.DEBIAN,
        "command": ["sh", "-c", START],
        "ports": [{"containerPort": 5432}],
        "readinessProbe": {"exec": {"command": [f"{BIN}/pg_isready", "-h", "127.0.0.1"]}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "database", "labels": LABELS},
        "spec": {
            "securityContext": {"runAsUser": 70, "runAsGroup": 70, "fsGroup": 70},
            "terminationGracePeriodSeconds": 1,
            "containers": [small(container)],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
    }
    ports = [{"port": 5432}]
    service: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "database"}}
    space.apply(pod, {**service, "spec": {"selector": LABELS, "ports": ports}})
    space.kubectl("wait", "pod/database", "--for=condition=Ready", "--timeout=240s", timeout=250)
    return space.address("database")


def query(space: Space, sql: str) -> str:
    """What the database itself answers."""
    command = f'{PSQL} -h 127.0.0.1 -U postgres -c "{sql}"'
    return space.shell("database", command, container="postgres").strip()
