"""Progress of a backfill: a live picture in a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from retrofill.cli.session import say
from retrofill.domain.planning.tallies import runs_in_words
from retrofill.domain.words import many, names
from retrofill.services.ports.records import BackfillRecord, DateRecord

if TYPE_CHECKING:
    from retrofill.domain.estimating.estimate import Estimate
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.people.access import Access
    from retrofill.services.ports import Reader

_LINE_SECONDS = 2.0
_UNCHANGED_SECONDS = 60.0
_ESTIMATE_SECONDS = 5.0
_DATES_SHOWN = 8
_RUNNING_SHOWN = 4
_BAR = 28


class Progress:
    """Shows a backfill again and again until `end`; a line that says nothing new waits for a minute."""

    def __init__(self) -> None:
        self._live: Any = None
        self._last_line_at = time.monotonic()
        self._last_state = ""
        self._began: tuple[float, int] | None = None
        self._expected: Estimate | None = None
        self._estimate_again_at = 0.0
        self._is_terminal = sys.stderr.isatty()

    def show(
        self,
        reader: Reader,
        access: Access,
        record: BackfillRecord,
        graphs: GraphCache,
        now_ms: int,
        failed: Sequence[str] = (),
        failed_now: Sequence[str] = (),
    ) -> None:
        """Show the state of now.

        Plain lines come at most every two seconds, but what has just failed is told at once.

        Args:
            access: what may be named to whoever waits.
            failed, failed_now: lines about the first failures, and those of them that are new.
        """
        dates = reader.dates(record.id)
        speed = ", ".join(
            filter(None, (self._speed(dates), self._left(reader, access, record, graphs, now_ms)))
        )
        if self._is_terminal:
            self._show_live(_picture(reader, access, record, dates, speed, failed))
            return
        self.tell(record, failed_now)
        silent = time.monotonic() - self._last_line_at
        state = _state(record, dates)
        if silent >= (_LINE_SECONDS if state != self._last_state else _UNCHANGED_SECONDS):
            self._last_line_at, self._last_state = time.monotonic(), state
            say(f"backfill {record.id}: {state}{'; ' + speed if speed else ''}")

    def tell(self, record: BackfillRecord, lines: Sequence[str]) -> None:
        """Plain lines at once; a terminal's picture holds them anyway."""
        for line in () if self._is_terminal else lines:
            say(f"backfill {record.id}: {line}")

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

    def _speed(self, dates: list[DateRecord]) -> str:
        rate = self._rate(sum(date.successful for date in dates))
        return "" if rate is None else f"{rate:.1f}/s"

    def _left(
        self, reader: Reader, access: Access, record: BackfillRecord, graphs: GraphCache, now_ms: int
    ) -> str:
        """How long it will go on, if it is not held (BF-2)."""
        if record.phase != "active" or record.paused or record.stopped:
            return ""
        from retrofill.services.backfills.estimates import estimate_left

        began = time.monotonic()
        if began >= self._estimate_again_at:
            self._expected = estimate_left(reader, graphs, record, now_ms)
            ended = time.monotonic()
            # The scheduler may run in this process: an estimate takes a fiftieth of the time at most.
            is_known = self._expected is not None and self._expected.end_ms is not None
            rest = _ESTIMATE_SECONDS if is_known else 0.0
            self._estimate_again_at = ended + max(rest, 50 * (ended - began))
        expected = self._expected
        if expected is None or (expected.end_ms is None and not expected.unknown_tasks):
            return ""
        if expected.end_ms is None:
            return f"time left unknown, no successful run yet of {names(access.shown_tasks(record, expected.unknown_tasks))}"
        return f"about {duration(max(expected.end_ms - now_ms, 0) / 1000)} left"


def _state(record: BackfillRecord, dates: list[DateRecord]) -> str:
    parts = [_counts(record, dates)]
    current = [f"{d.bizdate} {d.successful}/{d.total}" for d in dates if d.reached and d.successful < d.total]
    if current:
        parts.append("at " + ", ".join(current[:_DATES_SHOWN]))
    if record.paused or record.stopped:
        parts.append("paused" if record.paused else "stopped")
    return "; ".join(parts)


def _counts(record: BackfillRecord, dates: list[DateRecord]) -> str:
    total, successful = sum(d.total for d in dates), sum(d.successful for d in dates)
    running, failed = sum(d.running for d in dates), sum(d.failed for d in dates)
    complete = sum(1 for d in dates if d.successful == d.total)
    real = "" if record.run_count in (None, total) else f" ({runs_in_words(record.run_count)})"
    return (
        f"{successful} of {total} successful{real}, {running} running, {failed} failed, "
        f"{complete} of {many(len(dates), 'bizdate')} done"
    )


def _picture(
    reader: Reader,
    access: Access,
    record: BackfillRecord,
    dates: list[DateRecord],
    speed: str,
    failed: Sequence[str],
) -> str:
    lines = [f"Backfill {record.id} {access.shown_name(record)}", f"{bar(dates)} {_counts(record, dates)}"]
    if speed:
        lines.append(speed)
    current = [d for d in dates if d.reached and d.successful < d.total]
    lines += [
        f"  group {d.group_number}  {d.bizdate}  {bar([d])} {d.successful}/{d.total}"
        for d in current[:_DATES_SHOWN]
    ]
    running = [row for row, _ in reader.running() if row.backfill_id == record.id]
    if running:
        seen = [row for row in running if access.sees_instance(row)][:_RUNNING_SHOWN]
        tasks = [f"{reader.task_name(row.task_id)} {row.scheduled_at:%m-%d %H:%M}" for row in seen]
        rest = len(running) - len(seen)
        more = f" and {rest} more" if rest and seen else str(rest) if rest else ""
        lines.append(f"  running: {', '.join(tasks)}{more}")
    lines += [f"  {line}" for line in failed]
    if sum(d.failed for d in dates) > len(failed):
        lines.append(f"  failed: `retrofill instance list --backfill {record.id} --state failed` lists them")
    return "\n".join(lines)


def bar(dates: list[DateRecord]) -> str:
    """A bar proportional to successful (green), failed (red) and running (blue) instances."""
    total = sum(d.total for d in dates) or 1
    shares = [
        (sum(d.successful for d in dates), "\x1b[32m", "━"),
        (sum(d.failed for d in dates), "\x1b[31m", "━"),
        (sum(d.running for d in dates), "\x1b[34m", "━"),
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
