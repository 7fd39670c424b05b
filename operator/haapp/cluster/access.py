"""What this process may see of the cluster, and whether there is anything to serve yet."""

from __future__ import annotations

import asyncio
import logging

from kubernetes.aio.config import ConfigException

from haapp.api.names import GROUP, PLURAL, VERSION
from haapp.cluster.client import Client, Request
from haapp.exceptions import NotFound, Throttled, Unavailable

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0


class NoCluster(Exception):
    """There is no kubeconfig, and no service account, that names a cluster."""


async def nodes_may_be_watched() -> bool:
    """Whether the operator may list and watch nodes. Waits for the API server; raises NoCluster, or an ApiError."""
    try:
        client = await Client.connect()
    except ConfigException as error:
        raise NoCluster(f"no cluster to work in: set KUBECONFIG, or run in a pod ({error})") from error
    try:
        return all([await _allowed(client, verb) for verb in ("list", "watch")])
    finally:
        await client.close()


async def until_served() -> None:
    """Return once the cluster has our CRD."""
    client = await Client.connect()
    told = False
    try:
        while not await _is_served(client):
            if not told:
                logger.warning("%s.%s is not installed yet: kubectl apply -f crds/; waiting for it", PLURAL, GROUP)
            told = True
            await asyncio.sleep(RETRY_SECONDS)
    finally:
        await client.close()


async def _is_served(client: Client) -> bool:
    try:
        answer = await client.send(Request("GET", f"/apis/{GROUP}/{VERSION}"))
    except (NotFound, Throttled, Unavailable):
        return False
    return any(resource.get("name") == PLURAL for resource in answer.get("resources") or ())


async def _allowed(client: Client, verb: str) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"resource": "nodes", "verb": verb}},
    }
    request = Request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=review)
    while True:
        try:
            answer = await client.send(request)
        except (Throttled, Unavailable) as error:
            logger.warning("The API server does not answer, and is asked again in %.0f s: %s", RETRY_SECONDS, error)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return bool((answer.get("status") or {}).get("allowed"))
