"""docs/reference.md: current, every field with an example, and examples that the operator accepts."""

from pathlib import Path

import pytest

from docpages.examples import as_app, examples
from docpages.reference import Section, page, spec_sections, status_sections
from haapp.api import parse_app

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
LISTS = frozenset(section.path for section in spec_sections() if section.is_list)


def fields(sections: tuple[Section, ...]) -> set[str]:
    return {f"{section.path}.{prop.name}" for section in sections for prop in section.fields}


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make generate`"


def test_every_field_has_an_example_and_no_other_has() -> None:
    assert set(examples()) == fields(spec_sections()) | fields(status_sections())


@pytest.mark.parametrize("path", sorted(path for path in examples() if path.startswith("spec.")))
def test_example_is_accepted(path: str) -> None:
    parse_app(as_app(path, LISTS))
