"""An object that is nested too deeply hurts only itself: it is told what is wrong, and all others are served."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Self

import orjson
import pytest
from kopf import OperatorSettings
from kopf._cogs.clients import api, watching
from kopf._cogs.structs import references
from tests.unit.test_bad_objects import KEY, World, app, reconciler

from haapp.api import InvalidSpec, jsontext, names, parse_app
from haapp.api.nesting import DEEPEST, LEFT, deeper_than, shallow
from haapp.api.schema import schema_of
from haapp.api.spec import Spec
from haapp.children import child_of
from haapp.cli import documents
from haapp.cli.check import check
from haapp.cli.errors import BadInput
from haapp.cluster import following
from haapp.cluster.client import _object
from haapp.cluster.following import Following
from haapp.cluster.overlay import Overlay
from haapp.cluster.seen import seen_app
from haapp.cluster.view import Indices
from haapp.placement.model import Deployment
from haapp.reconcile.ports import Key
from haapp.runtime.feed import sinks
from haapp.runtime.triggers import Triggers
from haapp.runtime.workqueue import WorkQueue
from haapp.status.rollback import rolled_back

LEVELS = (300, 1_100, 5_000, 9_999)
GROUP, VERSION = names.API_VERSION.split("/")
APPS = references.Resource(group=GROUP, version=VERSION, plural=names.PLURAL, namespaced=True)
HOLE = '"a hole"'


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def nested_text(levels: int) -> str:
    """What `nested` gives: no encoder of Python writes it."""
    opening = ['{"a":' if level % 2 else "[" for level in range(levels, 0, -1)]
    closing = ["}" if level % 2 else "]" for level in range(1, levels + 1)]
    return "".join([*opening, "1", *closing])


def text(value: Any, levels: int) -> str:
    """The value as JSON, with so many levels in the place of HOLE."""
    return json.dumps(value).replace(HOLE, nested_text(levels))


def named(name: str, **changes: Any) -> dict[str, Any]:
    obj = app(**changes)
    obj["metadata"] = {**obj["metadata"], "name": name, "uid": f"uid-{name}"}
    return obj


def deep_app(name: str = "web", value: Any = "a hole") -> dict[str, Any]:
    return named(name, spec={"app": {"image": "example/web:1"}, "pod": {"b": value}})


class Answer:
    """A response of the API server; the end of a watch is awaited for ever."""

    def __init__(self, body: str = "", lines: tuple[str, ...] = ()) -> None:
        self.body, self.lines, self.content = body, lines, self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        return None

    async def read(self) -> bytes:
        return self.body.encode()

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        for line in self.lines:
            yield f"{line}\n".encode()
        await asyncio.Event().wait()


async def served(monkeypatch: pytest.MonkeyPatch, listed: str, *lines: str) -> Indices:
    """The indices after Kopf's own list and watch of apps."""

    async def request(*, url: str, **_: Any) -> Answer:
        return Answer(lines=lines) if "watch=true" in url else Answer(body=listed)

    for name in ("request", "get", "json"):
        monkeypatch.setattr(api, name, getattr(api, name))
    for name in ("infinite_watch", "watch_objs"):
        monkeypatch.setattr(watching, name, getattr(watching, name))
    indices = Indices()
    following.install(sinks(indices, Triggers(WorkQueue(), Overlay(), indices.apps)))
    monkeypatch.setattr(api, "request", request)
    watch = watching.infinite_watch
    assert isinstance(watch, Following)
    async with aclosing(watch(resource=APPS, namespace=None, settings=OperatorSettings())) as events:
        assert await asyncio.wait_for(anext(events), 5) is watching.Bookmark.LISTED
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.wait({waiting}, timeout=0.2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    return indices


async def assert_told(obj: Mapping[str, Any]) -> None:
    world = World(dict(obj))
    assert (await reconciler(world).visit(KEY)).failure == ""
    condition = world.condition("Reconciled")
    assert (condition["status"], condition["reason"]) == ("False", "InvalidSpec")
    assert f"spec.pod: is nested too deeply: at most {DEEPEST} levels" in condition["message"]
    assert [asked for asked in world.asked if asked != "status"] == []
    assert any(reason == "InvalidSpec" and "nested too deeply" in message for reason, message in world.events)


@pytest.mark.parametrize("levels", LEVELS)
async def test_a_list_with_a_deep_app_serves_all_others(monkeypatch: pytest.MonkeyPatch, levels: int) -> None:
    items = [named("first"), deep_app(), named("last")]
    whole = {"kind": "HighAvailabilityAppList", "metadata": {"resourceVersion": "9"}, "items": items}
    indices = await served(monkeypatch, text(whole, levels))
    assert [seen_of(indices, name)["spec"] for name in ("first", "last")] == [named("first")["spec"]] * 2
    await assert_told(seen_of(indices, "web"))


@pytest.mark.parametrize("levels", LEVELS)
async def test_a_watch_goes_on_after_a_deep_app(monkeypatch: pytest.MonkeyPatch, levels: int) -> None:
    listed = json.dumps({"metadata": {"resourceVersion": "9"}, "items": [named("web")]})
    changed = {"type": "MODIFIED", "object": deep_app()}
    added = {"type": "ADDED", "object": named("last")}
    indices = await served(monkeypatch, listed, text(changed, levels), json.dumps(added))
    assert seen_of(indices, "last")["spec"] == named("last")["spec"]
    await assert_told(seen_of(indices, "web"))


@pytest.mark.parametrize("levels", [DEEPEST, *LEVELS])
async def test_an_entry_takes_any_depth(levels: int) -> None:
    indices = Indices()
    taken = sinks(indices, Triggers(WorkQueue(), Overlay(), indices.apps))
    taken[GROUP, names.PLURAL]({"type": None, "object": named("web")})
    taken[GROUP, names.PLURAL]({"type": "MODIFIED", "object": deep_app(value=nested(levels))})
    await assert_told(seen_of(indices, "web"))


@pytest.mark.parametrize("levels", LEVELS)
async def test_deep_managed_fields_and_a_deep_status_do_not_matter(levels: int) -> None:
    obj = named("web", status={"columns": {"a": nested(levels)}, "more": nested(levels)})
    obj["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": nested(levels)}]
    seen = seen_app(obj)
    assert "managedFields" not in seen.body()["metadata"]
    assert parse_app(seen.body()).spec == parse_app(app()).spec
    world = World(seen.body())
    await reconciler(world).visit(KEY)
    assert world.condition("Reconciled")["status"] == "True"


