"""The warnings that kubectl prints: what the operator is going to refuse, and what cannot come true in this cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from haapp.api import App, InvalidSpec, parse_app
from haapp.placement import finding
from haapp.placement.contradictions import find
from haapp.placement.model import Node, Pod
from haapp.placement.scheduler import cache_required
from haapp.render import RenderError, render

LONGEST: Final = 256
"""Characters after which an API server may cut a warning off."""

MOST: Final = 8
"""Warnings for one app: beyond 4 KiB of them an API server shortens and drops."""

ABOUT_THE_CACHE: Final = frozenset({finding.CACHE_NOT_FOUND, finding.CACHE_OUT_OF_REACH})
"""Contradictions that only the pods of a running cache can show."""


def advise(
    app: App, nodes: Iterable[Node], pods: Iterable[Pod] = (), cache_pods: Iterable[Pod] | None = ()
) -> tuple[str, ...]:
    """The warnings about an app, the most serious first; none where it can be as asked.

    `nodes` are those of the cluster, or none where they are not known; `pods` those that the app has already;
    `cache_pods` those that `cache.selector` finds, `None` where that is not known.
    """
    found = find(app, nodes, pods, cache_pods or ())
    if cache_pods is None:
        found = tuple(item for item in found if item.reason not in ABOUT_THE_CACHE)
    return _bounded([*_cannot_be_rendered(app), *(item.brief for item in found)])


def read(obj: Any) -> App:
    """The app of an object that is being applied, which may have no name yet. Raises InvalidSpec, and nothing else."""
    metadata = obj.get("metadata") if isinstance(obj, Mapping) else None
    if isinstance(metadata, Mapping) and not metadata.get("name"):
        obj = {**obj, "metadata": {**metadata, "name": f"{metadata.get('generateName', '')}xxxxx"}}
    return parse_app(obj)


def refusals(error: InvalidSpec) -> tuple[str, ...]:
    """The warnings about an object that the API server takes and the operator is going to refuse."""
    return _bounded(_short(str(wrong)) for wrong in error.errors)


def wanted_cache(app: App) -> Mapping[str, Any] | None:
    """The selector of the cache without which no pod of the app can start; `None` if there is no such cache."""
    cache = app.spec.cache
    return cache.selector if cache is not None and cache_required(app.spec) else None


def _cannot_be_rendered(app: App) -> Iterator[str]:
    try:
        render(app)
    except RenderError as error:
        yield _short(str(error))


def _short(text: str) -> str:
    return text.removeprefix("spec.")


def _bounded(warnings: Iterable[str]) -> tuple[str, ...]:
    """As many, and as long, as an API server passes on, each on one line."""
    lines = (" ".join(text.split()) for text in warnings)
    return tuple(line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..." for line in lines)[:MOST]
