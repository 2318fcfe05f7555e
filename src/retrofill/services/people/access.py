"""What one actor may see and do, judged on what the ledger holds (SEC-2, SEC-4).

What somebody may not see is answered exactly like what does not exist. A backfill is seen by
its creator and by the members of a workspace of one of the tasks that really run in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.domain.errors import NotPermittedError, UnknownNameError
from retrofill.domain.people.roles import Action, Actor, owner_of
from retrofill.domain.running.filters import BackfillFilter
from retrofill.domain.texts import Text
from retrofill.services.instances.stored import dry_runs_of, running_tasks_of, selection_of
from retrofill.services.ports.records import BackfillRecord, InstanceRecord, OperationRecord

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, Task
    from retrofill.services.instances.graph import InstanceGraph
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader

ANOTHER = "a task of another workspace"
_PAGE = 200
_DONE = {Action.OPERATE: "operate", Action.EMERGENCY: "change waits, priority or resource group of"}


class Access:
    """The eyes and hands of one actor on one view of the ledger."""

    def __init__(self, reader: Reader, graphs: GraphCache, actor: Actor) -> None:
        self._reader = reader
        self._graphs = graphs
        self._actor = actor
        self._seen_workspaces: dict[str, bool] = {}
        self._listed: dict[str, frozenset[str]] = {}  # by choice: many rows of a list may have the same
        self._seen_backfills: dict[int, bool] = {}
        self._seen_tasks: dict[tuple[int | None, int], bool] = {}  # by backfill and task

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing needs to be asked."""
        return self._actor.is_system_administrator

    def sees(self, task: str) -> bool:
        """Whether a task, by its full name, may be shown."""
        workspace, _, _ = task.partition(".")
        if workspace not in self._seen_workspaces:
            self._seen_workspaces[workspace] = self._actor.sees(workspace)
        return self._seen_workspaces[workspace]

    # Backfills

    def get_backfill(self, backfill_id: int) -> BackfillRecord:
        """A backfill that the actor may see.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        record = self._reader.find_backfill(backfill_id)
        if record is None or not self.sees_backfill(record):
            raise unknown_backfill(backfill_id)
        return record

    def sees_backfill(self, record: BackfillRecord) -> bool:
        if self.is_unlimited or record.created_by == self._actor.name:
            return True
        if record.id not in self._seen_backfills:
            self._seen_backfills[record.id] = any(map(self.sees, self._graphs.workspaces_of(record)))
        return self._seen_backfills[record.id]

    def sees_all_of(self, record: BackfillRecord) -> bool:
        """Whether no instance of a backfill is hidden."""
        return self.is_unlimited or all(map(self.sees, running_tasks_of(record)))

    def may_steer(self, record: BackfillRecord) -> bool:
        """Whether the actor may let it go on and change it: who may operate all tasks that really run in it.

        Its creator may, as long as he may still backfill them: somebody who has lost the right makes no code run.
        """
        if self.is_unlimited:
            return True
        catalog = self._graphs.catalog(self._reader, record.version_id)
        tasks = running_tasks_of(record)
        return all(self._may(Action.OPERATE, catalog.tasks[task]) for task in tasks)

    def may_operate_each(self, record: BackfillRecord) -> bool:
        """Whether no instance of it is kept from the actor, dry runs among them: then nobody need ask one by one."""
        if self.is_unlimited:
            return True
        catalog = self._graphs.catalog(self._reader, record.version_id)
        tasks = [*running_tasks_of(record), *dry_runs_of(record)]
        return all(self.sees(task) and self._may(Action.OPERATE, catalog.tasks[task]) for task in tasks)

    def may_hold(self, record: BackfillRecord) -> bool:
        """Whether the actor may pause and stop it: its creator whatever has become of him, and who may steer it."""
        return record.created_by == self._actor.name or self.may_steer(record)

    def check_steer(self, record: BackfillRecord, what: str) -> None:
        """Refuse what makes code run, or changes how, to everybody who may not operate all of a backfill.

        Raises:
            NotPermittedError: naming what.
        """
        if not self.may_steer(record):
            raise NotPermittedError(
                f"you may not {what} backfill {record.id}", "Who may operate all tasks that run in it may."
            )

    def check_hold(self, record: BackfillRecord, what: str) -> None:
        """Refuse what only holds a backfill back to who neither made it nor may steer it.

        Raises:
            NotPermittedError: naming what.
        """
        if not self.may_hold(record):
            raise NotPermittedError(
                f"you may not {what} backfill {record.id}",
                "Its creator may, and who may operate all tasks that run in it.",
            )

    def shown_name(self, record: BackfillRecord) -> str:
        """A backfill's name, or its number where the name was made from that of a hidden task."""
        listed = self.listed_tasks(record)
        if listed is None:
            return record.name
        root = selection_of(record).first_root
        is_hidden = root not in listed and record.name.startswith(root)
        return f"backfill {record.id}" if is_hidden else record.name

    def shown_tasks(self, record: BackfillRecord, tasks: Iterable[str]) -> list[str]:
        """Names of tasks of a backfill, in words where one may not be named."""
        listed = self.listed_tasks(record)
        return list(dict.fromkeys(task if listed is None or task in listed else ANOTHER for task in tasks))

    def known_users(self) -> set[str]:
        """Who may be named to the actor: himself and the members of his workspaces; to some, everybody."""
        from retrofill.services.people.clerks import user_names

        if self.is_unlimited:
            return user_names(self._reader.people, self.deployed)
        workspaces = () if self.deployed is None else self.deployed.workspaces.values()
        members = (workspace.members for workspace in workspaces if self.sees(workspace.name))
        return {self._actor.name}.union(*members)

    def has_created(self, name: str) -> bool:
        """Whether somebody has created a backfill that the actor sees."""
        before: int | None = None
        while True:
            page = self._reader.backfills(BackfillFilter(created_by=name), before, _PAGE)
            if any(map(self.sees_backfill, page)):
                return True
            if len(page) < _PAGE:
                return False
            before = page[-1].id

    def listed_tasks(self, record: BackfillRecord) -> frozenset[str] | None:
        """Tasks of a backfill that may be named: those seen, and its dry runs; None for all (SEC-2)."""
        if self.is_unlimited:
            return None
        if record.choice not in self._listed:
            tasks, dry_runs = running_tasks_of(record), dry_runs_of(record)
            self._listed[record.choice] = frozenset([*filter(self.sees, tasks), *dry_runs])
        return self._listed[record.choice]

    # Instances

    def get_instance(self, instance_id: int) -> InstanceRecord:
        """An instance that the actor may see.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        row = self._reader.find_instance(instance_id)
        if row is None or not self.sees_instance(row):
            raise unknown_instance(instance_id)
        return row

    def sees_instance(self, row: InstanceRecord) -> bool:
        """Whether it is of a task that the actor sees, in a backfill that the actor sees."""
        if self.is_unlimited:
            return True
        key = (row.backfill_id, row.task_id)
        if key not in self._seen_tasks:
            self._seen_tasks[key] = self._sees_task_in(row)
        return self._seen_tasks[key]

    def _sees_task_in(self, row: InstanceRecord) -> bool:
        if not self.sees(self._reader.task_name(row.task_id) or ""):
            return False
        if row.backfill_id is None:
            return True
        record = self._reader.find_backfill(row.backfill_id)
        return record is not None and self.sees_backfill(record)

    def seen_lines(self, operations: Sequence[OperationRecord]) -> list[OperationRecord]:
        """The lines of the record that the actor may read (OPS-8), looked up together."""
        if self.is_unlimited:
            return list(operations)
        ids = sorted({one.instance_id for one in operations if one.instance_id is not None})
        rows = {row.id: row for row in self._reader.instances(ids)} if ids else {}
        return [one for one in operations if self._sees_line(one, rows)]

    def _sees_line(self, line: OperationRecord, rows: Mapping[int, InstanceRecord]) -> bool:
        if line.instance_id is not None:
            row = rows.get(line.instance_id)
            return row is not None and self.sees_instance(row)
        if line.task_id is not None:
            return self.sees(self._reader.task_name(line.task_id) or "")
        if line.backfill_id is not None:
            record = self._reader.find_backfill(line.backfill_id)
            return record is not None and self.sees_backfill(record)
        return line.user == self._actor.name

    def hidden_tasks(self, row: InstanceRecord) -> set[str]:
        """Tasks that may not be named in what is said of an instance."""
        record = None if row.backfill_id is None else self._reader.find_backfill(row.backfill_id)
        listed = None if record is None else self.listed_tasks(record)
        catalog = self.deployed if record is None else self._graphs.catalog(self._reader, record.version_id)
        tasks = set(catalog.tasks if catalog is not None else ())
        if record is None:
            tasks |= self._reader.task_ids().keys()  # a night may wait for what has been deployed away since
        return {t for t in tasks if not self.sees(t) and (listed is None or t not in listed)}

    def seen_operations(self, operations: Iterable[OperationRecord]) -> list[OperationRecord]:
        """The record of a backfill, without what was done to instances that are not seen."""
        found = list(operations)
        if self.is_unlimited:
            return found
        ids = {o.instance_id for o in found if o.instance_id is not None}
        seen = {row.id for row in self._reader.instances(sorted(ids)) if self.sees_instance(row)}
        return [o for o in found if o.instance_id is None or o.instance_id in seen]

    def check(self, action: Action, row: InstanceRecord, context: InstanceGraph, what: str) -> None:
        """Refuse what the actor may not do with an instance.

        Args:
            what: names the instance in the sentence.

        Raises:
            NotPermittedError: the role does not reach that far.
        """
        if not self.is_unlimited and not self._may(action, context.task(row.id)):
            raise NotPermittedError(f"you may not {_DONE[action]} {what}")

    def _may(self, action: Action, task: Task) -> bool:
        return self._actor.may(action, task.name, owner_of(task, self.deployed))

    @cached_property
    def deployed(self) -> Catalog | None:
        """What is deployed on this view of the ledger."""
        return self._graphs.current(self._reader)


def unknown_backfill(backfill_id: int) -> UnknownNameError:
    """The answer to an id that there is not, or that is not to be seen."""
    return UnknownNameError(f"there is no backfill {backfill_id}", Text("{backfill.list} shows all of them."))


def unknown_instance(instance_id: int) -> UnknownNameError:
    """The answer to an id that there is not, or that is not to be seen."""
    return UnknownNameError(f"there is no instance {instance_id}", Text("{instance.list} shows all of them."))