def test_an_edit_of_a_deep_app_is_seen() -> None:
    before, after = deep_app(value=nested(300)), deep_app(value=nested(300))
    after["metadata"]["generation"] = 2
    assert seen_app(before).asked == seen_app(deep_app(value=nested(5_000))).asked != seen_app(after).asked


@pytest.mark.parametrize("levels", LEVELS)
def test_an_answer_to_a_write_is_read(levels: int) -> None:
    answer = _object(text(deep_app(), levels).encode())
    assert answer is not None
    assert answer["metadata"] == deep_app()["metadata"]
    with pytest.raises(InvalidSpec, match="nested too deeply"):
        parse_app(answer)


@pytest.mark.parametrize("levels", LEVELS)
def test_a_child_of_which_too_much_is_ours_has_its_projection(levels: int) -> None:
    ours = {"manager": "ha-operator", "operation": "Apply", "fieldsV1": {"f:data": nested(levels)}}
    child = child_of("ConfigMap", {"metadata": {"name": "web", "managedFields": [ours]}})
    assert child.owned.startswith(b'{"f:data":')


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_check_says_that_a_file_is_too_deep(tmp_path: Path, suffix: str, levels: int) -> None:
    file = tmp_path / f"app.{suffix}"
    file.write_text(("# no JSON\n" if suffix == "yaml" else "") + text(deep_app(), levels))
    if suffix == "yaml" and levels > 900:
        with pytest.raises(BadInput, match=r"maximum nesting depth|nested too deeply"):
            documents.read_apps([str(file)])
        return
    (document,) = documents.read_apps([str(file)])
    assert "nested too deeply" in str(check(document))


def test_a_spec_may_be_no_object() -> None:
    with pytest.raises(InvalidSpec, match="spec: is nested too deeply"):
        parse_app(app(spec=[nested(5_000)]))


def test_no_field_lies_as_deep_as_is_read() -> None:
    """And what is cut off an app in a list is not missed: what is left of its spec is refused all the same."""
    schema = schema_of(Spec)
    assert not deeper_than(schema, DEEPEST)
    assert "preserve-unknown-fields" not in str(schema)
    in_a_list = 3
    assert LEFT - in_a_list > DEEPEST


@pytest.mark.parametrize("levels", [0, 1, 2, 149, 150, 151, 300, 9_999])
def test_depth_is_counted(levels: int) -> None:
    value = nested(levels)
    assert not deeper_than(value, levels)
    assert levels == 0 or deeper_than(value, levels - 1)
    assert not deeper_than(shallow(value), LEFT)
    assert levels > LEFT or shallow(value) == value


def test_only_what_is_too_deep_is_cut_out_of_a_text() -> None:
    odd = {'"}]{[': '\\"]}', "ü\n": ["\\", "[[[", {"é": None}], "n": [1.5, True, "\\\\\\"]}
    got = jsontext.loads(text({"a": odd, "deep": ["a hole", odd], "z": odd}, 5_000))
    assert (got["a"], got["deep"][1], got["z"]) == (odd, odd, odd)
    assert got["deep"][0] == shallow(nested(5_000), LEFT - 2)


@pytest.mark.parametrize("broken", ["", "{", "[" * 5_000, "]" * 5_000, '{"a": "', '["\\', nested_text(5_000)[:-1]])
def test_what_is_no_json_is_none(broken: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        jsontext.loads(broken)


@pytest.mark.timeout(10)
def test_a_line_that_is_cut_short_is_refused_at_once() -> None:
    with pytest.raises(orjson.JSONDecodeError):
        jsontext.loads(b'{"a": "' + b'\\"' * 1_000_000)


def test_a_rollback_that_is_too_deep_to_be_read_is_none() -> None:
    deployment = Deployment("web", annotations=((names.ROLLED_BACK_ANNOTATION, "[" * 100_000),))
    assert rolled_back(parse_app(app()), deployment) is None


def seen_of(indices: Indices, name: str) -> dict[str, Any]:
    (seen,) = indices.apps.get(Key("shop", name))
    return seen.body()
