"""Progress of a backfill: a live picture in a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.cli.session import say
from retrofill.domain.planning.tallies import runs_in_words
from retrofill.domain.words import many, names

if TYPE_CHECKING:
    from retrofill.services.reading.documents import DateRow, TimeLeft
    from retrofill.services.reading.documents import Progress as ProgressDocument

_LINE_SECONDS = 2.0
_UNCHANGED_SECONDS = 60.0
_ESTIMATE_SECONDS = 5.0
_DATES_SHOWN = 8
_BAR = 28


class Progress:
    """Shows a backfill again and again until `end`; a line that says nothing new waits for a minute."""

    def __init__(self) -> None:
        self._live: Any = None
        self._last_line_at = time.monotonic()
        self._last_state = ""
        self._began: tuple[float, int] | None = None
        self._expected: TimeLeft | None = None
        self._looked_at = 0.0  # when that was so
        self._estimate_again_at = 0.0
        self._is_terminal = sys.stderr.isatty()

    def show(
        self,
        progress: ProgressDocument,
        time_left: Callable[[], TimeLeft | None],
        failed: Sequence[str] = (),
        failed_now: Sequence[str] = (),
    ) -> None:
        """Show the state of now.

        Plain lines come at most every two seconds, but what has just failed is told at once.

        Args:
            time_left: simulates, and so is asked now and then only.
            failed, failed_now: lines about the first failures, and those of them that are new.
        """
        speed = ", ".join(filter(None, (self._speed(progress["dates"]), self._left(time_left))))
        if self._is_terminal:
            self._show_live(_picture(progress, speed, failed))
            return
        self.tell(progress["id"], failed_now)
        silent = time.monotonic() - self._last_line_at
        state = _state(progress)
        if silent >= (_LINE_SECONDS if state != self._last_state else _UNCHANGED_SECONDS):
            self._last_line_at, self._last_state = time.monotonic(), state
            say(f"backfill {progress['id']}: {state}{'; ' + speed if speed else ''}")

    def tell(self, backfill_id: int, lines: Sequence[str]) -> None:
        """Plain lines at once; a terminal's picture holds them anyway."""
        for line in () if self._is_terminal else lines:
            say(f"backfill {backfill_id}: {line}")

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show_live(self, picture: str) -> None:
        from rich.live import Live
        from rich.text import Text

        text = Text.from_ansi(picture)
        if self._live is None:
            from rich.console import Console

            self._live = Live(text, console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(text, refresh=True)

    def _rate(self, successful: int) -> float | None:
        """Successful instances a second since the first look, None before there is something to measure."""
        now = time.monotonic()
        if self._began is None:
            self._began = now, successful
            return None
        seconds, done = now - self._began[0], successful - self._began[1]
        return done / seconds if done and seconds > 0 else None

    def _speed(self, dates: Sequence[DateRow]) -> str:
        rate = self._rate(sum(date["successful"] for date in dates))
        return "" if rate is None else f"{rate:.1f}/s"

    def _left(self, time_left: Callable[[], TimeLeft | None]) -> str:
        """How long it will go on, if it is not held (BF-2)."""
        began = time.monotonic()
        if began >= self._estimate_again_at:
            self._expected = time_left()
            ended = time.monotonic()
            self._looked_at = ended
            # The scheduler may run in this process: an estimate takes a fiftieth of the time at most.
            is_known = self._expected is not None and self._expected["seconds"] is not None
            rest = _ESTIMATE_SECONDS if is_known else 0.0
            self._estimate_again_at = ended + max(rest, 50 * (ended - began))
        expected = self._expected
        if expected is None:
            return ""
        if expected["seconds"] is None:
            unknown = expected["unknown_tasks"]
            return f"time left unknown, no successful run yet of {names(unknown)}" if unknown else ""
        return f"about {duration(max(expected['seconds'] - (began - self._looked_at), 0))} left"


def _state(progress: ProgressDocument) -> str:
    parts = [_counts(progress)]
    current = [f"{d['bizdate']} {d['successful']}/{d['total']}" for d in _current(progress)]
    if current:
        parts.append("at " + ", ".join(current[:_DATES_SHOWN]))
    if progress["held"] is not None:
        parts.append(progress["held"])
    return "; ".join(parts)


def _current(progress: ProgressDocument) -> list[DateRow]:
    return [d for d in progress["dates"] if d["reached"] and d["successful"] < d["total"]]


def _counts(progress: ProgressDocument) -> str:
    dates, runs = progress["dates"], progress["run_count"]
    total, successful = sum(d["total"] for d in dates), sum(d["successful"] for d in dates)
    running, failed = sum(d["running"] for d in dates), sum(d["failed"] for d in dates)
    complete = sum(1 for d in dates if d["successful"] == d["total"])
    real = "" if runs in (None, total) else f" ({runs_in_words(runs)})"
    return (
        f"{successful} of {total} successful{real}, {running} running, {failed} failed, "
        f"{complete} of {many(len(dates), 'bizdate')} done"
    )


def _picture(progress: ProgressDocument, speed: str, failed: Sequence[str]) -> str:
    dates = progress["dates"]
    lines = [f"Backfill {progress['id']} {progress['name']}", f"{bar(dates)} {_counts(progress)}"]
    if speed:
        lines.append(speed)
    lines += [
        f"  group {d['group']}  {d['bizdate']}  {bar([d])} {d['successful']}/{d['total']}"
        for d in _current(progress)[:_DATES_SHOWN]
    ]
    if progress["running_count"]:
        lines.append(f"  running: {_running(progress)}")
    lines += [f"  {line}" for line in failed]
    if sum(d["failed"] for d in dates) > len(failed):
        lines.append(
            f"  failed: `retrofill instance list --backfill {progress['id']} --state failed` lists them"
        )
    return "\n".join(lines)


def _running(progress: ProgressDocument) -> str:
    seen = [f"{row['task']} {row['scheduled_at'][5:16].replace('T', ' ')}" for row in progress["running"]]
    rest = progress["running_count"] - len(seen)
    more = f" and {rest} more" if rest and seen else str(rest) if rest else ""
    return f"{', '.join(seen)}{more}"


def bar(dates: Sequence[DateRow]) -> str:
    """A bar proportional to successful (green), failed (red) and running (blue) instances."""
    total = sum(d["total"] for d in dates) or 1
    shares = [
        (sum(d["successful"] for d in dates), "\x1b[32m", "━"),
        (sum(d["failed"] for d in dates), "\x1b[31m", "━"),
        (sum(d["running"] for d in dates), "\x1b[34m", "━"),
    ]
    text, used = "", 0
    for count, colour, mark in shares:
        width = min(_BAR - used, max(1, count * _BAR // total) if count else 0)
        used += width
        text += f"{colour}{mark * width}\x1b[0m"
    return f"{text}\x1b[90m{'─' * (_BAR - used)}\x1b[0m"


def duration(seconds: float) -> str:
    """`9s`, `4m 05s`, `1h 04m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
