"""How `make bench ARGS=--profile` reads what the samplers say."""

from collections.abc import Callable
from typing import Any

import pytest

TRACES = """File: kube-apiserver
Type: cpu
-----------+-------------------------------------------------------
      20ms   runtime.memmove
             k8s.io/apiserver/pkg/endpoints/handlers.(*WatchServer).HandleHTTP
             k8s.io/apiextensions-apiserver/pkg/apiserver.(*crdHandler).ServeHTTP
-----------+-------------------------------------------------------
      10ms   runtime.mallocgc
             k8s.io/apiextensions-apiserver/pkg/registry/customresource.(*StatusREST).Update
-----------+-------------------------------------------------------
      30ms   runtime.futex
"""


def test_a_stack_of_the_api_server_belongs_to_the_first_cause_that_it_contains(bench: Callable[[str], Any]) -> None:
    stacks = bench("stacks")
    assert stacks.shares(stacks.API_SERVER, stacks._traces(TRACES.splitlines())) == {
        "the rest": 0.03,
        "watches: sending what has changed": 0.02,
        "the apps and their statuses, by the CRD": 0.01,
    }


@pytest.mark.parametrize(
    ("stack", "cause"),
    [
        ("_find_and_load (importlib);<module> (haapp/render/pod.py:1)", "Python's start: imports"),
        ("Entry._put (haapp/runtime/feed.py:1);dumps (haapp/api/jsontext.py:2)", "lists: what is kept of each object"),
        ("get (haapp/cluster/following.py:1);loads (haapp/api/jsontext.py:2)", "lists: JSON"),
        ("Reconciler.visit (haapp/reconcile/pipeline.py:1);body (haapp/cluster/seen.py:2)", "reading each app"),
        ("_apply (haapp/reconcile/applying.py:1);plan (haapp/children/plan.py:2)", "comparing with what is there"),
        ("_apply (haapp/reconcile/applying.py:1)", "the rest of the visits"),
    ],
)
def test_what_a_new_process_does_is_told_apart(bench: Callable[[str], Any], stack: str, cause: str) -> None:
    stacks = bench("stacks")
    sampled = stacks.collapsed([f"run (haapp/main.py:1);{stack} {stacks.RATE}"])
    assert stacks.shares(stacks.RESTART, sampled) == {cause: 1.0}


def test_who_waits_for_an_event_is_no_sample(bench: Callable[[str], Any]) -> None:
    stacks = bench("stacks")
    lines = [
        f"run (haapp/main.py:1);render (haapp/render/pod.py:2) {stacks.RATE}",
        f"run (haapp/main.py:1);epoll_wait (libc.so) {stacks.RATE}",
        f"_worker (concurrent/futures/thread.py:1);wait (libc.so) {stacks.RATE}",
    ]
    assert stacks.shares(stacks.OPERATOR, stacks.collapsed(lines)) == {"rendering": 1.0}


def test_parts_are_scaled_to_all_that_was_used(bench: Callable[[str], Any]) -> None:
    assert bench("profiles")._whole({"a": 1.0, "b": 3.0}, used=8.0) == {"a": 2.0, "b": 6.0}
