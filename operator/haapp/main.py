"""`haapp-operator`: the operator as a process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Sequence

import kopf
import uvloop

from haapp.settings import Settings, from_environment


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
    args = parser.parse_args(argv)
    return Settings(
        namespaces=tuple(args.namespace or (() if args.all_namespaces else defaults.namespaces)),
        leader_election=defaults.leader_election and not args.no_leader_election,
        lease_namespace=defaults.lease_namespace,
        health_port=args.health_port,
        metrics_port=args.metrics_port,
        log_format=args.log_format,
    )
