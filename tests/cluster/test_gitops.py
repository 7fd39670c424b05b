"""Applied again and again from a repository: nothing moves, nothing differs, and a deletion leaves nothing behind."""

import json
from collections.abc import Callable

import pytest
from tests.space import QUICK, NotYet, Object, Space, app, stays

from devcluster.cluster import ROOT_CA
from haapp.api import names
from haapp.children import KINDS

pytestmark = pytest.mark.usefixtures("operator")

MADE = [kind.plural for kind in KINDS if not kind.optional]
COLLECTED_SECONDS = 60.0
"""The garbage collector of a cluster learns of a new kind within 30 s."""


def whole() -> Object:
    return app(
        replicas=2,
        cache={"redis": {}},
        zones={"minDomains": 2},
        app={**QUICK["app"], "resources": {"requests": {"cpu": "0.1"}}, "env": [{"name": "A", "value": "b"}]},
        ingress={"host": "web.example.com"},
        networkPolicy={"from": []},
        pod={"labels": {"team": "a"}, "tolerations": [{"operator": "Exists"}]},
    )


@pytest.mark.parametrize("how", [["--server-side"], []], ids=["server-side", "client-side"])
def test_the_same_again_changes_nothing(space: Space, kubectl: Callable[..., str], how: list[str]) -> None:
    text = json.dumps(whole())
    kubectl("apply", *how, "-f", "-", stdin=text)
    space.wait_ready()
    everything = (names.PLURAL, *MADE)
    settled = space.wait(lambda: unchanged_for_a_second(space, *everything), "rest")
    assert "serverside-applied" in kubectl("apply", *how, "-f", "-", stdin=text) or not how
    assert kubectl("diff", *how, "-f", "-", stdin=text) == ""
    stays(lambda: space.versions(*everything) == settled, 1.5, "no version and no generation changes")
    assert settled[f"{names.PLURAL}/web"][1] == 1
    assert settled["services/web"][1] is None


def unchanged_for_a_second(space: Space, *plurals: str) -> dict[str, tuple[str, int | None]] | None:
    seen = space.versions(*plurals)
    try:
        stays(lambda: space.versions(*plurals) == seen, 1.0, "")
    except AssertionError:
        return None
    return seen


@pytest.mark.parametrize("how", ["background", "foreground"])
def test_a_deletion_leaves_nothing_behind(space: Space, kubectl: Callable[..., str], how: str) -> None:
    in_every_namespace = (("configmaps", ROOT_CA), ("serviceaccounts", "default"))
    space.wait(lambda: all(space.has(*made) for made in in_every_namespace), "what every namespace gets")
    before = {plural: names_of(space, plural) for plural in (*MADE, "replicasets", "pods")}
    space.apply(whole())
    space.wait_ready()
    kubectl("delete", names.SHORT_NAME, "web", f"--cascade={how}", "--timeout=60s")
    assert not space.has(names.PLURAL)

    def nothing_left() -> bool:
        left = {f"{p}/{name}" for p, was in before.items() for name in names_of(space, p) - was}
        if left:
            raise NotYet(str(sorted(left)))
        return True

    space.wait(nothing_left, "nothing left", COLLECTED_SECONDS)


def test_a_deletion_that_orphans_leaves_everything_to_itself(space: Space, kubectl: Callable[..., str]) -> None:
    """Of many apps at once: the watch of an app and those of its children race, and none of them may be taken back."""
    apps = [f"web-{number}" for number in range(12)]
    space.apply(*(app(name, replicas=1) for name in apps))
    space.wait_reconciled(*apps)
    kinds = ("deployments", "services", "serviceaccounts")
    before = {(plural, name): space.get(plural, name)["metadata"]["uid"] for plural in kinds for name in apps}
    kubectl("delete", names.SHORT_NAME, "--all", "--cascade=orphan", "--timeout=60s")

    def left_alone() -> bool:
        found = {(plural, obj["metadata"]["name"]): obj["metadata"] for plural in kinds for obj in space.items(plural)}
        return all(
            key in found and found[key]["uid"] == uid and not found[key].get("ownerReferences")
            for key, uid in before.items()
        )

    stays(left_alone, 5.0, "they go on without an owner")


def names_of(space: Space, plural: str) -> set[str]:
    return {obj["metadata"]["name"] for obj in space.items(plural)}
