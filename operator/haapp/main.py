"""`haapp-operator`: the operator as a process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Sequence
from importlib.util import find_spec

import kopf
import uvloop

from haapp.settings import Admission, Settings, admission, from_environment


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal or the loss of the lease; returns the exit code."""
    settings = parse(argv)
    os.environ |= settings.environment()
    log_format = kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL
    kopf.configure(log_format=log_format)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    from haapp import handlers  # noqa: F401, PLC0415  (registers Kopf's handlers, which read the environment)

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    kopf.run(clusterwide=not settings.namespaces, namespaces=list(settings.namespaces), standalone=True)
    return 0


def parse(argv: Sequence[str] | None = None) -> Settings:
    """The settings from the command line; what it does not name comes from the environment."""
    defaults = from_environment()
    parser = argparse.ArgumentParser(
        prog="haapp-operator", description="Reconciles HighAvailabilityApps of a Kubernetes cluster."
    )
    where = parser.add_mutually_exclusive_group(required=not defaults.namespaces)
    where.add_argument("--all-namespaces", action="store_true", help="serve the whole cluster")
    where.add_argument("--namespace", action="append", metavar="NAME", help="serve this namespace (may be repeated)")
    parser.add_argument("--health-port", type=int, default=defaults.health_port, help="/healthz, /readyz (0: none)")
    parser.add_argument("--metrics-port", type=int, default=defaults.metrics_port, help="/metrics (0: none)")
    parser.add_argument("--no-leader-election", action="store_true", help="write without a lease: one process only")
    parser.add_argument("--log-format", choices=("plain", "json"), default=defaults.log_format)
    _add_admission(parser)
    args = parser.parse_args(argv)
    return Settings(
        namespaces=tuple(args.namespace or (() if args.all_namespaces else defaults.namespaces)),
        leader_election=defaults.leader_election and not args.no_leader_election,
        lease_namespace=defaults.lease_namespace,
        health_port=args.health_port,
        metrics_port=args.metrics_port,
        log_format=args.log_format,
        admission=_admission(parser, args) if args.admission or defaults.admission else None,
    )


def _add_admission(parser: argparse.ArgumentParser) -> None:
    defaults = admission()
    group = parser.add_argument_group("admission webhook", "Prints an app's contradictions when it is applied.")
    group.add_argument("--admission", action="store_true", help="serve it (default: not)")
    group.add_argument("--admission-port", type=int, default=defaults.port, help="by HTTPS (default: %(default)s)")
    group.add_argument("--admission-cert", metavar="FILE", default=defaults.certificate, help="its certificate, as PEM")
    group.add_argument("--admission-key", metavar="FILE", default=defaults.key, help="the certificate's private key")
    group.add_argument(
        "--admission-host",
        metavar="NAME",
        default=defaults.host,
        help="without a certificate one is made for this name or address (default: %(default)s)",
    )


def _admission(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Admission:
    if bool(args.admission_cert) != bool(args.admission_key):
        parser.error("--admission-cert and --admission-key go together")
    if not args.admission_cert and find_spec("cryptography") is None:
        parser.error(
            "a certificate of the operator's own needs the package's extra `admission`: install it, or give "
            "--admission-cert and --admission-key"
        )
    return Admission(
        port=args.admission_port, certificate=args.admission_cert, key=args.admission_key, host=args.admission_host
    )
