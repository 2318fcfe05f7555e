"""What has changed since a revision, as one pair of eyes may know it.

Revisions say which ids have changed (`ports.revisions`). Whose they are is found out once for all who listen
(`Feed.look`); what is told of it to somebody is a function of values (`Eyes`), so that those with the same
eyes are told the same bytes. Contents are never told: who looks again does so with the rights of that moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from retrofill.services.instances.stored import running_tasks_of
from retrofill.services.ports.revisions import SCHEDULE

if TYPE_CHECKING:
    from retrofill.domain.people.roles import Actor
    from retrofill.services.ports import Reader, Store
    from retrofill.services.reading.documents import BackfillChanges, ListChanges

MOST_REVISIONS = 2_000  # that are told one by one; who is further behind looks anew
MOST_INSTANCES = 5_000
_MOST_TOLD = 1_000  # instances of one backfill


class BackfillChange(NamedTuple):
    """What has changed of one backfill, and who may know.

    Attributes:
        created_by: its creator's name.
        workspaces: of the tasks that really run in it.
        is_whole: whether any of its instances may have changed.
        instances: id and workspace of those that have.
    """

    created_by: str
    workspaces: frozenset[str]
    is_whole: bool
    instances: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed between two revisions.

    Attributes:
        since, number: after the first, up to the second.
        revision: the second as it is told.
        is_missed: it cannot be told; then nothing else is said.
        rights: whether somebody may see something else by now.
        backfills: by id.
        gone: ids of those that are not there any more, or not yet.
        schedule: workspaces of auto triggered instances that have changed; None: any may have.
    """

    since: int
    number: int
    revision: str
    is_missed: bool = False
    rights: bool = False
    backfills: Mapping[int, BackfillChange] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()
    schedule: frozenset[str] | None = frozenset()


class Eyes(NamedTuple):
    """What somebody may see (SEC-2); those of equal ones see the same.

    Attributes:
        user: who has created something sees it.
        workspaces: of which tasks are seen; None: of all.
    """

    user: str
    workspaces: frozenset[str] | None

    @classmethod
    def of(cls, actor: Actor) -> Eyes:
        seen = None if actor.is_system_administrator else frozenset(filter(actor.sees, actor.roles))
        return cls(actor.name, seen)

    def backfill(self, changes: Changes, backfill_id: int) -> BackfillChanges:
        """What is told of one backfill, which they see."""
        told: BackfillChanges = {
            "revision": changes.revision,
            "missed": changes.is_missed,
            "changed": changes.is_missed,
            "instances": None if changes.is_missed else [],
        }
        found = changes.backfills.get(backfill_id)
        if found is not None or backfill_id in changes.gone:
            told["changed"] = True
        if found is not None:
            told["instances"] = self._instances(found)
        return told

    def _instances(self, change: BackfillChange) -> list[int] | None:
        if change.is_whole:
            return None
        seen = [
            number
            for number, workspace in change.instances
            if self.workspaces is None or workspace in self.workspaces
        ]
        return seen if len(seen) <= _MOST_TOLD else None

    def backfills(self, changes: Changes) -> ListChanges:
        """What is told of the list."""
        # Who might have seen what has gone cannot be found out any more.
        has_missed = bool(changes.gone) and self.workspaces is not None
        seen = [number for number, change in changes.backfills.items() if self._sees(change)]
        return {
            "revision": changes.revision,
            "missed": changes.is_missed or has_missed,
            "backfills": seen if has_missed else sorted([*seen, *changes.gone]),
            "schedule": changes.is_missed or self._sees_schedule(changes.schedule),
        }

    def _sees_schedule(self, changed: frozenset[str] | None) -> bool:
        if changed is None:
            return True
        return bool(changed) if self.workspaces is None else not self.workspaces.isdisjoint(changed)

    def _sees(self, change: BackfillChange) -> bool:
        if self.workspaces is None or change.created_by == self.user:
            return True
        return not self.workspaces.isdisjoint(change.workspaces)


class Feed:
    """Reads what has changed, for one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._workspaces: dict[int, str] = {}  # of tasks, by id; a task stays where it is

    def look(self, since: int) -> Changes:
        """What has changed since a number."""
        with self._store.read() as reader:
            return self.changes(reader, since)

    def since(self, reader: Reader, revision: str | None) -> Changes:
        """What has changed since a revision as it was told; None: since ever."""
        word, _, number = (revision or "").rpartition(".")
        is_ours = word == reader.word() and number.isascii() and number.isdecimal() and len(number) < 19
        return self.changes(reader, int(number) if is_ours else -1)

    def changes(self, reader: Reader, since: int) -> Changes:
        """What has changed since a number, in one view; -1: since ever."""
        number = reader.revisions.last()
        # A store that was restored goes by another word.
        nothing = Changes(since, number, f"{reader.word()}.{number}")
        if number == since:
            return nothing
        found = None if since < 0 else reader.revisions.since(since, MOST_REVISIONS + 1)
        named = {number for one in found or () for number in one.instances}
        if found is None or len(found) > MOST_REVISIONS or len(named) > MOST_INSTANCES:
            return replace(nothing, is_missed=True, rights=True)
        concerned = {number for one in found for number in (*one.backfills, *one.whole)}
        whole = {number for one in found for number in one.whole}
        instances: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for place in reader.revisions.places(sorted(named)) if named else ():
            instances[place.backfill_id].append((place.id, self._workspace(reader, place.task_id)))
        backfills, gone = self._whose(reader, concerned, whole, instances)
        rights = any(one.rights for one in found)
        auto = None if SCHEDULE in concerned else frozenset(name for _, name in instances[SCHEDULE])
        return replace(nothing, rights=rights, backfills=backfills, gone=gone, schedule=auto)

    def _whose(
        self,
        reader: Reader,
        concerned: set[int],
        whole: set[int],
        instances: Mapping[int, list[tuple[int, str]]],
    ) -> tuple[dict[int, BackfillChange], frozenset[int]]:
        """Changes by backfill, and those that are not there any more."""
        found, ids = {}, {*concerned, *instances} - {SCHEDULE}
        for number in sorted(ids):
            record = reader.find_backfill(number)
            if record is not None:
                workspaces = frozenset(task.partition(".")[0] for task in running_tasks_of(record))
                found[number] = BackfillChange(
                    record.created_by, workspaces, number in whole, tuple(instances.get(number, ()))
                )
        return found, frozenset(ids - found.keys())

    def _workspace(self, reader: Reader, task_id: int) -> str:
        if task_id not in self._workspaces:
            self._workspaces = {number: name.partition(".")[0] for name, number in reader.task_ids().items()}
        return self._workspaces[task_id]
