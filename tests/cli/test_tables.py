"""Tables as text: fitted to the terminal, whole into a pipe; the same words with and without colour."""

from __future__ import annotations

import pytest

from e2e.sandboxes import Sandbox
from retrofill.cli import tables

LONG = "ops.a_task_with_a_name_that_is_longer_than_most_of_all_the_columns_of_a_terminal"
ROW = {
    "id": 12345678, "task": LONG, "bizdate": "2026-01-05", "scheduled_at": "2026-01-06T02:00:00", "kind": "run",
    "state": "failed", "reason": "sibling_failed", "group": 10, "run_number": 11,
    "started_at": "2026-01-06T07:00:12.123Z", "ended_at": "2025-01-06T07:00:13Z", "run_seconds": 1.0,
}  # fmt: skip
COLUMNS = [name for name in ROW if name != "reason"]


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 160, 300])
def test_no_line_is_longer_than_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """BF-2: from 80 columns up, with everything at its longest; start and end are always there."""
    monkeypatch.setenv("COLUMNS", str(width))
    tables.print_table([ROW], COLUMNS, "")
    head, line = lines_of(capsys)
    assert max(map(len, (head, line))) <= width
    assert {"ID", "TASK", "BIZDATE", "STATE"} <= set(head.split())
    assert "START" in head
    assert "END" in head
    assert "✗ failed" in line
    assert "12345678" in line
    assert (LONG in line) == (width == 300)


def test_names_are_shortened_in_the_middle() -> None:
    """What tells names apart stands at both ends."""
    assert tables.shortened("ops.daily_delays", 16) == "ops.daily_delays"
    assert tables.shortened("ops.daily_delays_per_carrier", 11) == "ops.d…rrier"
    assert tables.printed_width(tables.shortened("日本語の名前はとても長い", 9)) <= 9


def test_a_pipe_and_wide_shorten_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Output that is read by programs, and `--wide`, hold every name whole."""
    monkeypatch.delenv("COLUMNS", raising=False)
    tables.print_table([ROW], COLUMNS, "")
    piped = lines_of(capsys)
    monkeypatch.setenv("COLUMNS", "80")
    tables.print_table([ROW], COLUMNS, "", wide=True)
    assert lines_of(capsys) == piped
    assert LONG in piped[1]
    assert "2026-01-06T07:00:12.123Z" in piped[1]


def test_what_is_left_out_is_named(filled: Sandbox) -> None:
    """Somebody in front of a terminal misses nothing without a word."""
    narrow = filled.terminal("instance", "list", columns=80)
    assert "KIND" not in narrow
    assert "Not shown for want of room: version, kind" in narrow
    wide = filled.terminal("instance", "list", "--wide", columns=80)
    assert "KIND" in wide
    assert "Not shown" not in wide
    assert max(len(line) for line in filled.terminal("backfill", "list", NO_COLOR="1").splitlines()) <= 80


@pytest.mark.parametrize(
    ("encoding", "text"), [("utf-8", "✓ successful"), ("ascii", "successful"), ("latin-1", "successful")]
)
def test_glyphs_only_where_they_can_be_printed(
    encoding: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word is always there: a glyph and a colour only add to it."""

    class Out:
        pass

    out = Out()
    out.encoding = encoding  # type: ignore[attr-defined]
    monkeypatch.setattr(tables.sys, "stdout", out)
    assert tables.state_cell("successful").text == text


def test_colours_on_a_terminal_only(filled: Sandbox) -> None:
    """Not into a pipe, and not where NO_COLOR or a dumb terminal ask for none."""
    listed = filled.terminal("instance", "list", "--limit", 1)
    assert "\x1b[" in listed
    assert "waiting_resources" in listed
    assert "\x1b[" not in filled.terminal("instance", "list", "--limit", 1, NO_COLOR="1")
    assert "\x1b[" not in filled.terminal("instance", "list", "--limit", 1, TERM="dumb")
    assert "\x1b[" not in filled.run("instance", "list", "--limit", 1).stdout


@pytest.mark.parametrize(
    "args",
    [
        ["backfill", "list", "--name", "a", "--name", "b"],
        ["backfill", "plan", "--task", "mid", "--bizdate", "2026-01-05", "--groups", "2", "--groups=3"],
        ["--output", "json", "backfill", "list", "--output", "json"],
    ],
)
def test_an_option_that_takes_one_value_is_given_once(filled: Sandbox, args: list[str]) -> None:
    """The last one is not taken in silence."""
    refused = filled.call(*args, status=2)
    assert "given twice" in refused.stderr
