"""A policy option is one row: every field of a policy has one, and everything is made from it."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from retrofill.cli.main import cli
from retrofill.domain.errors import RetrofillError, UsageError
from retrofill.domain.planning import options
from retrofill.domain.planning.changes import Changes, differences, read_changes
from retrofill.domain.planning.option_forms import Around
from retrofill.domain.planning.options import OPTIONS, PolicyDocumentError, PolicyOption, read_all
from retrofill.domain.planning.policy import (
    Alert,
    AlertMethod,
    AlertTrigger,
    Barrier,
    OnFailure,
    Order,
    Policy,
    Regrouped,
)
from retrofill.domain.time.bizdates import DateRange, parse_range
from retrofill.domain.time.windows import parse_window

ROOT = Path(__file__).resolve().parents[3]
DAY = (parse_range("2026-01-05"),)
SCHEMA = Draft202012Validator(options.schema(), format_checker=FormatChecker())
AROUND = Around(date(2026, 1, 8), "UTC", lambda text: f"ops.{text}")
# What is not the default, as a value and, where a person gives it, as texts of its inputs.
OTHERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "bizdates": ((DateRange(date(2026, 1, 1), date(2026, 1, 7)),), {"bizdate": ("-7d..yesterday",)}),
    "time_range": ((60, 120), {"time_range": "01:00-02:00"}),
    "groups": (3, {"groups": "3"}),
    "order": (Order.DESCENDING, {"order": "desc"}),
    "barrier": (Barrier.TASK, {"barrier": "task"}),
    "across_groups": (options.AcrossGroups.IGNORE, {"across_groups": "ignore"}),
    "run_future": (True, {"run_future": True}),
    "window": (parse_window("22:00-06:00", "UTC", True), {"window": "22:00-06:00", "weekends": True}),
    "priority": (8, {"priority": "8"}),
    "resource_group": ("night", {"resource_group": "night"}),
    "regrouped": (Regrouped(2, (((0, 2),), ((3, 5), (7, 7)))), {}),
    "alert": (
        Alert(AlertTrigger.FAILURE, AlertMethod.TEXT_MESSAGE),
        {"alert": "failure", "alert_by": "sms"},
    ),
    "notify": ("https://ops.example.com/hook?token=1", {"notify": "https://ops.example.com/hook?token=1"}),
    "webhooks": (("ops", "lake"), {}),
    "allow_risks": (True, {"allow_risks": True}),
    "on_failure": (OnFailure.CONTINUE, {"on_failure": "continue"}),
    "max_failures": (5, {"max_failures": "5"}),
    "overrides": ({"ops.a": {"day": "=x"}}, {"set": ("a.day==x",)}),
}


def test_every_field_has_a_row() -> None:
    """Chapter 6: and every row a field."""
    assert sorted(option.key for option in OPTIONS) == sorted(field.name for field in fields(Policy))
    assert {option.name for option in OPTIONS} == OTHERS.keys()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_row_is_in_json_and_in_the_reference(option: PolicyOption) -> None:
    """Chapter 6, SEL-9: with its value, its default and its schema."""
    policy = replace(Policy(DAY), **{option.key: OTHERS[option.name][0]})
    document = json.loads(json.dumps(options.to_json(policy)))
    assert document[option.name] != options.to_json(Policy(DAY))[option.name]
    assert options.from_json(document) == policy
    assert SCHEMA.is_valid(document)
    del document[option.name]
    if option.default is MISSING:
        assert not SCHEMA.is_valid(document)
    else:
        assert options.from_json(document) == Policy(policy.ranges)
    assert f"| `{option.name}` |" in (ROOT / "docs/reference/policy.md").read_text()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_row_is_on_the_command_line(option: PolicyOption) -> None:
    """Chapter 6, BF-3: where a backfill is created, and where it changes if it can."""
    value, texts = OTHERS[option.name]
    names = {one.name for one in option.inputs}
    assert names == texts.keys()
    if names:
        assert option.read(texts, AROUND) == value
        assert option.read({}, AROUND) is MISSING
        assert option.is_asked or option.is_changeable
    for path in ("backfill plan", "backfill create"):
        assert names <= given(path) if option.is_asked else not names & given(path)
    changing = {one.name for one in option.changing}
    assert (
        changing <= given("backfill change") if option.is_changeable else not names & given("backfill change")
    )


@pytest.mark.parametrize("option", options.CHANGEABLE, ids=lambda option: option.name)
def test_a_change_can_be_sent_and_read_again(option: PolicyOption) -> None:
    """BF-3: as texts of its inputs, and what is taken away by the input that does."""
    value = option.read(OTHERS[option.name][1], AROUND._replace(timezone=""))
    for values in [{option.key: value}, *([{option.key: None}] if option.removing else [])]:
        changes = Changes(values)
        assert read_changes(changes.given) == changes


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_what_can_change_is_told(option: PolicyOption) -> None:
    """BF-3: any other is refused."""
    change = {option.key: OTHERS[option.name][0]}
    if not option.is_changeable:
        with pytest.raises(UsageError, match="cannot change once a backfill exists"):
            Changes(change)
        return
    before, after = Policy(DAY), replace(Policy(DAY), **change)
    assert option.name == "groups" or Changes(change).applied_to(before, "UTC") == after
    assert [difference.what for difference in differences(before, after)] == [option.name.replace("_", " ")]
    if option.removing is not None:
        assert option.read({option.removing.name: True}, AROUND) is None
        assert Changes({option.key: None}).applied_to(after, "UTC") == before


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"weekends": True}, "weekends goes with window"),
        ({"alert_by": "sms"}, "alert by goes with alert"),
        ({"window": "01:00-02:00", "no_window": True}, "window and no window do not go together"),
        ({"set": ("a.x=1", "a.x=2")}, "set: ops.a.x is given twice"),
        ({"order": "dsc"}, '"dsc" is none of asc, desc; did you mean "desc"?'),
        ({"alert": "never"}, '"never" is none of success, failure, either'),
        ({"priority": "4"}, '"4" is no priority: there are 1, 3, 5, 7 and 8'),
        ({"groups": "11"}, '"11" is not a number of groups from 1 to 10'),
        ({"max_failures": "0"}, '"0" is no number of failures to pause at'),
        ({"max_failures": "1.5"}, '"1.5" is no number of failures to pause at'),
    ],
)
def test_wrong_texts_are_told_apart(given: dict[str, Any], why: str) -> None:
    """POL-4, POL-5, POL-9, POL-11, POL-12, POL-14, PAR-5."""
    with pytest.raises(UsageError) as caught:
        read_all(OPTIONS, given, AROUND)
    assert caught.value.message == why


VALUES: list[Any] = [
    None, True, False, 0, 1, 3.0, 1.5, 10, 11, 1_000_000_000, -1, float("inf"),
    "", "asc", "ignore", "task", "continue", "sms", "both",
    [], [0, 1], [1, 1.0], [0, 1440], ["2026-01-05"], [["2026-01-05"]], [["2026-01-05", "2026-01-06"]],
    [["2026-01-05", "2026-02-30"]], [["2026-01-05", "20260106"]], [["2200-01-01", "2200-01-01"]],
    {}, {"trigger": "either"}, {"trigger": "either", "method": "sms"}, {"trigger": "either", "method": "sms", "more": 1},
    {"period": "22:00-06:00", "timezone": "UTC", "weekends": False},
    {"period": "24:00-06:00", "timezone": "UTC", "weekends": False},
    {"period": "22:00-06:00", "timezone": 7, "weekends": False},
    {"period": "22:00-06:00", "timezone": "UTC", "weekends": 1},
    {"a.b": {"x": "1"}}, {"a.b": {"x": 1}}, {"a.b": ["x"]}, {"groups": 2, "chains": [[[0, 2]], [[3, 3], [5, 6]]]},
    {"groups": 11, "chains": []}, {"groups": 0, "chains": []}, {"groups": 2, "chains": [[[0]]]},
]  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_schema_accepts_what_is_read(option: PolicyOption) -> None:
    """Chapter 6: both say the same of every value, so that a form and the REST interface can rely on the schema."""
    accepted = 0
    for value in VALUES:
        document = {"bizdates": [["2026-01-05", "2026-01-05"]], option.name: value}
        assert SCHEMA.is_valid(document) == is_read(document), value
        accepted += is_read(document)
    assert 0 < accepted < len(VALUES)


def test_a_policy_of_a_newer_program_is_refused() -> None:
    """POL-14: rather than run otherwise than was asked for."""
    document = {"bizdates": [["2026-01-05", "2026-01-05"]], "speed": 7}
    with pytest.raises(PolicyDocumentError, match='a policy has no "speed"'):
        options.from_json(document)
    assert not SCHEMA.is_valid(document)
    together = {"bizdates": [["2026-01-05", "2026-01-05"]], "on_failure": "continue", "barrier": "task"}
    assert not is_read(together)
    assert not SCHEMA.is_valid(together)


def is_read(document: dict[str, Any]) -> bool:
    try:
        options.from_json(document)
    except RetrofillError:
        return False
    return True


def given(path: str) -> set[str]:
    """The names of what a command is given."""
    found: click.Command = cli
    context = click.Context(found)
    for name in path.split():
        assert isinstance(found, click.Group)
        got = found.get_command(context, name)
        assert got is not None
        found = got
    return {one.name or "" for one in found.get_params(context)}
