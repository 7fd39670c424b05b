"""The certificate that all replicas share: who wins, what is never undone, and what is complained of once."""

import logging
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from haapp.admission.certificate import hosts_of
from haapp.cluster.client import Request
from haapp.cluster.own_certificate import OwnCertificate
from haapp.exceptions import Conflict, NotFound

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Server:
    """An API server with the two objects, that holds writers to resourceVersions as the real one does.

    `meanwhile` is called once, before the next write: somebody else is faster."""

    objects: dict[str, Any] = field(default_factory=dict)
    meanwhile: Any = None
    writes: int = 0

    async def send(self, request: Request) -> Any:
        kind = request.path.split("/")[-2]
        if kind not in self.objects:
            raise NotFound("not found", request=str(request))
        if request.method == "GET":
            return deepcopy(self.objects[kind])
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        body: Any = request.body
        stored = self.objects[kind]
        if body["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"]:
            raise Conflict("changed")
        self.writes += 1
        if request.method == "PUT":
            stored["data"] = body["data"]
        else:
            for mine, theirs in zip(body["webhooks"], stored["webhooks"], strict=True):
                theirs["clientConfig"] |= mine["clientConfig"]
        stored["metadata"]["resourceVersion"] += "1"
        return stored

    @property
    def trusted(self) -> set[str]:
        return {webhook["clientConfig"].get("caBundle", "") for webhook in self.objects[CONFIGURATION]["webhooks"]}


SECRET, CONFIGURATION = "secrets", "validatingwebhookconfigurations"


@pytest.fixture
def server() -> Server:
    def meta() -> dict[str, str]:
        return {"name": "n", "resourceVersion": "1"}

    hooks = [{"name": "a", "clientConfig": {"service": {}}}, {"name": "b", "clientConfig": {"url": "u"}}]
    return Server(
        {SECRET: {"metadata": meta(), "type": "Opaque"}, CONFIGURATION: {"metadata": meta(), "webhooks": hooks}}
    )


def replica(server: Server, now: datetime = NOW, host: str = "h") -> OwnCertificate:
    return OwnCertificate(server, "ns", "n", host, look_seconds=0.01, clock=lambda: now)  # type: ignore[arg-type]


async def test_the_second_replica_takes_what_the_first_has_made(server: Server) -> None:
    made = await replica(server).ensure()
    assert server.trusted == {server.objects[SECRET]["data"]["ca.crt"]}
    assert server.writes == 2
    assert await replica(server).ensure() == made
    assert server.writes == 2


async def test_of_two_at_once_one_wins_and_the_other_follows(server: Server) -> None:
    async def faster() -> None:
        await replica(server).ensure()

    server.meanwhile = faster
    pems = replica(server).follow()
    pem = await anext(pems)
    assert (await replica(server).ensure()).certificate in pem
    assert server.writes == 2
    await pems.aclose()


async def test_an_authority_is_never_taken_back(server: Server) -> None:
    """One replica has read the old Secret when another renews and publishes: its own write comes too late."""
    await replica(server).ensure()
    for webhook in server.objects[CONFIGURATION]["webhooks"]:
        webhook["clientConfig"].pop("caBundle")
    due = NOW + timedelta(days=61)

    async def renew() -> None:
        await replica(server, due).ensure()

    server.meanwhile = renew
    with pytest.raises(Conflict):
        await replica(server).ensure()
    assert server.trusted == {server.objects[SECRET]["data"]["ca.crt"]}


async def test_what_was_undone_is_put_right(server: Server) -> None:
    made = await replica(server).ensure()
    server.objects[CONFIGURATION]["webhooks"][1]["clientConfig"].pop("caBundle")
    assert await replica(server).ensure() == made
    assert server.trusted == {server.objects[SECRET]["data"]["ca.crt"]}
    server.objects[SECRET]["data"]["tls.key"] = "%%%"
    assert await replica(server).ensure() != made


async def test_a_new_name_leaves_the_old_one_while_both_versions_run(server: Server) -> None:
    await replica(server, host="old").ensure()
    both = await replica(server, host="new").ensure()
    assert hosts_of(both) == {"old", "new"}
    assert await replica(server, host="old").ensure() == both
    renewed = await replica(server, NOW + timedelta(days=61), host="new").ensure()
    assert hosts_of(renewed) == {"new"}


async def test_a_missing_object_is_waited_for_and_said_once(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    secret = server.objects.pop(SECRET)
    looks = 0

    class Patient(OwnCertificate):
        async def ensure(self) -> Any:
            nonlocal looks
            looks += 1
            if looks == 3:
                server.objects[SECRET] = secret
            return await super().ensure()

    pems = Patient(server, "ns", "n", "h", look_seconds=0.01, clock=lambda: NOW).follow()  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        assert b"PRIVATE KEY" in await anext(pems)
    assert caplog.text.count("cannot be kept") == 1
    await pems.aclose()
