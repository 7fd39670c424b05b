"""What a flag or the environment may set; everything else is fixed."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from haapp import sharding
from haapp.sharding import WHOLE, Shard

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

LOG_FORMATS = ("plain", "json")

ADMISSION_NAME = "haapp-operator-admission"
"""The name of the webhook's configuration, its Service and the Secret of its certificate."""


@dataclass(frozen=True, slots=True)
class Admission:
    """How the admission webhook is served, which prints an app's contradictions when it is applied."""

    port: int = 9443
    """Where the API server reaches it, by HTTPS."""

    certificate: str = ""
    """A PEM file with the certificate, which may be renewed in place; without one the operator makes its own."""

    key: str = ""
    """A PEM file with that certificate's private key."""

    host: str = ""
    """The name or address that the API server calls, for a certificate of the operator's own."""

    def environment(self) -> dict[str, str]:
        """These settings as environment variables."""
        return {
            "HAAPP_ADMISSION": "true",
            "HAAPP_ADMISSION_PORT": str(self.port),
            "HAAPP_ADMISSION_CERT": self.certificate,
            "HAAPP_ADMISSION_KEY": self.key,
            "HAAPP_ADMISSION_HOST": self.host,
        }


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process of the operator runs."""

    namespaces: tuple[str, ...] = ()
    """The namespaces that are served; empty means all of them."""

    shard: Shard = WHOLE
    """The part of these namespaces that is this process' own; others serve the rest."""

    leader_election: bool = True
    """Write only while holding the lease, so that several replicas can run."""

    lease_namespace: str = "default"
    """Where the lease is: the operator's own namespace."""

    lease_name: str = "haapp-operator"
    """The lease's name: operators that share it take turns. That of a shard also says which one it is."""

    identity: str = field(default_factory=lambda: f"{socket.gethostname()}_{uuid4().hex[:8]}")
    """The holder's name on the lease and on Events: unique for each process."""

    health_port: int = 8080
    """Where /healthz and /readyz are served; 0 serves neither."""

    metrics_port: int = 9090
    """Where /metrics is served; 0 does not serve it."""

    log_format: str = "plain"
    """`plain` for people, `json` for machines."""

    admission: Admission | None = None
    """The admission webhook; `None` serves none."""

    nodes: bool = True
    """Watch the nodes. Without the right to, nothing can be said of zones."""

    workers: int = 16
    """How many apps are visited at the same time."""

    def environment(self) -> dict[str, str]:
        """The settings as environment variables: handlers that Kopf imports by name read them from there."""
        return {
            "HAAPP_NAMESPACES": ",".join(self.namespaces),
            "HAAPP_SHARD": str(self.shard),
            "HAAPP_LEADER_ELECTION": "true" if self.leader_election else "false",
            "HAAPP_LEASE_NAMESPACE": self.lease_namespace,
            "HAAPP_HEALTH_PORT": str(self.health_port),
            "HAAPP_METRICS_PORT": str(self.metrics_port),
            "HAAPP_LOG_FORMAT": self.log_format,
            "HAAPP_NODES": "true" if self.nodes else "false",
            **(self.admission.environment() if self.admission else {"HAAPP_ADMISSION": "false"}),
        }


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment asks for; raises ValueError naming a variable that cannot be read."""
    return Settings(
        namespaces=tuple(filter(None, environ.get("HAAPP_NAMESPACES", "").split(","))),
        shard=_shard(environ),
        leader_election=_flag(environ, "HAAPP_LEADER_ELECTION", default=True),
        lease_namespace=environ.get("HAAPP_LEASE_NAMESPACE") or own_namespace(environ),
        health_port=_port(environ, "HAAPP_HEALTH_PORT", 8080),
        metrics_port=_port(environ, "HAAPP_METRICS_PORT", 9090),
        log_format=_one_of(environ, "HAAPP_LOG_FORMAT", LOG_FORMATS),
        admission=admission(environ) if _flag(environ, "HAAPP_ADMISSION", default=False) else None,
        nodes=_flag(environ, "HAAPP_NODES", default=True),
    )


def admission(environ: Mapping[str, str] = os.environ) -> Admission:
    """The webhook's settings, for when it is switched on; raises ValueError as `from_environment` does."""
    namespace = environ.get("HAAPP_LEASE_NAMESPACE") or own_namespace(environ)
    return Admission(
        port=_port(environ, "HAAPP_ADMISSION_PORT", 9443),
        certificate=environ.get("HAAPP_ADMISSION_CERT", ""),
        key=environ.get("HAAPP_ADMISSION_KEY", ""),
        host=environ.get("HAAPP_ADMISSION_HOST") or f"{ADMISSION_NAME}.{namespace}.svc",
    )


def own_namespace(environ: Mapping[str, str] = os.environ) -> str:
    """The namespace that this pod runs in; `default` outside a cluster."""
    if "POD_NAMESPACE" in environ:
        return environ["POD_NAMESPACE"]
    try:
        return _NAMESPACE_FILE.read_text().strip() or "default"
    except OSError:
        return "default"


def port(text: str) -> int:
    """A port number; raises ValueError."""
    if not text.isdigit() or int(text) > 65535:
        raise ValueError(f"{text!r}: write a port number from 0 to 65535")
    return int(text)


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    try:
        return port(environ.get(name) or str(default))
    except ValueError as error:
        raise ValueError(f"{name} is {error}") from None


def _shard(environ: Mapping[str, str]) -> Shard:
    try:
        return sharding.parse(environ.get("HAAPP_SHARD") or str(WHOLE))
    except ValueError as error:
        raise ValueError(f"HAAPP_SHARD is {error}") from None


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name) or str(default)
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{name} is {text!r}: write true or false")
    return text.lower() == "true"


def _one_of(environ: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    text = environ.get(name) or values[0]
    if text not in values:
        raise ValueError(f"{name} is {text!r}: write {' or '.join(values)}")
    return text
