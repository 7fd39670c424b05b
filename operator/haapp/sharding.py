"""Which apps this process serves where several share a cluster: those whose namespace's hash lies in its range.

By the namespace, since an app, its children, its pods and their ReplicaSets all are in one. There are two hashes. That
of Kubernetes' sharded list and watch (k8s.io/apimachinery/pkg/sharding: FNV-1a, whose upper bits decide) lets the API
server leave out what is other shards', but the last two characters of a name hardly change it: `team-00` to `team-99`
all fall into one half. So it is used only where it is asked for; by the other one (SHA-256) similar names fall
anywhere, and what is other shards' is dropped as soon as it arrives.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

HASHES = 1 << 64
"""There are so many hashes: from 0 to one less."""

MOST_SHARDS = 64
SERVER = ":server"

_OFFSET = 0xCBF29CE484222325
_PRIME = 0x100000001B3
_TEXT = re.compile(rf"([0-9]{{1,2}})/([0-9]{{1,2}})({SERVER})?")


def parse(text: str) -> Shard:
    """The shard of `i/n` or `i/n:server`, i from 0 to n-1; raises ValueError with what to write instead."""
    found = _TEXT.fullmatch(text)
    index, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if found is None or not index < count <= MOST_SHARDS:
        raise ValueError(
            f"{text!r}: write i/n for the i-th of n shards, n from 1 to {MOST_SHARDS} and i from 0 to n-1 "
            f"(0/2 and 1/2 are both of two), or i/n{SERVER}"
        )
    return Shard(index, count, by_server=bool(found[3]) and count > 1)


@lru_cache(maxsize=65536)
def server_hash(namespace: str) -> int:
    """What the API server makes of `object.metadata.namespace`: from 0 to HASHES - 1."""
    value = _OFFSET
    for byte in namespace.encode():
        value = (value ^ byte) * _PRIME % HASHES
    return value


@lru_cache(maxsize=65536)
def even_hash(namespace: str) -> int:
    """A number from 0 to HASHES - 1 that differs in all of its bits for similar names."""
    return int.from_bytes(hashlib.sha256(namespace.encode()).digest()[:8])


@dataclass(frozen=True, slots=True)
class Shard:
    """The `index`-th (from 0) of `count` equal ranges of hashes; the only one of one is all there is. `by_server`: the
    API server may pick out what belongs to it."""

    index: int = 0
    count: int = 1
    by_server: bool = False

    def __str__(self) -> str:
        return f"{self.index}/{self.count}{SERVER if self.by_server else ''}"

    @property
    def whole(self) -> bool:
        """Whether it is all there is, so that nothing has to be left out."""
        return self.count == 1

    @property
    def layout(self) -> tuple[int, bool]:
        """What it has in common with those beside it: shards of one layout never overlap."""
        return self.count, self.by_server

    @property
    def start(self) -> int:
        """The first hash of the range."""
        return self.index * HASHES // self.count

    @property
    def end(self) -> int:
        """The first hash after the range."""
        return (self.index + 1) * HASHES // self.count

    def serves(self, namespace: str) -> bool:
        """Whether what is in this namespace belongs to the shard."""
        return self.whole or self.start <= (server_hash if self.by_server else even_hash)(namespace) < self.end

    def overlaps(self, other: Shard) -> bool:
        """Whether some namespace may belong to both."""
        if self.by_server != other.by_server:
            return True
        return self.start < other.end and other.start < self.end

    @property
    def selector(self) -> str:
        """The range as the API server's parameter `shardSelector`; empty where it is not the server's business."""
        if not self.by_server:
            return ""
        return f"shardRange(object.metadata.namespace, '0x{self.start:016x}', '0x{self.end:016x}')"


WHOLE = Shard()
"""All there is: one process serves it."""
