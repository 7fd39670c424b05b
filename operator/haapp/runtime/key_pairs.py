"""Where the webhook's key and certificate come from: files that somebody else renews, or the operator's own Secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from haapp.cluster.client import Client
from haapp.settings import ADMISSION_NAME, Admission

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How often the files are read: a mounted Secret is replaced without any sign of it."""


KeyPairs = Callable[[], AsyncIterator[bytes]]
"""Gives key and certificate as one PEM text: once they are there, and whenever they have changed. Never ends."""


def key_pairs(client: Client, admission: Admission, namespace: str) -> KeyPairs:
    """As the settings say; `namespace` is the operator's own."""
    if admission.certificate:
        return partial(from_files, Path(admission.certificate), Path(admission.key))
    from haapp.cluster.own_certificate import OwnCertificate  # noqa: PLC0415  (needs the extra `admission`)

    return OwnCertificate(client, namespace, ADMISSION_NAME, admission.host).follow


async def from_files(certificate: Path, key: Path, look_seconds: float = LOOK_SECONDS) -> AsyncIterator[bytes]:
    """The pair in these files, as cert-manager renews it in a mounted Secret."""
    given, complaint = b"", ""
    while True:
        try:
            found = await asyncio.to_thread(_read, key, certificate)
        except OSError as error:
            if str(error) != complaint:
                complaint = str(error)
                logger.warning("The webhook waits for its certificate: %s", error)
        else:
            if found != given:
                given = found
                yield found
        await asyncio.sleep(look_seconds)


def _read(*files: Path) -> bytes:
    return b"".join(file.read_bytes() for file in files)
