"""When a failed rollout is given up, and for which revision."""

import json
from dataclasses import replace

import pytest
from tests.live_cases import AVAILABLE, CURRENT, FAILED, app, deployment, replica_sets

from haapp.api.app import App
from haapp.api.names import HASH_ANNOTATION, ROLLED_BACK_ANNOTATION
from haapp.api.spec import Rollout
from haapp.placement.model import Deployment, ReplicaSet
from haapp.status.rollback import RollbackTo, RolledBack, rollback_target, rolled_back

WANTED = app(rollout=Rollout(on_failure="Rollback"))
BROKEN = deployment(3, conditions=FAILED, updated=1)
SETS = replica_sets(0, 3)


def annotated(value: str) -> Deployment:
    return replace(BROKEN, annotations=((HASH_ANNOTATION, "cafe"), (ROLLED_BACK_ANNOTATION, value)))


def test_the_revision_that_still_serves_is_put_back() -> None:
    assert rollback_target(WANTED, BROKEN, SETS, "cafe") == RollbackTo(
        "web-old11", "uid-old", 1, "old11", 'ReplicaSet "web-new77" has timed out progressing.'
    )


@pytest.mark.parametrize(
    ("wanted", "seen", "written"),
    [
        (app(), BROKEN, "cafe"),
        (app(rollout=Rollout(on_failure="Rollback"), paused=True), BROKEN, "cafe"),
        (WANTED, None, "cafe"),
        (WANTED, replace(BROKEN, conditions=AVAILABLE), "cafe"),
        (WANTED, replace(BROKEN, observed_generation=1), "cafe"),
        (WANTED, annotated(RolledBack(4, "1", "x").to_annotation()), "cafe"),
        (WANTED, BROKEN, "another"),
    ],
    ids=["Hold", "paused", "no Deployment", "progressing", "not observed", "rolled back before", "not written yet"],
)
def test_nothing_is_put_back_without_cause(wanted: App, seen: Deployment | None, written: str) -> None:
    assert rollback_target(wanted, seen, SETS, written) is None


def test_a_new_generation_is_tried_and_given_up_afresh() -> None:
    assert rollback_target(WANTED, annotated(RolledBack(3, "1", "x").to_annotation()), SETS, "cafe") is not None


@pytest.mark.parametrize(
    ("available", "revision"),
    [({1: 3, 2: 0}, 1), ({1: 2, 2: 1}, 1), ({1: 1, 2: 2}, 2), ({1: 1, 2: 1}, 2), ({1: 0, 2: 0}, None)],
)
def test_of_several_the_one_that_carries_most_is_taken(available: dict[int, int], revision: int | None) -> None:
    old = [
        ReplicaSet(f"web-{n}", f"u{n}", "uid-deployment", f"hash{n}", n, count, count, count)
        for n, count in available.items()
    ]
    new = ReplicaSet("web-new77", "uid-new", "uid-deployment", CURRENT, 3, 1, 9, 9)
    strange = ReplicaSet("web-strange", "s", "another", "x", 9, 9, 9, 9)
    found = rollback_target(WANTED, BROKEN, (*old, new, strange), "cafe")
    assert (found.revision if found else None) == revision


def test_the_record_reads_as_it_was_written() -> None:
    record = RolledBack(4, "1", 'it said "no"', "old11", "cafe")
    assert rolled_back(WANTED, annotated(record.to_annotation())) == record
    assert rolled_back(WANTED, annotated(replace(record, generation=3).to_annotation())) is None


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "7", "{}", json.dumps({"generation": "x"})])
def test_a_record_that_cannot_be_read_is_none(text: str) -> None:
    assert rolled_back(WANTED, annotated(text)) is None


def test_without_a_deployment_nothing_was_rolled_back() -> None:
    assert rolled_back(WANTED, None) is None
