"""What a write transaction has changed of what people look at (`services.ports.revisions`).

While it lasts, writers note it in memory; at its end it becomes one row. That is all that it costs who writes:
whose an instance is, and who may see it, is asked by who reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from retrofill.services.ports.revisions import KEPT, MOST_NAMED, SCHEDULE, InstancePlace, Revision
from retrofill.store.statements.view import View

PRUNE_EVERY = 256  # revisions of one process
# What a row says besides in `rights`: that somebody may see something else, or that all that has changed is where
# runs live, which decides nothing for who schedules.
_RIGHTS, _ONLY_WHERE = 1, 2
# The last one, and the last one that decides something.
LAST = (
    "SELECT max(number), (SELECT d.number FROM revision d "
    f"WHERE d.rights <> {_ONLY_WHERE} ORDER BY d.number DESC LIMIT 1) FROM revision"
)

_INSERT = (
    "INSERT INTO revision (number, backfills, whole, instances, rights) "
    "SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ? FROM revision"
)
_OWNERS = (
    "SELECT DISTINCT coalesce(i.backfill_id, 0) FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value"
)


class Changed:
    """What a transaction has changed so far; a rollback forgets it with the transaction."""

    def __init__(self) -> None:
        self.backfills: set[int] = set()
        self.whole: set[int] = set()
        self.instances: set[int] = set()
        self.elsewhere: set[int] = set()  # instances of which only where they run has changed
        self.rights = False

    @property
    def decides(self) -> bool:
        """Whether who schedules has to know."""
        return bool(self.instances or self.backfills or self.whole or self.rights)

    def __bool__(self) -> bool:
        return self.decides or bool(self.elsewhere)


class Writer(View):
    """A piece of a transaction that notes what it changes."""

    _changed: Changed


class Revisions(View):
    """Those that are kept."""

    def last(self) -> int:
        row = self._execute("SELECT coalesce(max(number), 0) FROM revision").fetchone()
        return int(row[0])

    def since(self, number: int, limit: int) -> list[Revision] | None:
        """Up to `limit` later ones; None where some are not kept, or the number is yet to come."""
        rows = self._execute(
            "SELECT number, backfills, whole, instances, rights FROM revision WHERE number > ? "
            "ORDER BY number LIMIT ?",
            (number, limit),
        ).fetchall()
        is_next = rows[0][0] == number + 1 if rows else self.last() == number
        return [_revision(row) for row in rows] if is_next else None

    def places(self, instance_ids: Iterable[int]) -> list[InstancePlace]:
        rows = self._execute(
            f"SELECT i.id, coalesce(i.backfill_id, {SCHEDULE}), i.task_id "
            "FROM json_each(?) j CROSS JOIN instance i ON i.id = j.value",
            (json.dumps(list(instance_ids)),),
        )
        return [InstancePlace(*row) for row in rows]

    def write(self, changed: Changed, prunes: bool) -> bool:
        """At the end of a transaction; whether it has changed anything."""
        if not changed:
            return False
        instances, whole = changed.instances | changed.elsewhere, changed.whole
        rights = int(changed.rights) * _RIGHTS if changed.decides else _ONLY_WHERE
        if len(instances) > MOST_NAMED:
            rows = self._execute(_OWNERS, (json.dumps(sorted(instances)),))
            instances, whole = set(), whole.union(row[0] for row in rows)
        self._execute(_INSERT, (_text(changed.backfills), _text(whole), _text(instances), rights))
        if prunes:
            self._execute(
                "DELETE FROM revision WHERE number <= (SELECT max(r.number) FROM revision r) - ?", (KEPT,)
            )
        return True


def _text(ids: Iterable[int]) -> str:
    return ",".join(map(str, sorted(ids)))


def _ids(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(","))) if text else ()


def _revision(row: Any) -> Revision:
    number, backfills, whole, instances, rights = row
    return Revision(number, _ids(backfills), _ids(whole), _ids(instances), rights == _RIGHTS)
