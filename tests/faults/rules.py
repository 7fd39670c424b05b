"""What goes wrong, and with which requests: a Rule picks requests, its Fault says what becomes of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WRITES = frozenset({"create", "update", "patch", "delete"})
LEASES = "leases"
EVENTS = "events"
REVIEWS = "authorization.k8s.io"
"""The group of what is asked by a create, which changes nothing."""


@dataclass(slots=True)
class Call:
    """One request of the operator, in Kubernetes' own verbs. `code` is the server's own answer, 0 without one."""

    verb: str
    group: str
    resource: str
    """The plural, with the subresource: `deployments`, `pods/eviction`; empty for a path that is no resource."""
    namespace: str
    name: str
    at: float = field(default_factory=time.monotonic, compare=False)
    accept: str = field(default="", compare=False)
    code: int = field(default=0, compare=False)

    @property
    def is_write(self) -> bool:
        """Whether it changes what the operator is there to change: leases and Events are left aside."""
        return self.mutates and self.resource != EVENTS

    @property
    def mutates(self) -> bool:
        """Whether the lease has to fence it: every write but that of the lease itself, so Events too."""
        return self.verb in WRITES and self.resource != LEASES and self.group != REVIEWS

    @property
    def granted(self) -> bool:
        """Whether the server has done it."""
        return 200 <= self.code < 300


def call_of(method: str, path: str, query: Any, accept: str = "") -> Call:
    """The Call that an HTTP request is."""
    parts = path.strip("/").split("/")
    group, rest = (parts[1], parts[3:]) if parts[0] == "apis" and len(parts) > 1 else ("", parts[2:])
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    resource = "/".join([*rest[:1], *rest[2:]])
    name = rest[1] if len(rest) > 1 else ""
    return Call(_verb(method, name, query), group, resource, namespace, name, accept=accept)


def _verb(method: str, name: str, query: Any) -> str:
    if method == "GET":
        return "watch" if query.get("watch") == "true" else "get" if name else "list"
    return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[method]


class Fault:
    """What becomes of a request. A subclass changes one of these steps."""


@dataclass(frozen=True, slots=True)
class Answer(Fault):
    """The server refuses, and nothing is done: a Status with this code."""

    status: int
    reason: str = "Injected"
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Garbled(Fault):
    """It is done, and half of the answer arrives."""


@dataclass(frozen=True, slots=True)
class Swallowed(Fault):
    """It is done, and the connection breaks before the answer."""


@dataclass(frozen=True, slots=True)
class Hung(Fault):
    """Nothing is done, and nothing is answered until the client gives up, or after `seconds` it goes on."""

    seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Late(Fault):
    """The connection breaks, or with `hangs` is silent until the client gives up; it is done all the same, once
    `released`, whoever still waits for it."""

    released: Callable[[], bool]
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Before(Fault):
    """Something else happens first; the request is then lost."""

    act: Callable[[], None]


@dataclass(frozen=True, slots=True)
class After(Fault):
    """It is done, something else happens, and the answer is lost."""

    act: Callable[[], None]


class StreamFault(Fault):
    """What becomes of the lines of a watch."""


@dataclass(frozen=True, slots=True)
class Ends(StreamFault):
    """After `events` events the stream ends with this text: an ERROR, half a line, or nothing at all."""

    text: bytes = b""
    events: int = 0


@dataclass(frozen=True, slots=True)
class Silent(StreamFault):
    """The stream stays open, and nothing comes any more."""


@dataclass(slots=True)
class HeldBack(StreamFault):
    """Events are kept until `released`, and then come all at once; with `thinned`, only the last of each object."""

    released: Callable[[], bool]
    thinned: bool = False


def gone(code: int = 410, events: int = 0) -> Ends:
    """The ERROR with which a watch says, after `events` events, that it cannot go on."""
    reason = "Expired" if code == 410 else "InternalError"
    return Ends(
        b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
        b'"message":"injected","reason":"%s","code":%d}}\n' % (reason.encode(), code),
        events,
    )


@dataclass(slots=True)
class Rule:
    """Applies `fault` to the matching calls from the `nth` on, `times` of them; with `each`, to the first one of each
    verb and object instead. `applied` counts."""

    fault: Fault
    picks: Callable[[Call], bool]
    nth: int = 1
    times: int = 1
    each: bool = False
    applied: int = field(default=0, init=False)
    seen: list[Call] = field(default_factory=list, init=False)

    def takes(self, call: Call) -> bool:
        """Whether this very call is one of them."""
        if not self.picks(call):
            return False
        known = call in self.seen
        self.seen.append(call)
        taken = not known if self.each else len(self.seen) >= self.nth and self.applied < self.times
        self.applied += taken
        return taken


def writes(namespace: str) -> Callable[[Call], bool]:
    """The operator's writes in a namespace."""
    return lambda call: call.is_write and call.namespace == namespace


def renewals(call: Call) -> bool:
    """Whether the call writes the lease."""
    return call.resource == LEASES and call.verb in WRITES


def watches(*resources: str) -> Callable[[Call], bool]:
    """The watches of these resources, of all where none is named."""
    return lambda call: call.verb == "watch" and (not resources or call.resource in resources)
