"""docs/reference.md: every field of a HighAvailabilityApp, from the types that the CRD is made from.

`python -m docpages.reference` prints the page.
"""

import json
import sys
from collections.abc import Collection, Iterator
from dataclasses import MISSING, dataclass
from typing import Any, Final, Literal, get_args, get_origin

from docpages.examples import as_line
from haapp.api.descriptions import describe
from haapp.api.durations import format_duration
from haapp.api.hints import Hint, Property, properties_of, read_hint
from haapp.api.markers import Container, ContainerFields, Core, Duration
from haapp.api.rule import Rule
from haapp.api.rules import RULES
from haapp.api.spec import Spec
from haapp.api.status import Status

INTRODUCTION: Final = (
    "# Reference",
    "<!-- Made by `make generate` from operator/haapp/api and tools/docpages/examples.yaml: change those. -->",
    (
        "Every field of `HighAvailabilityApp` (`highavailability.dev/v1alpha1`, short name `haapp`), made from the "
        "types that the CRD is made from. Where a field is a type of Kubernetes' own (`core/v1 Probe`), it is that "
        "type unchanged, with all its fields; `kubectl explain haapp.spec --recursive` lists them too. Unknown fields "
        "are refused."
    ),
    (
        "*Required* means that the section is not valid without the field. A default is what is in force when you say "
        "nothing. An example shows the field alone, without the ones above it."
    ),
    (
        "The API server refuses what breaks a rule listed here under *Refused*, and its message is the sentence that "
        "stands here. `kubectl apply --dry-run=server` tries it."
    ),
    "## What you write",
)

CORE_NAMES: Final = {"resource.Quantity": "quantity", "intstr.IntOrString": "number or text"}
GROUPS: Final = {"gateway": "gateway.networking.k8s.io", "networking": "networking.k8s.io"}
PLAIN_NAMES: Final = {str: "text", int: "number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Section:
    """A dataclass of the API at its place: `path` is `spec.zones`, the same for one section and for a list of them."""

    path: str
    cls: Any
    is_list: bool

    @property
    def fields(self) -> tuple[Property, ...]:
        """Its fields as they are in JSON."""
        return tuple(prop for prop in properties_of(self.cls) if not prop.has_container_fields)


def sections(path: str, cls: Any, *, is_list: bool = False) -> Iterator[Section]:
    """A section and all below it, in the order of the fields."""
    section = Section(path, cls, is_list)
    yield section
    for prop in section.fields:
        hint, many = _entry(prop.hint)
        if hint.is_section:
            yield from sections(f"{path}.{prop.name}", hint.base, is_list=many)


def spec_sections() -> tuple[Section, ...]:
    """All sections of the spec."""
    return tuple(sections("spec", Spec))


def status_sections() -> tuple[Section, ...]:
    """All sections of the status."""
    return tuple(sections("status", Status))


def page() -> str:
    """The whole page."""
    written = spec_sections()
    places = {section.path for section in written}
    named = ["## metadata.name\n", *_refused("", places), ""]
    parts = [f"{part}\n" for part in INTRODUCTION]
    parts += [*(_section(section, places) for section in written), "\n".join(named)]
    parts += ["## What the operator writes\n", *(_section(section, places) for section in status_sections())]
    return "\n".join(parts)


def _section(section: Section, places: Collection[str]) -> str:
    told = " ".join((section.cls.__doc__ or "").split())
    many = " A list: each entry has these fields." if section.is_list else ""
    own = " The other fields are those of core/v1 Container." if _has_container_fields(section.cls) else ""
    lines = [f"### {section.path}\n", f"{told}{many}{own}\n"]
    lines += _table(section) if section.fields else ["It has no fields: write `{}`."]
    return "\n".join([*lines, "", *_refused(section.path, places)]).rstrip() + "\n"


def _table(section: Section) -> Iterator[str]:
    columns = ["field", "type", "default", "meaning", "example"]
    if section.path.startswith("status"):
        columns.remove("default")
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    texts = describe(section.cls)
    for prop in section.fields:
        cells = _cells(section, prop, texts.get(prop.attribute, ""))
        yield f"| {' | '.join(cells[column].replace('|', chr(92) + '|') for column in columns)} |"


def _cells(section: Section, prop: Property, text: str) -> dict[str, str]:
    path = f"{section.path}.{prop.name}"
    linked = _entry(prop.hint)[0].is_section
    return {
        "field": f"[`{prop.name}`](#{path.replace('.', '').lower()})" if linked else f"`{prop.name}`",
        "type": type_name(prop.hint),
        "default": _default(prop),
        "meaning": text,
        "example": f"`{as_line(path)}`",
    }


def type_name(hint: Hint) -> str:
    """A type as people call it."""
    if hint.last(Container):
        return "core/v1 Container"
    if hint.last(Duration):
        return "duration"
    if (core := hint.last(Core)) is not None:
        return _core_name(core)
    if hint.entry is not None:
        return f"list of {type_name(read_hint(hint.entry))}"
    return _plain_name(hint)


def _plain_name(hint: Hint) -> str:
    if get_origin(hint.base) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint.base))
    return "section" if hint.is_section else PLAIN_NAMES.get(hint.base, "map of text")


def _core_name(core: Core) -> str:
    if core.type in CORE_NAMES:
        return CORE_NAMES[core.type]
    group, version, kind = core.type.split(".")
    name = f"{GROUPS.get(group, group)}/{version} {kind}"
    return f"`{core.field}` of {name}" if core.field else name


def _entry(hint: Hint) -> tuple[Hint, bool]:
    """The hint of a list's entries, or the hint itself; and whether it is a list."""
    return (read_hint(hint.entry), True) if hint.entry is not None else (hint, False)


def _default(prop: Property) -> str:
    if prop.default is MISSING:
        return "*required*"
    if prop.default is None or prop.default in ((), {}) or _entry(prop.hint)[0].is_section:
        return ""
    if prop.hint.last(Duration):
        return f"`{format_duration(prop.default)}`"
    return f"`{prop.default if isinstance(prop.default, str) else json.dumps(prop.default)}`"


def _has_container_fields(cls: Any) -> bool:
    return any(prop.hint.last(ContainerFields) for prop in properties_of(cls))


def _refused(path: str, places: Collection[str]) -> Iterator[str]:
    """The rules that belong to a section: those on it, on its entries, and on fields of it that are no sections."""
    found = [rule for rule in RULES if _home(rule, places) == path]
    if found:
        yield from ["Refused:", ""]
    for rule in found:
        field = ".".join(filter(None, (_plain(rule.at).removeprefix(path).lstrip("."), rule.field)))
        yield f"- {f'`{field}`: ' if field else ''}{_escaped(rule.message)}"


def _home(rule: Rule, places: Collection[str]) -> str:
    path = _plain(rule.at)
    while path and path not in places:
        path = path.rpartition(".")[0]
    return path


def _plain(at: str) -> str:
    return at.replace("[]", "")


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(page())
