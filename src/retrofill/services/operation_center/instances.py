"""Instances: finding them, why one is not running, its runs, its log, what lies around it (OPS-8..10)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.errors import InvalidValueError, shown
from retrofill.domain.running.acts import Act, Intent
from retrofill.domain.running.searches import InstanceSearch
from retrofill.services.operation_center.instance_acts import InstanceActs
from retrofill.services.people.access import unknown_instance
from retrofill.services.reading.instances import InstanceReader

if TYPE_CHECKING:
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import (
        DagDocument,
        Foresight,
        InstanceHistory,
        InstanceLineage,
        InstancePage,
        InstanceRow,
        LogFinds,
        LogWindow,
        OverDates,
        Page,
        RunCode,
        WhyChain,
        WhyDocument,
    )
    from retrofill.services.reading.log_lines import LogLines
    from retrofill.services.reading.logs import OpenLog
    from retrofill.services.reading.view import View

_EVERYTHING = InstanceSearch()
_SETTLE_MS = 2_000  # a run that was just begun may not have its supervisor yet


class InstanceDesk(InstanceActs):
    # Questions

    def list(self, search: InstanceSearch = _EVERYTHING, limit: int = 100) -> Page[InstanceRow]:
        """Instances that fit: backfills newest first, inside by bizdate in running order, time, task.

        Auto triggered ones come last, newest bizdate first.

        Raises:
            InvalidValueError, UnknownNameError: what is searched for cannot be.
        """
        found = list(self.each(search, limit + 1))
        return {"items": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}

    def each(self, search: InstanceSearch = _EVERYTHING, limit: int = -1) -> Iterator[InstanceRow]:
        """The same one by one, however many there are, as of one moment.

        Args:
            limit: -1 for all.
        """
        from retrofill.services.reading.searching import search_instances

        with self.view_if_deployed() as view:
            if view is not None:
                yield from search_instances(view, search, limit)

    def show(self, instance_id: int) -> InstancePage:
        """One instance: state, why, parameters, runs; secrets stay names (SEC-3).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.explaining import explained

        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            reader = InstanceReader(view)
            return {
                **reader.row(row),
                "why": explained(view, self._parts.watch, row).text,
                "parameters": self._parameters(view, row),
                "runs": reader.runs(row),
            }

    def _parameters(self, view: View, row: InstanceRecord) -> dict[str, str]:
        from retrofill.services.instances.as_run import as_run
        from retrofill.services.instances.run_specs import UnstartableError

        context = view.outlines.of(row)
        try:
            return self._parts.specs_with_names().values(row, context)
        except UnstartableError:
            return dict(as_run(row, context).parameters)

    def why(self, instance_id: int) -> WhyDocument:
        """Why it is not running, in one sentence (OPS-9).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.explaining import explained, why_document

        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            state = InstanceReader(view).state(row)
            return why_document(row, state, explained(view, self._parts.watch, row))

    def chain(self, instance_id: int) -> WhyChain:
        """Why it is not running, link by link down to the cause (OPS-9).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.chain import ChainReader
        from retrofill.services.reading.explaining import explained

        parts = self._parts
        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            chains = ChainReader(view, lambda: parts.logs, lambda: parts.specs)
            return chains.chain(row, explained(view, parts.watch, row))

    def code(self, instance_id: int) -> RunCode:
        """The code that it runs, with the values of its parameters; secrets stay names (SEC-3).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.run_code import run_code

        with self.view(unknown_instance(instance_id)) as view:
            return run_code(view, self._parts.specs_with_names(), view.access.get_instance(instance_id))

    def over_dates(self, instance_id: int) -> OverDates:
        """Its task and time on other bizdates of its backfill, or of the schedule.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.over_dates import over_dates

        with self.view(unknown_instance(instance_id)) as view:
            return over_dates(view, view.access.get_instance(instance_id))

    def history(self, instance_id: int) -> InstanceHistory:
        """What people did to it, and its runs (OPS-8).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.audit_log import operation_row

        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            operations = [operation_row(one) for one in view.reader.operations("instance_id", row.id)]
            return {"id": row.id, "operations": operations, "runs": InstanceReader(view).runs(row)}

    def log(self, instance_id: int, run_number: int | None = None, offset: int = 0) -> OpenLog | str:
        """The log of a run, to be read piece by piece; of an instance that ran no code, the line that says so.

        Args:
            run_number: None for the last run.
            offset: of the byte with which to begin.

        Raises:
            UnknownNameError: there is no such instance, as far as the actor knows, or it has no such run.
            WrongStateError: it has not run yet.
        """
        from retrofill.services.reading.logs import OpenLog, instead_of_a_log, run_of, secrets_of

        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            run = run_of(view, row, run_number)
            if run is None:
                return instead_of_a_log(view, row)
            secrets = secrets_of(view, self._parts.specs, row)
        return OpenLog(self._parts.logs, run, secrets, self._parts.store.read, offset)

    def log_lines(
        self,
        instance_id: int,
        run_number: int | None = None,
        since: int | None = None,
        until: int | None = None,
        at: int | None = None,
        line: int | None = None,
        count: int = 500,
    ) -> LogWindow:
        """Some lines of the log of a run; the last ones, where nothing says which. At most a megabyte.

        Args:
            run_number: None for the last run.
            since: lines from this byte on; `until`: those before it; `at`: around it; `line`: from this one on.
            count: how many, up to 2,000.

        Raises:
            UnknownNameError: as for `log`.
            WrongStateError: it has not run yet.
        """
        from retrofill.services.reading.log_lines import LogLines, Where, window_of_words

        found = self._lines(instance_id, run_number)
        if isinstance(found, LogLines):
            return found.window(Where(since, until, at, line), count)
        return window_of_words(instance_id, found)

    def find_in_log(
        self,
        instance_id: int,
        text: str = "",
        run_number: int | None = None,
        since: int = 0,
        is_error: bool = False,
        limit: int = 100,
    ) -> LogFinds:
        """Lines of a run's log that hold a text, in capital or small letters, from a byte on.

        A search of a large log ends before its end: `next` says where it goes on.

        Args:
            is_error: lines that tell of an error, whatever the text.
            limit: how many, up to 200.

        Raises:
            UnknownNameError: as for `log`.
            WrongStateError: it has not run yet.
        """
        from retrofill.services.reading.log_lines import LogLines

        found = self._lines(instance_id, run_number)
        if isinstance(found, LogLines) and (text or is_error):
            return found.find(text, since, is_error, limit)
        return {"id": instance_id, "run_number": run_number or 0, "items": [], "next": None}

    def _lines(self, instance_id: int, run_number: int | None) -> LogLines | str:
        from retrofill.services.reading.log_lines import LogLines
        from retrofill.services.reading.logs import instead_of_a_log, run_of, secrets_of

        parts = self._parts
        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            run = run_of(view, row, run_number)
            if run is None:
                return instead_of_a_log(view, row)
            secrets = secrets_of(view, parts.specs, row)
        return LogLines(parts.logs, run, secrets, parts.store.read, parts.line_indexes)

    def lineage(self, instance_id: int) -> InstanceLineage:
        """The tables that it reads and writes, by the version whose code it runs (OPS-10).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.instances.as_run import as_run
        from retrofill.services.reading.lineage import lineage_of

        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            run = as_run(row, view.outlines.of(row))
            name, catalog, bizdate = run.task.name, run.catalog, row.bizdate
        found = lineage_of(self._parts.lineages(catalog), name)
        return {"id": instance_id, "task": name, "bizdate": bizdate, **found}

    def dag(self, instance_id: int, up: int = 1, down: int = 1) -> DagDocument:
        """What it waits for and what waits for it, level by level; nothing is said of foreign ones (OPS-10).

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
            DagTooLargeError: more than 2,000 instances lie around it.
        """
        from retrofill.services.reading.dag import dag_around, dag_document

        with self.view(unknown_instance(instance_id)) as view:
            row = view.access.get_instance(instance_id)
            return dag_document(view, dag_around(view.reader, view.graphs, row, up, down, view.sees))

    def states(self, instance_ids: Sequence[int]) -> dict[int, str]:
        """The states of those that the actor sees, as lists show them (OPS-0)."""
        with self.view_if_deployed() as view:
            if view is None:
                return {}
            reader = InstanceReader(view)
            rows = view.reader.instances(instance_ids)
            return {row.id: reader.state(row) for row in rows if view.access.sees_instance(row)}

    def foresee(
        self,
        act: str,
        ids: Sequence[int],
        latest: bool = False,
        with_self: bool = False,
        tasks: Sequence[str] = (),
        upstream: Sequence[int] | None = None,
        priority: int | None = None,
        group: str | None = None,
    ) -> Foresight:
        """What an act on instances would do, counted before it is done (OPS-1..7).

        Args:
            act: the word of one: `stop`, `rerun`, `rerun-descendants`, `set-successful`, `freeze`, `unfreeze`,
                `remove-waits`, `priority` or `resource-group`; what follows is what that is asked with.

        Raises:
            InvalidValueError: there is no such act.
            UnknownNameError: nothing is deployed, or there is no such task.
        """
        from retrofill.services.reading.foresight import foresee

        if act not in [*Act]:
            raise InvalidValueError(f'"{shown(act)}" is no act on instances', f"There are {', '.join(Act)}.")
        intent = Intent(Act(act), latest, with_self, self._full_names(tasks), upstream, priority, group)
        with self.view(unknown_instance(next(iter(ids), 0))) as view:
            return foresee(view, intent, ids)

    def unattended(self, instance_ids: Collection[int] | None = None) -> Sequence[int]:
        """Instances that count as running though nobody carries them out, while no scheduler is there to note it.

        Args:
            instance_ids: of these; None: of all that the actor sees.
        """
        watch = self._parts.watch
        if not (instance_ids is None or instance_ids) or watch.starts():
            return []
        with self.view_if_deployed() as view:
            if view is None:
                return []
            late_ms = view.now_ms - _SETTLE_MS
            runs = [
                run for run in view.reader.open_runs() if run.started_ms < late_ms and run.host == watch.host
            ]
            if instance_ids is not None:
                runs = [run for run in runs if run.instance_id in instance_ids]
            living = watch.living_runs() if runs else ()
            ids = [
                run.instance_id for run in runs if f"{run.instance_id}.{run.number}.{run.token}" not in living
            ]
            return [row.id for row in view.reader.instances(ids) if view.access.sees_instance(row)]
