"""What only one process may do at a time, over all machines: rows that hold for a while, by the server's clock.

Whoever holds a lease renews it; what was not renewed is anybody's. No lock of a session is used, because a
pooler may give each transaction another session. On one machine the flock of a file in the deployment's home
says more: it is gone the moment its holder dies, so there nobody waits for a lease to run out.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError, StoreBusyError
from retrofill.store.sqlite import locks
from retrofill.store.statements import identity

if TYPE_CHECKING:
    from retrofill.store.dialects import Connection

LEASE_SECONDS = 20.0  # how long others wait for one whose machine is gone
_RENEWALS = 5  # in that time
_LOOK_SECONDS = 0.2
NOW_MS = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"

_TAKE = (
    f"INSERT INTO lease (name, holder, number, until_ms, note) VALUES (?1, ?2, 1, {NOW_MS} + ?3, ?4) "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, number = lease.number + 1, "
    "until_ms = excluded.until_ms, note = excluded.note "
    f"WHERE lease.until_ms < {NOW_MS} OR lease.note = ?4 RETURNING number"
)
_RENEW = f"UPDATE lease SET until_ms = {NOW_MS} + ? WHERE name = ? AND holder = ?"

Ask = Callable[[Callable[["Connection"], object]], object]
"""Runs a question on a connection outside of any transaction."""


def name_of(what: int | str) -> str:
    return f"creating {what}"


def place_of(home: Path) -> str:
    """Names a folder of a machine that runs: whoever has the same one sees the same flocks."""
    found = identity.of(home, "")
    return f"{found.boot_id} {found.device} {found.inode}"


@contextmanager
def creating(ask: Ask, home: Path, what: int | str) -> Iterator[str]:
    """Hold the lease of creating something until the end, one after the other; the holder's word.

    Raises:
        StoreBusyError: somebody else has created it for so long.
    """
    holder = os.urandom(8).hex()
    with locks.creating(home, what):
        deadline = time.monotonic() + locks.CREATING_PATIENCE_SECONDS
        while not _take(ask, name_of(what), holder, place_of(home)):
            if time.monotonic() > deadline:
                seconds = locks.CREATING_PATIENCE_SECONDS
                raise StoreBusyError(
                    f"a process on another machine has been creating instances for {seconds:.0f} seconds"
                )
            time.sleep(_LOOK_SECONDS)
        done = threading.Event()
        renewing = threading.Thread(target=_renew, args=(ask, name_of(what), holder, done), daemon=True)
        renewing.start()
        try:
            yield holder
        finally:
            done.set()
            renewing.join()
            with suppress(RetrofillError):  # it runs out by itself
                ask(
                    lambda connection: connection.execute(
                        "DELETE FROM lease WHERE name = ? AND holder = ?", (name_of(what), holder)
                    )
                )


def _take(ask: Ask, name: str, holder: str, place: str) -> bool:
    """Whether it is ours now: nobody's, or of somebody who had this machine's flock before us."""
    values = (name, holder, round(LEASE_SECONDS * 1000), place)
    return ask(lambda connection: connection.execute(_TAKE, values).fetchone()) is not None


def _renew(ask: Ask, name: str, holder: str, done: threading.Event) -> None:
    while not done.wait(LEASE_SECONDS / _RENEWALS):
        with suppress(RetrofillError):  # the next time; in the end others think that we are gone
            ask(lambda connection: connection.execute(_RENEW, (round(LEASE_SECONDS * 1000), name, holder)))


def is_held(connection: Connection, what: int | str, holder: str) -> bool:
    """Whether the lease of creating something is still this holder's."""
    found = connection.execute("SELECT holder FROM lease WHERE name = ?", (name_of(what),)).fetchone()
    return found is not None and found[0] == holder


def is_being_created(connection: Connection, home: Path, what: int | str) -> bool:
    """Whether somebody creates it; a lease that ran out, or whose holder is dead, is removed."""
    row = connection.execute(
        f"SELECT holder, note, until_ms < {NOW_MS} FROM lease WHERE name = ?", (name_of(what),)
    ).fetchone()
    if row is None:
        return False
    holder, place, has_run_out = row
    is_here = place == place_of(home)
    if (is_here and locks.is_being_created(home, what)) or not (is_here or has_run_out):
        return True
    connection.execute(
        f"DELETE FROM lease WHERE name = ? AND holder = ? AND (note = ? OR until_ms < {NOW_MS})",
        (name_of(what), holder, place_of(home)),
    )
    return False
