"""The admission webhook over HTTPS: Kopf's answer where there is one in time, and in every other case `allowed`.

Kopf's own server ends the whole operator when its certificate is missing or its port is taken, answers a fault with
an error, and closes the port to renew its certificate.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator
from typing import Any

import kopf
import orjson
from aiohttp import web

from haapp.api import jsontext
from haapp.api.nesting import shallow
from haapp.runtime.key_pairs import KeyPairs

logger = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds that a review may take; whoever applies an app waits for it."""

MOST_AT_ONCE = 16
"""Reviews in hand, beyond which objects are let through unread: a flood of them must not keep apps waiting for work."""

LARGEST = 8 * 2**20
"""Bytes of a request: an API server takes objects of up to 3 MiB, and sends the old one along."""

AGAIN_SECONDS = 10.0


class Webhook:
    """Serves on `port` with the latest of `key_pairs`, from the first one on. Kopf calls it with its own review."""

    def __init__(self, port: int, key_pairs: KeyPairs) -> None:
        self._port = port
        self._key_pairs = key_pairs
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._runner: web.AppRunner | None = None

    async def __call__(self, review: kopf.WebhookFn) -> AsyncIterator[kopf.WebhookClientConfig]:
        """Serve until cancelled, whatever happens: the operator's other work does not hang on it."""
        try:
            while True:
                try:
                    async for pem in self._key_pairs():
                        load(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), pem)  # a bad pair spoils a context
                        load(self._context, pem)
                        await self._listen(review)
                        yield kopf.WebhookClientConfig(url=f"https://localhost:{self._port}")
                except OSError as error:
                    logger.warning("The admission webhook cannot be served: %s", error)
                except Exception:
                    logger.exception("A fault in the admission webhook.")
                await asyncio.sleep(AGAIN_SECONDS)
        finally:
            await self._close()

    async def _listen(self, review: kopf.WebhookFn) -> None:
        if self._runner is not None:
            return
        app = web.Application(client_max_size=LARGEST)
        app.add_routes([web.post("/validate", Reviews(review).answer)])
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, None, self._port, ssl_context=self._context).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        logger.info("The admission webhook is served on port %d.", self._port)

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


def load(context: ssl.SSLContext, pem: bytes) -> None:
    """Serve with this key and certificate from the next connection on. Raises OSError (ssl.SSLError is one).

    Python reads them from files only, and the key is not to be on any disk: it goes through memory that has a path."""
    descriptor = os.memfd_create("key-pair")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


class Reviews:
    """Answers the API server by Kopf's review, in time and never with a refusal."""

    def __init__(self, review: kopf.WebhookFn) -> None:
        self._review = review
        self._in_hand = 0

    async def answer(self, request: web.Request) -> web.Response:
        try:
            asked = shallow(jsontext.loads(await request.read()))
            uid = str(asked["request"]["uid"])
        except (ValueError, TypeError, KeyError) as error:
            raise web.HTTPBadRequest(text=f"this is no AdmissionReview: {error!r}\n") from error
        warnings = await self._warnings(asked) if self._in_hand < MOST_AT_ONCE and _has_object(asked) else []
        response = {"uid": uid, "allowed": True} | ({"warnings": warnings} if warnings else {})
        answer = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    async def _warnings(self, asked: Any) -> list[str]:
        self._in_hand += 1
        try:
            # Kopf keeps a memory of each object that is said to be updated, known or not, and never ends it.
            asked["request"]["operation"] = "CREATE"
            async with asyncio.timeout(PATIENCE):
                answer = await self._review(asked)
            return list(answer["response"].get("warnings") or ())
        except TimeoutError:
            logger.warning("A review took more than %.1f s: the object was let through.", PATIENCE)
        except Exception:
            logger.exception("A fault in a review: the object was let through.")
        finally:
            self._in_hand -= 1
        return []


def _has_object(asked: Any) -> bool:
    """Whether there is an object to review: Kopf trips over anything else, which no API server sends."""
    obj = asked["request"].get("object")
    return isinstance(obj, dict) and isinstance(obj.get("metadata"), dict)
