"""Who schedules a store that several machines share: a term, which the server issues and which runs out.

A term is a row of `lease` that holds for some seconds by the server's clock, under a number that rises with every
new holder. A thread renews it, so that a long tick does not lose it. Whoever stood still, or could not reach the
server, knows by the time that passed on its own machine, counted from before it last asked: its term is over
before anybody else can be given one. And a transaction of the leader names its number: a term that is
over writes nothing. No lock of a session is used, because a pooler may give each transaction another session.

On one machine the flock of the deployment's home says more: it is gone the moment its holder dies, so that the
next scheduler there leads at once, and that two of one home never lead.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from retrofill.domain.errors import RetrofillError
from retrofill.services.ports.leadership import Leader, NotLeadingError
from retrofill.store.postgres.leases import NOW_MS, Ask, place_of
from retrofill.store.sqlite.leading import FlockLeadership
from retrofill.store.statements.ledger import LEADER

if TYPE_CHECKING:
    from pathlib import Path

    from retrofill.services.ports.ledger import Ledger

TERM_SECONDS = 5.0
_RENEWALS = 5  # in a term
_MARGIN = 0.2  # of a term, for which its holder believes it to be over earlier than the server does
_STANDSTILL_SECONDS = (
    30.0  # whoever computes for so long within a write keeps others waiting until they give up
)

_WISHES = "wish to lead"  # of who would start auto triggered instances, too, while the leader starts none
_IS_WISHED = f"EXISTS (SELECT 1 FROM lease w WHERE w.name = '{_WISHES}' AND w.until_ms >= {NOW_MS})"

# `note` says who it is: host, process, since when, what it starts, and the folder whose flock it holds.
_TAKE = (
    f"INSERT INTO lease (name, holder, number, until_ms, note) VALUES ('{LEADER}', ?1, 1, {NOW_MS} + ?2, "
    f"?3 || {NOW_MS} || ?4) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, number = lease.number + 1, "
    "until_ms = excluded.until_ms, note = excluded.note "
    f"WHERE (lease.until_ms < {NOW_MS} OR lease.note LIKE ?5) AND (?6 = 1 OR NOT {_IS_WISHED}) RETURNING number"
)
_RENEW = (
    f"UPDATE lease SET until_ms = {NOW_MS} + ? WHERE name = '{LEADER}' AND holder = ? AND number = ? "
    f"RETURNING {_IS_WISHED}"
)
_WISH = (
    f"INSERT INTO lease (name, holder, number, until_ms, note) VALUES ('{_WISHES}', ?1, 1, {NOW_MS} + ?2, '') "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms"
)
_RESIGN = f"UPDATE lease SET until_ms = 0 WHERE name = '{LEADER}' AND holder = ? AND number = ?"
_READ = f"SELECT note FROM lease WHERE name = '{LEADER}' AND until_ms >= {NOW_MS}"
# Whoever stands still in the middle of a write keeps everybody else from writing.
_END_STANDSTILLS = (
    "SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.granted AND l.locktype = 'advisory' AND l.classid = ? AND l.objid = ? "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (a.state LIKE 'idle in transaction%' OR a.wait_event = 'ClientRead') "  # the latter within a pipeline
    "AND a.state_change < clock_timestamp() - make_interval(secs => ?)"
)


class LeaseLeadership:
    """One process's part, on one store.

    Args:
        ask: puts a question to the server, outside of any transaction.
        home: the deployment's folder on this machine.
        writers: the number of the lock that every writer holds.
        term_seconds: how long a term holds that is not renewed; the same for all that share a store.
    """

    def __init__(self, ask: Ask, home: Path, writers: int, term_seconds: float = TERM_SECONDS) -> None:
        self._ask = ask
        self._home = home
        self._writers = writers
        self._term_seconds = term_seconds
        self._flock = FlockLeadership(home)  # who holds it sees to the runs of this machine
        self._serves = False
        self._holder = os.urandom(8).hex()
        self._starts_auto = False
        self._number: int | None = None  # of the term that this process has, or thinks that it has
        self._until = 0.0  # by this machine's clock
        self._over: str | None = None  # why the term is over
        self._done = threading.Event()
        self._renewing: threading.Thread | None = None

    def serve(self) -> bool:
        """See to the runs of this machine from now on, whoever leads; whether no other process here does."""
        self._serves = self._serves or self._flock.lead()
        return self._serves

    def lead(self, auto: bool = False) -> bool:
        served = self._serves
        if not self.serve():
            return False
        asked_at, number = _now(), None
        try:
            number = self._take(auto)
        finally:
            if number is None and not served:
                self._flock.resign()
                self._serves = False
        if number is None:
            return False
        self._number, self._over, self._starts_auto = number, None, auto
        self._until = asked_at + self._own_seconds
        self._done = threading.Event()
        self._renewing = threading.Thread(
            target=self._renew_in_time, args=(self._done,), name="leading", daemon=True
        )
        self._renewing.start()
        return True

    @property
    def _own_seconds(self) -> float:
        return self._term_seconds * (1 - _MARGIN)

    @property
    def _term_ms(self) -> int:
        return round(self._term_seconds * 1000)

    def _row(self, statement: str, values: tuple[object, ...] = ()) -> tuple[Any, ...] | None:
        return self._ask(lambda connection: connection.execute(statement, values).fetchone())  # type: ignore[return-value]

    def _take(self, auto: bool) -> int | None:
        place = place_of(self._home)
        before = f"{os.uname().nodename}\t{os.getpid()}\t"
        after = f"\t{'auto' if auto else 'backfills'}\t{place}"
        values = (self._holder, self._term_ms, before, after, f"%\t{place}", int(auto))
        row = self._row(_TAKE, values)
        if row is None:
            return None
        self._end_standstills(self._term_seconds)  # of whoever led until now
        return int(row[0])

    def _end_standstills(self, seconds: float) -> None:
        lock = (self._writers >> 32, self._writers & 0xFFFF_FFFF, seconds)
        with suppress(RetrofillError):  # then it ends by itself, later
            self._row(_END_STANDSTILLS, lock)

    def _renew_in_time(self, done: threading.Event) -> None:
        while not done.wait(self._term_seconds / _RENEWALS):
            asked_at = _now()
            if asked_at >= self._until:
                return  # it may be somebody else's by now
            with suppress(RetrofillError):  # tried again, until it is too late
                values = (self._term_ms, self._holder, self._number)
                row = self._row(_RENEW, values)
                if row is None:
                    self._over = "another scheduler leads by now"
                    return
                if row[0] and not self._starts_auto:
                    self._over = "a scheduler that makes nights, too, is about to lead"
                    return
                self._until = asked_at + self._own_seconds
                self._end_standstills(_STANDSTILL_SECONDS)

    def renew(self) -> int | None:
        """A thread sees to it; who leads looks again before the term could be over."""
        return round(self._own_seconds * 1000 / 2)

    def lost(self) -> str | None:
        if self._number is None:
            return "this process does not lead"
        if self._over is not None:
            return self._over
        moved = self._flock.lost()
        if moved is not None:
            return moved
        if _now() >= self._until:
            return f"the term to schedule could not be renewed for {self._own_seconds:.0f} seconds"
        return None

    def check(self, tx: Ledger) -> None:
        why = self.lost()
        if why is None and not tx.is_term(self._holder, self._number or 0):
            why = self._over = "another scheduler leads by now"
        if why is not None:
            raise NotLeadingError(why)

    def leader(self) -> Leader | None:
        row = self._row(_READ)
        if row is None:
            return None
        host, pid, since, what, place = str(row[0]).split("\t")
        is_ours = self._serves and self._number is None  # the flock of whoever led from here
        if place == place_of(self._home) and (is_ours or self._flock.leader() is None):
            return None  # it was killed
        return Leader(host, int(pid), int(since), what == "auto")

    def wish(self) -> None:
        self._ask(lambda connection: connection.execute(_WISH, (self._holder, self._term_ms)))

    def resign(self) -> None:
        self.step_down()
        self._flock.resign()
        self._serves = False

    def step_down(self) -> None:
        """Let somebody else lead, and go on seeing to the runs of this machine."""
        if self._number is None:
            return
        self._done.set()
        if self._renewing is not None:
            self._renewing.join(self._term_seconds)  # it may wait for a server that does not answer
        number, self._number = self._number, None
        with suppress(RetrofillError):  # it runs out by itself
            self._ask(lambda connection: connection.execute(_RESIGN, (self._holder, number)))


def _now() -> float:
    """Seconds that have passed on this machine, those in which it slept too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
