"""Which namespace belongs to which shard: the ranges have no gap, the server's hash is Go's, similar names part."""

from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import kopf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kopf._cogs.clients import watching
from kopf._cogs.structs import references

from haapp import main
from haapp.cluster import kopf_settings
from haapp.cluster.following import NODES, Following
from haapp.settings import from_environment
from haapp.sharding import HASHES, MOST_SHARDS, WHOLE, Shard, even_hash, parse, server_hash

COUNTS = st.integers(1, MOST_SHARDS)
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


def layout(count: int, *, by_server: bool = False) -> list[Shard]:
    return [Shard(index, count, by_server) for index in range(count)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "cbf29ce484222325"),
        ("abc", "e71fa2190541574b"),
        ("test-uid-12345", "d4c53b72f9287c28"),
        ("default", "ebada5168620c5fe"),
        ("team-a", "de90a3717d1252d6"),
        ("é", "0ac21707b7181e01"),
    ],
)
def test_the_servers_hash_is_that_of_gos_hash_fnv(name: str, value: str) -> None:
    assert f"{server_hash(name):016x}" == value


@pytest.mark.parametrize("count", range(1, MOST_SHARDS + 1))
def test_the_ranges_leave_no_gap_and_do_not_overlap(count: int) -> None:
    shards = layout(count)
    assert (shards[0].start, shards[-1].end) == (0, HASHES)
    assert all(one.end == after.start for one, after in pairwise(shards))
    assert not any(a.overlaps(b) for a in shards for b in shards if a != b)


@given(NAMES, COUNTS, st.booleans())
def test_each_namespace_belongs_to_exactly_one_shard(name: str, count: int, by_server: bool) -> None:
    assert sum(shard.serves(name) for shard in layout(count, by_server=by_server)) == 1


@given(NAMES, COUNTS, COUNTS, st.booleans(), st.booleans())
def test_whose_namespaces_are_the_same_overlap(name: str, a: int, b: int, first: bool, second: bool) -> None:
    (one,) = (shard for shard in layout(a, by_server=first) if shard.serves(name))
    (other,) = (shard for shard in layout(b, by_server=second) if shard.serves(name))
    assert one.overlaps(other)
    assert other.overlaps(one)


@pytest.mark.parametrize("pattern", ["team-{:02}", "{:03}", "shop-{}-prod"])
def test_similar_names_fall_apart(pattern: str) -> None:
    names = [pattern.format(number) for number in range(100)]
    parts = Counter(shard for shard in layout(4) for name in names if shard.serves(name))
    assert all(12 <= parts[shard] <= 40 for shard in layout(4)), parts


def test_the_even_hash_stays_what_it_is() -> None:
    """Shards of two versions of the operator must agree on it."""
    assert even_hash("default") == 0x37A8EEC1CE19687D


@pytest.mark.parametrize(
    ("text", "shard"),
    [("0/2", Shard(0, 2)), ("63/64", Shard(63, 64)), ("1/3:server", Shard(1, 3, by_server=True)), ("0/1", WHOLE)],
)
def test_a_shard_is_written_as_it_is_read(text: str, shard: Shard) -> None:
    assert parse(text) == shard
    assert str(shard) == text


def test_all_there_is_is_nobodys_to_pick_out() -> None:
    assert parse("0/1:server") == WHOLE
    assert WHOLE.selector == ""
    assert WHOLE.serves("anything")


@pytest.mark.parametrize("text", ["", "1", "2/2", "0/0", "-1/2", "0/65", "0/100", "a/b", "0/2:kind", "0/2 ", "1.0/2"])
def test_what_is_no_shard_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write i/n for the i-th of n shards, n from 1 to 64"):
        parse(text)


def test_the_environment_and_the_flag_name_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r"HAAPP_SHARD is '2/2': write i/n"):
        from_environment({"HAAPP_SHARD": "2/2"})
    monkeypatch.setenv("HAAPP_SHARD", "0/2")
    assert main.parse(["--all-namespaces"]).shard == Shard(0, 2)
    assert main.parse(["--all-namespaces", "--shard=1/3"]).shard == Shard(1, 3)
    with pytest.raises(SystemExit):
        main.parse(["--all-namespaces", "--shard=3/3"])
    assert "argument --shard: '3/3': write i/n" in capsys.readouterr().err


def selectors(shard: Shard) -> dict[str, list[str]]:
    settings = kopf.OperatorSettings()
    kopf_settings.configure(settings, one_namespace=False, shard=shard)
    kinds = [*kopf_settings.watched(nodes=True), ("apiextensions.k8s.io", "v1", "customresourcedefinitions")]
    resources = [references.Resource(group, version, plural) for group, version, plural in kinds]
    return {r.plural: list(settings.watching.shard_selectors.collect(r)) for r in resources}


def test_the_server_is_asked_for_all_but_nodes_and_crds() -> None:
    asked = selectors(Shard(1, 2, by_server=True))
    upper_half = "shardRange(object.metadata.namespace, '0x8000000000000000', '0x10000000000000000')"
    assert asked.pop("nodes") == asked.pop("customresourcedefinitions") == []
    assert asked.pop("pods") == [upper_half]
    assert all(selector == [upper_half] for selector in asked.values())


@pytest.mark.parametrize("shard", [WHOLE, Shard(1, 2)])
def test_the_server_is_asked_for_nothing_unless_it_shall_pick_out(shard: Shard) -> None:
    assert not any(selectors(shard).values())


def event(namespace: str | None, uid: str, kind: str | None = "ADDED") -> dict[str, Any]:
    meta = {"uid": uid, **({"namespace": namespace} if namespace else {})}
    return {"type": kind, "object": {"metadata": meta}}


@pytest.mark.parametrize("by_server", [False, True])
async def test_what_is_another_shards_reaches_no_sink_and_is_not_remembered(by_server: bool) -> None:
    own, other = layout(2, by_server=by_server)
    mine = next(name for name in map("n{:04}".format, range(9999)) if own.serves(name))
    theirs = next(name for name in map("n{:04}".format, range(9999)) if other.serves(name))

    async def watch(resource: references.Resource, **_: Any) -> AsyncIterator[Any]:
        if resource.plural == "nodes":
            yield event(None, "node", None)
        else:
            yield event(mine, "mine", None)
            yield event(theirs, "theirs", None)
        yield watching.Bookmark.LISTED
        yield {"type": "BOOKMARK", "object": {"metadata": {}}}
        yield event(theirs, "theirs", "DELETED")
        yield event(theirs, "theirs-too")
        raise StopWatching

    heard: list[str] = []
    sink = lambda event: heard.append(event["object"]["metadata"]["uid"])  # noqa: E731
    following = Following(watch, {("", "pods"): sink, NODES: sink}, shard=own)
    for plural in ("pods", "nodes"):
        resource = references.Resource("", "v1", plural)
        with pytest.raises(StopWatching):
            async for _ in following(resource=resource, namespace=None):
                pass
    assert heard == ["mine", "node", "theirs", "theirs-too"]
    assert {uid for known in following._known.values() for uid in known} == {"mine", "node", "theirs-too"}
    assert following.ready


class StopWatching(BaseException):
    """Ends a watch that would go on for ever."""
