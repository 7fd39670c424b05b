"""The webhook's certificate where the operator makes it itself: kept in a Secret, trusted through the configuration.

Kopf can make and publish one (`settings.admission.managed`), but not for two replicas: each would publish a certificate
and an address of its own, and take the webhook out of the configuration when it ends.

Both replicas do the same here. A Secret's resourceVersion decides whose new certificate counts, and none is served
before the configuration trusts it.
"""

from __future__ import annotations

import asyncio
import binascii
import logging
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from haapp.admission.certificate import KeyPair, hosts_of, issue, serves
from haapp.api.names import FIELD_MANAGER
from haapp.cluster.client import APPLY, Client, Request
from haapp.exceptions import ApiError, Conflict

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How often the Secret and the configuration are looked at: what was undone by hand is put right, and news served."""

AGAIN_SECONDS = 0.5
"""How soon after another replica was faster."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class OwnCertificate:
    """The certificate for `host` in the Secret `name` of `namespace`, trusted by the ValidatingWebhookConfiguration
    `name`. Both objects are there already, empty or not: the operator has no right to create them. `clock` gives aware
    times."""

    client: Client
    namespace: str
    name: str
    host: str
    look_seconds: float = LOOK_SECONDS
    clock: Callable[[], datetime] = _now
    _complaint: str = ""

    async def follow(self) -> AsyncIterator[bytes]:
        """Key and certificate as one PEM text: the present one, and each one that takes its place. Never ends."""
        served: KeyPair | None = None
        while True:
            pause = self.look_seconds
            try:
                pair = await self.ensure()
            except Conflict:
                pause = AGAIN_SECONDS
            except ApiError as error:
                self._complain(f"The webhook's certificate cannot be kept: {error}")
            else:
                self._complaint = ""
                if pair != served:
                    served = pair
                    yield pair.key + pair.certificate
            await asyncio.sleep(pause)

    @property
    def _secret(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets/{self.name}"

    @property
    def _configuration(self) -> str:
        return f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{self.name}"

    async def ensure(self) -> KeyPair:
        """One look: make what is missing or due, have it trusted, and return it. Raises ApiError; Conflict where
        another replica was faster.

        The configuration is read before the Secret, and written only if it is still the same: so an authority that
        another replica has published in between is never taken back.
        """
        configuration = await self.client.send(Request("GET", self._configuration))
        secret = await self.client.send(Request("GET", self._secret))
        pair = _pair_of(secret)
        if not serves(pair, self.host, self.clock()):
            pair = await self._renew(secret, pair)
        await self._publish(configuration, pair.authorities)
        return pair

    async def _renew(self, secret: Mapping[str, Any], old: KeyPair) -> KeyPair:
        """A certificate that is well but for another name, as while a new version is rolled out, keeps that name."""
        now = self.clock()
        others = hosts_of(old)
        kept = others if any(serves(old, other, now) for other in others) else frozenset()
        pair = issue({self.host, *kept}, now, old)
        await self.client.send(Request("PUT", self._secret, body={**secret, "data": _data_of(pair)}))
        logger.info("A new certificate for the webhook is in %s.", self._secret)
        return pair

    async def _publish(self, configuration: Mapping[str, Any], authorities: bytes) -> None:
        bundle = b64encode(authorities).decode()
        webhooks = configuration.get("webhooks") or ()
        if all(webhook["clientConfig"].get("caBundle") == bundle for webhook in webhooks):
            return
        metadata = {key: configuration["metadata"][key] for key in ("name", "resourceVersion")}
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": metadata,
            "webhooks": [{"name": webhook["name"], "clientConfig": {"caBundle": bundle}} for webhook in webhooks],
        }
        params = {"fieldManager": FIELD_MANAGER, "force": "true"}
        await self.client.send(Request("PATCH", self._configuration, params=params, body=body, content_type=APPLY))

    def _complain(self, message: str) -> None:
        """Once for each kind of trouble, not every few seconds."""
        if message != self._complaint:
            self._complaint = message
            logger.warning(message)


def _pair_of(secret: Mapping[str, Any]) -> KeyPair:
    """What the Secret holds; empty where it is missing or unreadable."""
    data = secret.get("data") or {}
    return KeyPair(*(_decoded(data.get(key)) for key in ("tls.crt", "tls.key", "ca.crt")))


def _data_of(pair: KeyPair) -> dict[str, str]:
    values = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": pair.authorities}
    return {key: b64encode(value).decode() for key, value in values.items()}


def _decoded(text: object) -> bytes:
    try:
        return b64decode(text) if isinstance(text, str) else b""
    except binascii.Error:
        return b""
