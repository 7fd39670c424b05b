"""The NetworkPolicy for the app's pods."""

from collections.abc import Mapping, Sequence
from typing import Any

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Spec
from haapp.render.metadata import metadata
from haapp.render.templating import fill

DNS_PORT = 53


def network_policy(app: App, selector: Mapping[str, str]) -> Object | None:
    """The policy, where it is asked for: a list that is absent restricts nothing, one that is empty lets nothing by."""
    wanted = app.spec.network_policy
    if wanted is None or (wanted.from_ is None and wanted.egress is None):
        return None
    return fill(
        "networkpolicy.yaml.j2",
        meta=metadata(app, app.name),
        selector=dict(selector),
        peers=None if wanted.from_ is None else list(wanted.from_),
        egress=None if wanted.egress is None else list(wanted.egress),
    )


def network_notes(spec: Spec) -> list[str]:
    """A warning where pods could resolve no name; nothing is added to what the user lets out."""
    wanted = spec.network_policy
    if wanted is None or not wanted.egress or any(_reaches_dns(rule.get("ports")) for rule in wanted.egress):
        return []
    return [f"networkPolicy.egress lets no DNS through (port {DNS_PORT}): the app can resolve no name"]


def _reaches_dns(ports: Sequence[Mapping[str, Any]] | None) -> bool:
    return not ports or any(_covers_dns(port.get("port"), port.get("endPort")) for port in ports)


def _covers_dns(first: int | str | None, last: int | None) -> bool:
    if not isinstance(first, int):
        return True  # all ports, or one by a name that only the peer knows
    return first <= DNS_PORT <= (first if last is None else last)
