"""When the clock was believed last, in the ledger (TIME-8)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from retrofill.domain.running.states import PAUSES
from retrofill.domain.time.clocks import Anchor, Boot, ClockCheck, accept, believe, followed, judge, jump_of
from retrofill.store import filters
from retrofill.store.statements.health import Health

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection
    from retrofill.store.statements.revisions import Changed

_ANCHOR = ", ".join(Anchor._fields)
ANCHOR = f"SELECT {_ANCHOR} FROM clock_anchor"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"

BootClock = Callable[[], Boot]


def boot_clock() -> Boot:
    """Of this machine; where it does not tell, the process stands for it."""
    boot_id = _boot_id()
    if boot_id is None:
        return Boot(_OF_PROCESS, time.monotonic_ns() // 1_000_000)
    return Boot(boot_id, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


@cache
def _boot_id() -> str | None:
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip() if hasattr(time, "CLOCK_BOOTTIME") else None
    except OSError:
        return None


_OF_PROCESS = f"process started at {time.time_ns()}"


class ClockReader:
    """Holds the clock against what is known."""

    def __init__(self, connection: Connection, boot_clock: BootClock) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._boot_clock = boot_clock
        self._read: tuple[Anchor | None] | None = None  # in this view or transaction

    def check(self, wall_ms: int) -> ClockCheck:
        boot, anchor = self._boot_clock(), self._anchor()
        return judge(anchor, boot, wall_ms, self._newest_ms(anchor, boot))

    def _anchor(self) -> Anchor | None:
        if self._read is None:
            row = self._execute(ANCHOR).fetchone()
            self._read = (Anchor(*row) if row else None,)
        return self._read[0]

    def _newest_ms(self, anchor: Anchor | None, boot: Boot) -> int | None:
        is_known = anchor is not None and anchor.boot == boot.id
        return None if is_known else Health(self._connection).newest_ms()


class ClockKeeper(ClockReader):
    """Notes when it was believed."""

    def __init__(self, connection: Connection, boot_clock: BootClock, changed: Changed) -> None:
        super().__init__(connection, boot_clock)
        self._changed = changed

    def keep(self, wall_ms: int, tolerance_ms: int | None = None) -> ClockCheck:
        boot, anchor = self._boot_clock(), self._anchor()
        check = judge(anchor, boot, wall_ms, self._newest_ms(anchor, boot))
        kept = anchor
        if anchor is not None and anchor.boot == boot.id:
            if jump := jump_of(anchor, boot, check.sure_ms):
                self._shift_lengths(jump)
                kept = followed(anchor, jump)
        elif check.expected_ms is None:
            kept = believe(anchor, boot, check)
        if kept is not None and tolerance_ms is not None:
            kept = kept._replace(tolerance=tolerance_ms)
        if kept is not None and kept != anchor:
            self._write(kept)
        return check

    def accept(self, wall_ms: int) -> None:
        boot, anchor = self._boot_clock(), self._anchor()
        if anchor is not None and anchor.boot == boot.id and (jump := jump_of(anchor, boot, wall_ms)):
            self._shift_lengths(jump)
        self._write(accept(anchor, boot, wall_ms, Health(self._connection).newest_ms()))

    def _shift_lengths(self, jump_ms: int) -> None:
        """Ends of pauses, which were worked out by the clock as it was: a pause is as long as it is."""
        instances = self._execute(
            "UPDATE instance SET start_ms = start_ms + ? WHERE state = 'waiting_time' "
            f"AND {filters.one_of('reason', PAUSES)} RETURNING id",
            (jump_ms,),
        )
        self._changed.instances.update(row[0] for row in instances.fetchall())
        alerts = self._execute(
            "UPDATE alert SET next_ms = next_ms + ? WHERE next_ms IS NOT NULL RETURNING backfill_id",
            (jump_ms,),
        )
        self._changed.backfills.update(row[0] for row in alerts.fetchall())

    def _write(self, anchor: Anchor) -> None:
        self._read = (anchor,)
        marks = ", ".join("?" * len(Anchor._fields))
        new = ", ".join(f"{name} = excluded.{name}" for name in Anchor._fields)
        self._execute(
            f"INSERT INTO clock_anchor (id, {_ANCHOR}) VALUES (1, {marks}) ON CONFLICT (id) DO UPDATE SET {new}",
            anchor,
        )
