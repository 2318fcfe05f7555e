"""Extension checks' answers as values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrofill.domain.checks import (
    LONGEST_MESSAGE,
    Answer,
    Verdict,
    all_pass,
    clipped,
    findings_of,
    parse_answer,
    question,
)
from retrofill.domain.verification.codes import Level
from retrofill.domain.verification.findings import Finding

PASS, WARN = Answer("a", Verdict.PASS, "fine"), Answer("b", Verdict.WARN, "on Mondays")
FAIL = Answer("c", Verdict.FAIL, "too many.")


def test_all_must_pass() -> None:
    """VER-3: a warning does not hold a backfill up; no check at all is a pass."""
    assert all_pass([])
    assert all_pass([PASS, WARN])
    assert not all_pass([PASS, FAIL, WARN])


def test_answers_become_findings() -> None:
    """VER-3: a fail is a risk, a warn a warning, a pass is only kept."""
    failed, warned = findings_of([PASS, FAIL, WARN])
    assert (failed.code, failed.level) == ("check_failed", Level.RISK)
    assert failed.message == "The extension check c failed: too many."
    assert (warned.code, warned.level) == ("check_warned", Level.WARNING)
    assert warned.message == "The extension check b warns: on Mondays."
    (silent,) = findings_of([Answer("d", Verdict.FAIL)])
    assert silent.message == "The extension check d failed: it gives no reason."


def test_a_question_holds_no_overridden_values() -> None:
    """VER-3, SEC-3: names of overridden parameters are told, their values are not; of addresses the host."""
    values = {"w.a": {"token": "s3cret", "day": "$bizdate"}}
    policy = {"groups": 2, "overrides": values, "notify": "https://ops.example.com:8443/s3cret?a=s3cret"}
    found = Finding.of("order_conflict", "w.a waits").to_json()
    asked = question("p", {"id": 1}, policy, {"task_count": 3, "findings": [found]})
    assert asked["policy"] == {
        "groups": 2,
        "overrides": {"w.a": ["day", "token"]},
        "notify": "https://ops.example.com:8443",
    }
    assert asked["event"] == "backfill.check"
    assert asked["plan"]["findings"][0]["hint"].startswith("Use order asc")
    assert "s3cret" not in json.dumps(asked)


def test_messages_are_one_line_that_a_terminal_can_show() -> None:
    """VER-3: foreign text moves no cursor and fills no screen."""
    assert clipped(" a\r\n\tb  c ") == "a b c"
    assert clipped("\x1b[2Jx\u202e") == "\\x1b[2Jx\\u202e"
    assert len(clipped("x" * 5_000)) == LONGEST_MESSAGE + 3


@given(
    st.text() | st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists).map(json.dumps)
)
def test_whatever_is_sent_is_an_answer(text: str) -> None:
    """VER-3: and no pass, unless it says so in due form."""
    answer = parse_answer("x", text)
    assert answer.verdict is Verdict.FAIL
    assert answer.message.isprintable()


@pytest.mark.parametrize("extra", [{}, {"message": None}, {"message": ""}, {"more": [1]}])
def test_a_pass_needs_no_message(extra: dict[str, object]) -> None:
    """VER-3."""
    assert parse_answer("x", json.dumps({"result": "pass", **extra})) == Answer("x", Verdict.PASS)
