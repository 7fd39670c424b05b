"""`haapp-operator`: the operator as a process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

import kopf
import uvloop

from haapp import sharding
from haapp.cluster.access import NoCluster, nodes_may_be_watched
from haapp.exceptions import ApiError
from haapp.settings import LOG_FORMATS, Admission, Settings, admission, from_environment, port
from haapp.sharding import Shard

logger = logging.getLogger(__name__)

COLLECT_AFTER = (50_000, 20, 20)
"""How many new objects before a garbage collection of the youngest, and how many of those before one of older ones. A
list from the API server makes tens of thousands at once, hardly any of them in a cycle: by Python's own number, 700,
restarting with 2,000 apps took 5 and 14 % more CPU, in two pairs of runs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal or the loss of the lease; returns the exit code. What goes wrong at the start is one line.

    A fault of the operator leaves by its traceback, which is in one line too where the log is JSON.
    """
    try:
        settings = parse(argv)
    except ValueError as error:
        return failed(error)
    try:
        return run(settings)
    except (NoCluster, ApiError) as error:
        return failed(error, settings.log_format)
    except Exception as error:
        if settings.log_format != "json":
            raise
        logger.critical("a fault of the operator ends it, please report it: %r", error, exc_info=error)
        return 1


def failed(error: Exception, log_format: str = "plain") -> int:
    """Say it in one line, which is JSON where the log is; the exit code."""
    if log_format == "json":
        logger.error("%s", error)
    else:
        print(f"haapp-operator: {error}", file=sys.stderr)
    return 1


def run(settings: Settings) -> int:
    """Run with these settings; the exit code. Raises NoCluster, and an ApiError where the API server says no."""
    log_format = kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL
    kopf.configure(log_format=log_format)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    nodes = asyncio.run(nodes_may_be_watched())
    os.environ |= replace(settings, nodes=nodes).environment()
    # Kopf would ask for its user's name, which a user of a container need not have.
    os.environ.setdefault("POD_ID", settings.identity)
    from haapp import handlers  # noqa: F401, PLC0415  (registers Kopf's handlers, which read the environment)

    allow_open_files()
    memo = kopf.Memo()
    gc.freeze()  # what was imported stays: no collection has to look at it again
    gc.set_threshold(*COLLECT_AFTER)
    try:
        kopf.run(clusterwide=not settings.namespaces, namespaces=list(settings.namespaces), standalone=True, memo=memo)
    except Exception as error:
        if isinstance(error.__cause__, kopf.PermanentError):
            return 1  # Kopf has said why.
        raise
    return 1 if "runtime" in memo and memo.runtime.lost else 0


def allow_open_files() -> None:
    """Each watch is a file that is open, and there are two for each namespace whose apps refer to ConfigMaps and
    Secrets: more than the 1,024 at which many systems begin to refuse, until they are asked for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def parse(argv: Sequence[str] | None = None) -> Settings:
    """The settings from the command line; what it does not name comes from the environment."""
    defaults = from_environment()
    parser = argparse.ArgumentParser(
        prog="haapp-operator", description="Reconciles HighAvailabilityApps of a Kubernetes cluster."
    )
    where = parser.add_mutually_exclusive_group(required=not defaults.namespaces)
    where.add_argument("--all-namespaces", action="store_true", help="serve the whole cluster")
    where.add_argument("--namespace", action="append", metavar="NAME", help="serve this namespace (may be repeated)")
    parser.add_argument(
        "--shard",
        type=shard,
        metavar="I/N",
        default=defaults.shard,
        help="serve the I-th (from 0) of N parts of the namespaces, other processes serve the rest; "
        "I/N:server has the API server pick them out (ShardedListAndWatch)",
    )
    parser.add_argument("--health-port", type=port, default=defaults.health_port, help="/healthz, /readyz (0: none)")
    parser.add_argument("--metrics-port", type=port, default=defaults.metrics_port, help="/metrics (0: none)")
    parser.add_argument("--no-leader-election", action="store_true", help="write without a lease: one process only")
    parser.add_argument("--log-format", choices=LOG_FORMATS, default=defaults.log_format)
    _add_admission(parser)
    args = parser.parse_args(argv)
    return Settings(
        namespaces=tuple(args.namespace or (() if args.all_namespaces else defaults.namespaces)),
        shard=args.shard,
        leader_election=defaults.leader_election and not args.no_leader_election,
        lease_namespace=defaults.lease_namespace,
        health_port=args.health_port,
        metrics_port=args.metrics_port,
        log_format=args.log_format,
        admission=_admission(parser, args) if args.admission or defaults.admission else None,
    )


def shard(text: str) -> Shard:
    """What `sharding.parse` says, for argparse, which shows the words of this error alone."""
    try:
        return sharding.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_admission(parser: argparse.ArgumentParser) -> None:
    defaults = admission()
    group = parser.add_argument_group("admission webhook", "Prints an app's contradictions when it is applied.")
    group.add_argument("--admission", action="store_true", help="serve it (default: not)")
    group.add_argument("--admission-port", type=port, default=defaults.port, help="by HTTPS (default: %(default)s)")
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
