"""What is kept of the objects that the watches show: a projection of each, found by the app that it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from itertools import chain
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Index(Generic[K, V]):
    """Values by key, one for each object, which is known by its uid."""

    def __init__(self) -> None:
        self._values: dict[K, dict[str, V]] = {}
        self._keys: dict[str, K] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def get(self, key: K) -> Collection[V]:
        """The values of all objects under that key, in the order in which they were first seen."""
        return self._values.get(key, {}).values()

    def values(self) -> Iterator[V]:
        """The values of all objects."""
        return chain.from_iterable(values.values() for values in self._values.values())

    def put(self, key: K, uid: str, value: V) -> V | None:
        """The object is this now, and what it was under that key is returned. It leaves the key it was under before."""
        if self._keys.get(uid, key) != key:
            self.pop(uid)
        values = self._values.setdefault(key, {})
        before = values.get(uid)
        values[uid] = value
        self._keys[uid] = key
        return before

    def moves(self, key: K, uid: str) -> K | None:
        """The other key that the object is under now; `None` if it is new, or stays."""
        now = self._keys.get(uid, key)
        return None if now == key else now

    def pop(self, uid: str) -> tuple[K, V] | None:
        """The object is gone: what was known of it, with its key; `None` where nothing was."""
        key = self._keys.pop(uid, None)
        if key is None:
            return None
        values = self._values[key]
        value = values.pop(uid)
        if not values:
            del self._values[key]
        return key, value
