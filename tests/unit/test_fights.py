"""Corrections of one child are paced once they follow each other too fast."""

from dataclasses import replace

from tests.clock import Clock

from haapp.children import Child, Plan
from haapp.reconcile.fights import BURST, PAUSE, Fights

CHILD = Child("Service", "shop", "web", "uid-service", "7", "uid-web", "cafe", b"{}", deleting=False)
OTHER = replace(CHILD, kind="Deployment", uid="uid-deployment")
DRIFT = Plan(updates=(({"kind": "Service"}, CHILD),), drifted=(CHILD,))


def test_a_burst_is_corrected_at_once_and_what_follows_is_paced() -> None:
    fights = Fights(clock := Clock(100.0))
    for _ in range(BURST):
        assert fights.paced(DRIFT) == (DRIFT, None)
    for _ in range(3):
        assert fights.paced(DRIFT) == (Plan(), PAUSE)
    clock.now += PAUSE / 2
    assert fights.paced(DRIFT) == (Plan(), PAUSE / 2)
    clock.now += PAUSE / 2
    assert fights.paced(DRIFT) == (DRIFT, None)
    assert fights.paced(DRIFT) == (Plan(), PAUSE)


def test_a_fight_that_is_over_is_forgotten() -> None:
    fights = Fights(clock := Clock(100.0))
    for _ in range(BURST + 1):
        fights.paced(DRIFT)
    clock.now += BURST * PAUSE
    assert [fights.paced(DRIFT) for _ in range(BURST)] == [(DRIFT, None)] * BURST


def test_nothing_else_waits() -> None:
    fights = Fights(Clock(100.0))
    for _ in range(BURST):
        fights.paced(DRIFT)
    wanted = ({"kind": "Deployment"}, OTHER)
    more = Plan(creates=({"kind": "Ingress"},), updates=(*DRIFT.updates, wanted), drifted=(CHILD,))
    assert fights.paced(more) == (Plan(creates=more.creates, updates=(wanted,)), PAUSE)
    asked = Plan(updates=DRIFT.updates)
    assert fights.paced(asked) == (asked, None)
