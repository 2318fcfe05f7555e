"""Backfills: finding them, what they are and were asked for, how far they have come (BF-1, BF-2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.searches import BackfillSearch
from retrofill.services.operation_center.backfill_acts import BackfillActs
from retrofill.services.operation_center.choosing import Choosing
from retrofill.services.operation_center.repeated_requests import RepeatedRequests
from retrofill.services.people.access import unknown_backfill
from retrofill.services.reading.backfills import BackfillReader

if TYPE_CHECKING:
    from retrofill.domain.planning.changes import Changes
    from retrofill.services.reading.documents import (
        ActEffects,
        Alert,
        Analysis,
        BackfillDag,
        BackfillPage,
        BackfillRow,
        ChangePreview,
        CriticalPath,
        Failure,
        Forecast,
        GridDocument,
        OperationRow,
        Page,
        Progress,
        RowReason,
        TimeLeft,
        TimelineDocument,
        Trouble,
    )

_EVERYTHING = BackfillSearch()


class BackfillDesk(Choosing, RepeatedRequests, BackfillActs):
    # Questions

    def list(
        self, search: BackfillSearch = _EVERYTHING, limit: int = 50, before: int | None = None
    ) -> Page[BackfillRow]:
        """Backfills that fit, newest first; estimated ends are those that are stored.

        Args:
            before: only those that are older than this one.

        Raises:
            InvalidValueError, UnknownNameError: what is searched for cannot be.
        """
        from retrofill.services.reading.searching import search_backfills

        with self.view_if_deployed() as view:
            found = [] if view is None else search_backfills(view, search, limit + 1, before)
        return {"items": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}

    def row(self, backfill_id: int) -> BackfillRow:
        """One backfill as a list shows it, but with its estimated end made anew where the stored one is out of date.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        with self.view(unknown_backfill(backfill_id)) as view:
            return BackfillReader(view).row(view.access.get_backfill(backfill_id))

    def tag(self, backfill_id: int) -> str:
        """How somebody has set it up, for who acts on what they saw (`as_of`).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.backfills.tags import tag_of

        with self.view(unknown_backfill(backfill_id)) as view:
            return tag_of(view.access.get_backfill(backfill_id))

    def show(self, backfill_id: int) -> BackfillPage:
        """One backfill with what it was asked for, its dates and its first failures (BF-2).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.failures import FailureReader

        with self.view(unknown_backfill(backfill_id)) as view:
            failures = FailureReader(view, lambda: self._parts.logs, lambda: self._parts.specs)
            return BackfillReader(view).page(view.access.get_backfill(backfill_id), failures)

    def analysis(self, backfill_id: int) -> Analysis:
        """What verification found and what extension checks answered, as it is stored (VER-1).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        with self.view(unknown_backfill(backfill_id)) as view:
            return BackfillReader(view).analysis(view.access.get_backfill(backfill_id))

    def history(self, backfill_id: int) -> Sequence[OperationRow]:
        """What people did to it and to those of its instances that the actor sees (OPS-8).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.audit_log import operation_row

        with self.view(unknown_backfill(backfill_id)) as view:
            record = view.access.get_backfill(backfill_id)
            operations = view.reader.operations("backfill_id", record.id)
            return [operation_row(one) for one in view.access.seen_operations(operations)]

    def alerts(self, backfill_id: int) -> Sequence[Alert]:
        """The messages about it, and what became of them (POL-9).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        with self.view(unknown_backfill(backfill_id)) as view:
            return BackfillReader(view).alerts(view.access.get_backfill(backfill_id))

    def progress(self, backfill_id: int) -> Progress:
        """How far it has come: what changes while somebody waits for it.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.progress import progress

        with self.view(unknown_backfill(backfill_id)) as view:
            return progress(view, view.access.get_backfill(backfill_id))

    def time_left(self, backfill_id: int) -> TimeLeft | None:
        """How long it will go on, simulated anew; None where it is held or has not begun (BF-2).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.progress import time_left

        with self.view(unknown_backfill(backfill_id)) as view:
            return time_left(view, view.access.get_backfill(backfill_id))

    def trouble(self, backfill_id: int) -> Trouble:
        """What failed, is frozen or is isolated, and how much of it waits for that in the end (OPS-9).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.trouble import trouble

        with self.view(unknown_backfill(backfill_id)) as view:
            return trouble(view, view.access.get_backfill(backfill_id))

    def effects(
        self, backfill_id: int, act: str, only_failed: bool = False, latest: bool = False
    ) -> ActEffects:
        """What would come of pausing, resuming, stopping, rerunning, freezing or unfreezing it now; does nothing.

        Args:
            act: what, as an address has it.
            only_failed, latest: as of a rerun.

        Raises:
            InvalidValueError: there is no such act.
        """
        from retrofill.services.reading.effects import effects

        with self.view(unknown_backfill(backfill_id)) as view:
            return effects(view, view.access.get_backfill(backfill_id), act, only_failed, latest)

    def preview_change(self, backfill_id: int, changes: Changes) -> ChangePreview:
        """What would come of a change of how it runs, made now; changes nothing (BF-3).

        Raises:
            UnknownNameError: there is no such backfill, as far as the actor knows.
        """
        from retrofill.services.reading.change_previews import change_preview

        with self.view(unknown_backfill(backfill_id)) as view:
            return change_preview(view, view.access.get_backfill(backfill_id), changes)

    def reasons(self, backfill_id: int, ids: Sequence[int]) -> Sequence[RowReason]:
        """Why instances of it stand where they do, in some words each; of others, nothing.

        Args:
            ids: a hundred at most.

        Raises:
            UnknownNameError: there is no such backfill, as far as the actor knows.
            LimitError: more than a hundred are asked for.
        """
        from retrofill.services.reading.known_hosts import KnownHosts
        from retrofill.services.reading.row_reasons import row_reasons

        with self.view(unknown_backfill(backfill_id)) as view:
            hosts = KnownHosts(view.reader, self._parts.watch)
            return row_reasons(view, view.access.get_backfill(backfill_id), ids, hosts)

    def grid(self, backfill_id: int, positions: Collection[int] = ()) -> GridDocument:
        """Task by bizdate: the state of every instance that the actor sees, a letter each (BF-2).

        Args:
            positions: only of these bizdates, counted in running order from 0; none: of all.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows, or it has no such bizdate.
        """
        from retrofill.services.reading.grid import grid

        with self.view(unknown_backfill(backfill_id)) as view:
            return grid(view, view.access.get_backfill(backfill_id), positions)

    def timeline(self, backfill_id: int) -> TimelineDocument:
        """When what ran: every run that the actor sees, as columns.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.timeline import timeline

        with self.view(unknown_backfill(backfill_id)) as view:
            return timeline(view, view.access.get_backfill(backfill_id))

    def forecast(self, backfill_id: int) -> Forecast | None:
        """What will run when, simulated anew; None where it is held or has not begun (BF-2).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.timeline import forecast

        with self.view(unknown_backfill(backfill_id)) as view:
            return forecast(view, view.access.get_backfill(backfill_id))

    def critical_path(self, backfill_id: int) -> CriticalPath | None:
        """What its end hangs on, from the first run to the last; None where nothing has run and nothing can (BF-2).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.critical_path import critical_path

        with self.view(unknown_backfill(backfill_id)) as view:
            return critical_path(view, view.access.get_backfill(backfill_id))

    def dag(self, backfill_id: int) -> BackfillDag:
        """Its tasks with their instances by state, and which of them wait for which (OPS-10).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.task_dag import task_dag

        with self.view(unknown_backfill(backfill_id)) as view:
            return task_dag(view, view.access.get_backfill(backfill_id))

    def first_failures(self, backfill_id: int) -> Sequence[Failure]:
        """The first three instances in time that failed by themselves, each with the end of its log.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.failures import FailureReader

        with self.view(unknown_backfill(backfill_id)) as view:
            record = view.access.get_backfill(backfill_id)
            failures = FailureReader(view, lambda: self._parts.logs, lambda: self._parts.specs)
            return failures.first(record, view.reader.dates(record.id))
