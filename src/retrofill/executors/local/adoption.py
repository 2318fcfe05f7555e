"""What became of a run: read from its log's existence and from the journals.

| journal                   | log           | supervisor | verdict                                     |
|---------------------------|---------------|------------|---------------------------------------------|
| exit                      |               |            | ended as it says                            |
| none, or claim            | none          |            | a tombstone is put there: not started       |
| none, or claim            | tombstone     |            | not started                                 |
| claim                     | claimed       | lives      | running                                     |
| claim                     | claimed       | died       | lost, once no process carries its mark      |

A run of another boot without an exit is lost, never started anew.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection, Iterable
from enum import Enum
from typing import NamedTuple

from retrofill.executors.local import journals
from retrofill.executors.local.journals import TOMBSTONE_MODE
from retrofill.executors.local.remains import Main, Remains
from retrofill.executors.logs.names import run_name
from retrofill.executors.logs.paths import RunPaths
from retrofill.failpoints import fail_point
from retrofill.services.ports import RunEnd, RunRef

REBOOTED = "the machine was restarted while it ran; what it had done is unknown"
SUPERVISOR_DIED = "its supervisor died, so all its processes were ended; what it had done is unknown"
SUPERVISOR_DIED_UNSEEN = (
    "its supervisor died, so its processes were ended as far as they could be found (one that had cleared its "
    "environment and left session and log may go on); what it had done is unknown"
)
NOT_STARTED = "it was not started"


class Verdict(Enum):
    ENDED = "ended"
    NOT_STARTED = "not_started"
    RUNNING = "running"
    DEAD = "dead"  # processes may be left
    REBOOTED = "rebooted"


class Judged(NamedTuple):
    """A run's verdict; `end` where it has ended, `entry` where a supervisor runs it."""

    verdict: Verdict
    end: RunEnd | None
    entry: journals.Entry | None


def remains_of(places: RunPaths, ref: RunRef, entry: journals.Entry | None, launcher: int = 0) -> Remains:
    """The processes of a run whose supervisor has died."""
    name = name_of(ref)
    main = Main(*entry.main) if entry is not None and entry.main is not None else None
    return Remains(name, places.log(name), main, launcher)


def lost_with(ref: RunRef, remains: Remains) -> RunEnd:
    """The end of a run of which no process could be found any more."""
    return lost(ref, SUPERVISOR_DIED if remains.is_everything else SUPERVISOR_DIED_UNSEEN)


def name_of(ref: RunRef) -> str:
    """The run's name.

    Raises:
        ValueError: the token is no plain word.
    """
    return run_name(ref.instance_id, ref.run_number, ref.token)


def boot_id() -> str:
    """Names the time since the machine was started."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def to_end(ref: RunRef, record: journals.Exit) -> RunEnd:
    return RunEnd(
        ref,
        record.outcome,
        record.exit_code,
        record.signal,
        record.started_at,
        record.ended_at,
        record.message,
    )


def lost(ref: RunRef, message: str) -> RunEnd:
    return RunEnd(ref, "lost", None, None, None, time.time(), message)


def not_started(ref: RunRef, why: str = NOT_STARTED) -> RunEnd:
    return RunEnd(ref, "not_started", None, None, None, time.time(), why)


def find_exit(places: RunPaths, ref: RunRef) -> RunEnd | None:
    """The end of a run that is in the journals; changes nothing."""
    name = name_of(ref)
    entry = journals.find_runs(places.journals, {name}).get(name)
    return to_end(ref, entry.exit) if entry is not None and entry.exit is not None else None


def judge(places: RunPaths, refs: Iterable[RunRef], boot: str) -> dict[RunRef, Judged]:
    """The verdict on each run; puts a tombstone where one has not been claimed."""
    names = {ref: name_of(ref) for ref in refs}
    if not names:
        return {}
    entries = journals.find_runs(places.journals, set(names.values()))
    judged = {ref: _judge_one(places, ref, entries.get(name), boot) for ref, name in names.items()}
    # A claim that was made while the journals were being read is in them now.
    again = [ref for ref in names if judged[ref] is None]
    if again:
        entries = journals.find_runs(places.journals, {names[ref] for ref in again})
        for ref in again:
            judged[ref] = _judge_one(places, ref, entries.get(names[ref]), boot)
    return {ref: one or Judged(Verdict.DEAD, None, None) for ref, one in judged.items()}


def _judge_one(places: RunPaths, ref: RunRef, entry: journals.Entry | None, boot: str) -> Judged | None:
    """None: a log without a claim, which must have come after the journals were read."""
    if entry is not None and entry.exit is not None:
        return Judged(Verdict.ENDED, to_end(ref, entry.exit), None)
    if ref.boot_id != boot:
        return Judged(Verdict.REBOOTED, lost(ref, REBOOTED), None)
    if put_tombstone(places.log(name_of(ref))):
        return Judged(Verdict.NOT_STARTED, not_started(ref), None)
    if entry is None:
        return None
    return Judged(Verdict.RUNNING if entry.is_locked else Verdict.DEAD, None, entry)


def put_tombstone(path: str) -> bool:
    """Make sure that a run without a claim is never started; False if it has one."""
    fail_point("tombstone.before")
    fail_point("fault.tombstone")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.close(os.open(path, flags, TOMBSTONE_MODE))
    except FileExistsError:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return False
        return stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == TOMBSTONE_MODE
    fail_point("tombstone.after")
    return True


def supervisor_pidfd(entry: journals.Entry) -> int | None:
    """A descriptor of the run's supervisor, readable once it has ended.

    The lock is looked at again afterwards: while it is held, the pid is still the supervisor's.

    Returns:
        None where it has ended, or lives in another numbering of processes.
    """
    if entry.pid == 0:
        return None
    try:
        descriptor = os.pidfd_open(entry.pid)
    except OSError:
        return None
    if journals.is_locked(entry.path):
        return descriptor
    os.close(descriptor)
    return None


def remove_journals(places: RunPaths, names: Collection[str]) -> int:
    """Remove journals of dead supervisors that tell of none of these runs; how many went."""
    removed = 0
    for path in journals.list_journals(places.journals):
        if journals.is_locked(path):
            continue
        _, records = journals.read_journal(path)
        if not any(record[1] in names for record in records):
            with contextlib.suppress(OSError):  # it is in nobody's way
                os.unlink(path)
                removed += 1
    return removed
