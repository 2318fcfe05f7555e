"""`retrofill doctor`: is the project, its store and its runner in order?"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from retrofill.bootstrap.centers import Call
from retrofill.cli.driving import as_process
from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session
from retrofill.cli.steps import told
from retrofill.domain.errors import RetrofillError, shown
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.words import many, names
from retrofill.services.running.missed import find_missed
from retrofill.services.upkeep.clocks import trouble_with
from retrofill.services.upkeep.consistency import drift, schedule_drift
from retrofill.store.sqlite.leftovers import leftovers

if TYPE_CHECKING:
    from retrofill.services.ports.leadership import Leader
    from retrofill.store.statements.reader import Reader

_FREE_BYTES = 500 << 20
_WAL_BYTES = 256 << 20  # a checkpoint comes every few MiB
_SETTLE_SECONDS = 1.0
_MINUTE_MS = 60_000
_LOOKED_AT = 100  # instances
_TRIED_AGAIN = "will be tried again with growing pauses"
_DAY_MS = 24 * 60 * _MINUTE_MS
_Check = tuple[str, bool, str]  # what was looked at, whether it is in order, one sentence


@click.command(cls=Command)
@pass_session
def doctor(session: Session) -> int:
    """Report on store, scheduler, runs and what they have left.

    Exit 1 if something is wrong.
    """
    rows = [dict(zip(("check", "ok", "detail"), row, strict=True)) for row in _checks(session.call)]
    if session.is_text:
        for row in rows:
            word, colour = ("ok", "green") if row["ok"] else ("WRONG", "red")
            click.echo(f"{click.style(f'{word:<5}', fg=colour)}  {row['check']}: {row['detail']}")
    else:
        session.rows(rows, [], "")
    return 0 if all(row["ok"] for row in rows) else 1


def _checks(call: Call) -> Iterator[_Check]:
    yield from _looked_at("project", _project, call)
    free = shutil.disk_usage(call.home if call.home.is_dir() else call.directory).free
    yield "disk", free > _FREE_BYTES, f"{free >> 20} MiB free"
    try:
        is_deployed = call.deployed is not None
    except (RetrofillError, sqlite3.DatabaseError) as error:
        yield "store", False, _refusal(error)
        yield from _looked_at("logs", _files, call)
        return
    if not is_deployed:
        yield "store", True, "nothing is deployed yet"
        yield from _looked_at("logs", _files, call)
        return
    obstacle = call.store.obstacle()
    yield "writing", obstacle is None, obstacle or "nobody stands in the way"
    for name, looks in (
        ("store", _store),
        ("counters", _counters),
        ("backfills", _halves),
        ("clock", _times),
        ("work", lambda *of: iter([_work(*of)])),
        ("nights", lambda *of: iter([_nights(*of)])),
    ):
        yield from _looked_at(name, _with_reader, call, looks)
    yield from _looked_at("runs", _runs, call)
    yield from _looked_at("logs", _files, call)


def _refusal(error: Exception) -> str:
    if isinstance(error, RetrofillError):
        return f"{told(error.text)}. {told(error.hint)}"
    return f"{error}."


def _looked_at(name: str, looks: Callable[..., Iterator[_Check]], *of: object) -> Iterator[_Check]:
    """What was found; where something is too broken to be looked at, that, and the next one has its turn."""
    try:
        yield from looks(*of)
    except Exception as error:
        reason = str(error).partition("\n")[0] or "no reason is known"
        yield name, False, f"cannot be looked at: {reason} ({type(error).__name__})"


def _with_reader(call: Call, looks: Callable[[Call, Reader], Iterator[_Check]]) -> Iterator[_Check]:
    with call.store.read() as reader:
        yield from looks(call, reader)


def _project(call: Call) -> Iterator[_Check]:
    try:
        catalog = call.folder.catalog
        yield "project", True, f"{many(len(catalog.tasks), 'task')}, no errors"
    except RetrofillError as error:
        yield "project", False, told(error.text)


def _store(call: Call, reader: Reader) -> Iterator[_Check]:
    from retrofill.store.sqlite.database import Database

    store = call.store
    if not isinstance(store, Database):
        damage = reader.health.damage()
        yield "store", not damage, damage[0] if damage else f"{store.shown}, schema {reader.health.schema()}"
        return
    version = sqlite3.sqlite_version_info
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    race = "" if is_fixed else "; its WAL race cannot occur, because every write holds one lock"
    yield "sqlite", True, f"version {sqlite3.sqlite_version}{race}"
    wal = _bytes_of(str(store.path) + "-wal")
    yield "wal", wal < _WAL_BYTES, f"{wal >> 10} KiB wait to be copied into the store"
    found = reader.health.damage()
    if not found:
        yield "store", True, f"{store.path.name} is sound, schema {reader.health.schema()}"
        return
    yield (
        "store",
        False,
        f"{store.path} is damaged: {found[0]}"
        f"{f' and {len(found) - 1} more' if len(found) > 1 else ''}; `retrofill restore FILE` puts a backup in its place",
    )


def _counters(call: Call, reader: Reader) -> Iterator[_Check]:
    for opened in reader.open_backfills():
        record = reader.find_backfill(opened.id) if opened.phase == "active" else None
        wrong = [] if record is None else drift(reader, call.graphs, record)
        if wrong:
            break
    else:
        wrong = schedule_drift(reader, call.graphs)
    agree = "agree with the states of all open backfills and of the schedule"
    yield "counters", not wrong, wrong[0] if wrong else agree


def _halves(call: Call, reader: Reader) -> Iterator[_Check]:
    created = [r for r in reader.in_phase("creating") if not call.store.is_being_created(r.id)]
    unasked = [r for r in reader.in_phase("checking") if not call.store.is_being_created(r.id)]
    deleted = reader.retention.half_deleted()
    halves = [
        *([f"{len(created)} half created; the next scheduler removes them"] if created else []),
        *([f"{len(unasked)} whose checks nobody asks; the next scheduler does"] if unasked else []),
        *([f"{len(deleted)} half deleted; retention goes on with them"] if deleted else []),
    ]
    yield "backfills", True, "; ".join(halves) or "none is half created"


def _times(call: Call, reader: Reader) -> Iterator[_Check]:
    now_ms = call.clock.now_ms()
    newest_ms = reader.health.newest_ms() or 0
    is_right = newest_ms <= now_ms + _MINUTE_MS
    ahead = f"the store has something of {shown_instant(newest_ms)}, which is later than now"
    trouble = trouble_with(reader.clock.check(now_ms))
    if trouble is not None:
        yield "clock", False, told(trouble)
    else:
        yield "clock", is_right, f"it is {shown_instant(now_ms)}" if is_right else ahead
    oldest = reader.health.oldest_open()
    age = "" if oldest is None else f"backfill {oldest[0]}, since {shown_instant(oldest[1])}"
    yield "oldest open", True, age or "no backfill is open"
    last_ms = reader.retention.last_run_ms()
    is_late = last_ms is not None and last_ms < now_ms - 3 * _DAY_MS and call.has_scheduler()
    when = "it has never run" if last_ms is None else f"it went through at {shown_instant(last_ms)}"
    yield "retention", not is_late, f"{when}, though a scheduler runs" if is_late else when


def _work(call: Call, reader: Reader) -> _Check:
    """Whether somebody runs what is open."""
    held = [one.id for one in reader.open_backfills() if one.paused and not one.stopped]
    ids = [
        one.id
        for one in reader.open_backfills()
        if not (one.paused or one.stopped) and one.phase in ("active", "planned", "checking")
    ]
    waiting = f"; {many(len(held), 'backfill')} paused: {names([str(i) for i in held])}" if held else ""
    if not ids:
        return "work", True, f"no backfill waits for a scheduler{waiting}"
    found = f"{many(len(ids), 'backfill')} open: {names([str(i) for i in ids])}"
    if call.has_scheduler():
        return "work", True, f"{found}{waiting}"
    return (
        "work",
        False,
        f"{found}, and no scheduler runs; `retrofill backfill wait {ids[0]}` or `retrofill scheduler`",
    )


def _starts(call: Call, reader: Reader) -> _Check:
    """Whether the machine lets instances start (RUN-3)."""
    waiting = reader.failed_starts.waiting()
    if not waiting:
        return "starts", True, "no instance waits because it could not be started"
    access = call.access(reader)
    for failed in waiting[:_LOOKED_AT]:
        row = reader.find_instance(failed.instance_id)
        if row is not None and access.sees_instance(row):
            latest = f"instance {row.id}, {many(failed.tries, 'time')}: {failed.message}"
            break
    else:
        latest = "none of them is yours to see"
    return (
        "starts",
        False,
        f"{many(len(waiting), 'instance')} could not be started and {_TRIED_AGAIN} ({latest})",
    )


def _nights(call: Call, reader: Reader) -> _Check:
    """Whether every night was made, once any was (AUTO-3)."""
    if reader.generations.is_held():
        return "nights", True, "the schedule is paused; `retrofill schedule resume` lets it go on"
    schedule = call.schedule()
    missed = find_missed(reader, call.graphs, schedule, call.actor.sees)
    if missed is not None:
        return "nights", False, " ".join(map(told, missed.sentences()))
    last = reader.generations.last_night()
    if last is None:
        return "nights", True, "none was made yet"
    due = schedule.due(reader).made
    if due and not call.has_scheduler(auto=True):
        were = "is" if len(due) == 1 else "are"
        return (
            "nights",
            False,
            f"{many(len(due), 'night')} {were} due, and no `retrofill scheduler` runs that makes them",
        )
    return "nights", True, f"made up to bizdate {last}"


def _where(call: Call, leader: Leader) -> str:
    """On which of several machines."""
    if call.deployment.host is None:
        return ""
    since = f" since {shown_instant(leader.since_ms)}" if leader.since_ms is not None else ""
    return f" on {shown(leader.host)}{since}"


def _machines(call: Call) -> Iterator[_Check]:
    """Those that share the store: which are heard of, and how many runs live on each."""
    hosts = call.deployment.hosts()
    if hosts is None:
        return
    with call.store.read() as reader:
        open_runs = Counter(run.host for run in reader.open_runs())
    found = hosts.all()
    silent = [host for host in found if host.left_ms < 0 and open_runs[host.name]]
    here = call.deployment.host
    words = [
        f"{shown(host.name)}{' (this one)' if host.name == here else ''}: {many(open_runs[host.name], 'open run')}"
        f"{'' if host.left_ms >= 0 else ', not heard of'}"
        for host in found
        if host.left_ms >= 0 or open_runs[host.name]
    ]
    yield "machines", not silent, "; ".join(words) or "no scheduler has run on any"


def _runs(call: Call) -> Iterator[_Check]:
    leader = call.leadership.leader()
    yield (
        "scheduler",
        True,
        "none runs" if leader is None else f"runs {as_process(leader)}{_where(call, leader)}",
    )
    yield from _machines(call)
    still = call.center.work.standstills()
    yield "standstill", not still, "; ".join(map(str, still)) or "no process of ours stands still"
    can = os.path.exists("/proc/self/stat")
    yield "runner", can, "process trees can be followed" if can else "/proc is not mounted"
    count, alone = _open_runs(call)
    if alone and leader is not None:
        time.sleep(_SETTLE_SECONDS)  # an end that is known is noted within moments
        count, alone = _open_runs(call)
    if alone and leader is not None:
        yield "runs", False, f"instance {alone[0]} counts as running, and no supervisor carries it out"
    else:
        ended = f"; {len(alone)} have ended, which the next scheduler notes" if alone else ""
        yield "runs", True, f"{count} open{ended}"


def _open_runs(call: Call) -> tuple[int, list[int]]:
    """How many the ledger holds to be running, and instances of old ones that no supervisor carries out."""
    living = call.watch.living_runs()
    late_ms, here = call.clock.now_ms() - _MINUTE_MS, call.deployment.host
    with call.store.read() as reader:
        runs = reader.open_runs()
    names = {
        f"{run.instance_id}.{run.number}.{run.token}": run
        for run in runs
        if run.started_ms < late_ms and run.host == here
    }
    return len(runs), [run.instance_id for name, run in names.items() if name not in living]


def _files(call: Call) -> Iterator[_Check]:
    count = size = 0
    for file in call.deployment.runs_folder().scan():
        count += 1
        size += file.bytes
    yield "logs", True, f"{many(count, 'log')}, {size / 1e6:.1f} MB"
    strangers = call.deployment.runs_folder().strangers()
    if strangers:
        yield (
            "journals",
            False,
            f"{names(strangers)} among the journals: no file, and read by nobody; remove what it is",
        )
    aside = sorted(path.name for path in call.home.glob("replaced.*"))
    detail = f"{', '.join(aside)} in {call.home}; remove what nobody needs" if aside else "none"
    yield "left by restore", True, detail
    broken_off = leftovers(call.home)
    detail = (
        f"{names(broken_off)}; the next `retrofill backup` or `retrofill restore` removes it"
        if broken_off
        else "none"
    )
    yield "broken off", True, detail


def _bytes_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


COMMANDS: dict[str, click.Command] = {"doctor": doctor}
