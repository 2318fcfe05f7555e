"""`retrofill doctor`: is the project, its store and its runner in order?"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from typing import Any

import click

from retrofill.cli.session import Command, Session, pass_session
from retrofill.domain.errors import RetrofillError
from retrofill.domain.findings import many
from retrofill.services.audit import drift

_FREE_BYTES = 500 << 20


@click.command(cls=Command)
@pass_session
def doctor(session: Session) -> int:
    """Report on store, scheduler and runner.

    Exit 1 if something is wrong.
    """
    rows = [dict(zip(("check", "ok", "detail"), row, strict=True)) for row in _checks(session)]

    def text() -> None:
        for row in rows:
            word, colour = ("ok", "green") if row["ok"] else ("WRONG", "red")
            click.echo(f"{click.style(f'{word:<5}', fg=colour)}  {row['check']}: {row['detail']}")

    session.document(rows, text)
    return 0 if all(row["ok"] for row in rows) else 1


def _checks(session: Session) -> Iterator[tuple[str, bool, Any]]:
    project = session.project
    try:
        catalog = project.folder.catalog
        yield "project", True, f"{many(len(catalog.tasks), 'task')}, no errors"
    except RetrofillError as error:
        yield "project", False, error.message
    free = shutil.disk_usage(project.directory).free
    yield "disk", free > _FREE_BYTES, f"{free >> 20} MiB free"
    if project.deployed is None:
        yield "store", True, "nothing is deployed yet"
        return
    yield from _store(session)
    holder = project.scheduler_lock.holder()
    yield "scheduler", True, "none runs" if holder is None else f"runs as process {holder}"
    subreaper = os.path.exists("/proc/self/pidfd") or os.path.exists("/proc/self/stat")
    yield "runner", subreaper, "process trees can be followed" if subreaper else "/proc is not mounted"


def _store(session: Session) -> Iterator[tuple[str, bool, Any]]:
    project = session.project
    version = sqlite3.sqlite_version_info
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    race = "" if is_fixed else "; its WAL race cannot occur, because every write holds one lock"
    yield "sqlite", True, f"version {sqlite3.sqlite_version}{race}"
    with project.store.read() as reader:
        found = reader.integrity()
        yield "store", found == "ok", f"{project.store.path.name} is sound" if found == "ok" else found
        wrong = [
            sentence
            for open_one in reader.open_backfills()
            if open_one.phase == "active" and (record := reader.find_backfill(open_one.id)) is not None
            for sentence in drift(reader, project.contexts, record)
        ]
        yield "counters", not wrong, wrong[0] if wrong else "agree with the states of all open backfills"
        left = [r for r in reader.in_phase("creating") if not project.store.is_being_created(r.id)]
        detail = (
            f"{len(left)} half created; the next scheduler removes them" if left else "none is half created"
        )
        yield "backfills", True, detail


COMMANDS: dict[str, click.Command] = {"doctor": doctor}
