"""Adding to what the user wrote without ever replacing it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from haapp.api.objects import Object
from haapp.render.errors import RenderError


def merge_text(ours: Mapping[str, str], theirs: Mapping[str, str], path: str) -> dict[str, str]:
    """Labels or annotations of both; raises RenderError where the user gives one of ours another value."""
    for key, value in theirs.items():
        if ours.get(key, value) != value:
            raise RenderError(f"{path}[{key}]", f"the operator sets it to {ours[key]!r}; leave it out")
    return {**theirs, **ours}


def merge_env(ours: Iterable[Object], theirs: Sequence[Object]) -> list[Object]:
    """Environment variables of both, the user's last: they win by name, and `$(NAME)` in them can refer to ours."""
    taken = {variable["name"] for variable in theirs}
    return [*(variable for variable in ours if variable["name"] not in taken), *theirs]


def add_mounts(container: Object, mounts: Iterable[Object], path: str) -> Object:
    """`container` with further volume mounts; raises RenderError where it has another volume in the same place."""
    there = list(container.get("volumeMounts", ()))
    for mount in mounts:
        at = mount["mountPath"]
        if any(own["mountPath"].rstrip("/") == at.rstrip("/") for own in there):
            raise RenderError(
                f"{path}.volumeMounts", f"{at} is where the operator mounts {mount['name']}; mount elsewhere"
            )
        there.append(mount)
    return {**container, "volumeMounts": there} if there else container


def add_port(container: Object, number: int, name: str | None = None) -> Object:
    """`container` with that TCP port declared, and named where it has no name of its own."""
    ports: list[Object] = container.get("ports", [])
    for index, port in enumerate(ports):
        if port["containerPort"] == number and port.get("protocol", "TCP") == "TCP":
            named = {**given(name=name), **port}
            return {**container, "ports": [*ports[:index], named, *ports[index + 1 :]]}
    return {**container, "ports": [*ports, {**given(name=name), "containerPort": number}]}


def given(**fields: Any) -> Object:
    """Only those fields that have a value: not None, and not an empty list or mapping."""
    return {key: value for key, value in fields.items() if value is not None and value not in ((), [], {})}
