"""Each rule across fields: refused in Python with its message, and by the CRD's CEL in just the same cases."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import celpy
import pytest
import yaml
from celpy.adapter import json_to_cel
from tests.api_cases import MINIMAL, REFUSED, WHOLE, Case

from haapp.api.crd import crd
from haapp.api.errors import Errors, InvalidSpec
from haapp.api.parse import checked, parse_app
from haapp.api.rule import Rule
from haapp.api.rules import RULES


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_bad_app_is_refused_with_what_to_write_instead(case: Case) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse_app(case.app)
    assert any(error.path == case.path and case.message in error.message for error in refusal.value.errors)


def test_each_rule_has_a_case() -> None:
    caught = set()
    for case in REFUSED:
        with pytest.raises(InvalidSpec) as refusal:
            parse_app(case.app)
        caught |= {error.message for error in refusal.value.errors}
    assert {rule.message for rule in RULES} <= caught


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_case_is_wrong_in_one_way_only(case: Case) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse_app(case.app)
    others = [error for error in refusal.value.errors if "an earlier entry has the same name" not in error.message]
    assert len(others) == 1


@pytest.mark.parametrize("app", [*(case.app for case in REFUSED), yaml.safe_load(WHOLE), yaml.safe_load(MINIMAL)])
def test_cel_and_python_say_the_same(app: dict[str, Any]) -> None:
    filled = checked(app, Errors())
    for rule in RULES:
        for value in values_at(filled, rule):
            assert bool(program(rule.cel).evaluate({"self": json_to_cel(value)})) == rule.holds(value), rule.cel


def test_the_crd_has_each_rule_where_it_belongs() -> None:
    root = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for rule in RULES:
        schema = root
        for step in rule.steps:
            schema = schema["items"] if step == "[]" else schema["properties"][step]
        assert {"rule": rule.cel, "message": rule.message}.items() <= {
            key: value
            for validation in schema["x-kubernetes-validations"]
            if validation["rule"] == rule.cel
            for key, value in validation.items()
        }.items()


def test_a_message_is_one_line_that_says_what_to_write() -> None:
    for rule in RULES:
        assert "\n" not in rule.message
        assert any(verb in rule.message for verb in ("write", "leave", "rename", "give")), rule.message


@cache
def program(source: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(source))


def values_at(app: dict[str, Any], rule: Rule) -> Iterator[Any]:
    found: list[Any] = [app]
    for step in rule.steps:
        if step == "[]":
            found = [entry for entries in found for entry in entries]
        else:
            found = [value[step] for value in found if step in value]
    return iter(found)
