"""Instances at a server."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.client.desk import Desk, item_results
from retrofill.domain.running.results import ItemResult
from retrofill.domain.running.searches import InstanceSearch

if TYPE_CHECKING:
    from retrofill.client.logs import OpenLog
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

_EVERYTHING = InstanceSearch()


class InstanceDesk(Desk):
    # Questions

    def list(self, search: InstanceSearch = _EVERYTHING, limit: int = 100) -> Page[InstanceRow]:
        """Instances that fit: backfills newest first, inside by bizdate in running order, time, task."""
        return self._page("instances", _query(search), limit)

    def each(self, search: InstanceSearch = _EVERYTHING, limit: int = -1) -> Iterator[InstanceRow]:
        """The same one by one, however many there are; pages are of the moments at which they are asked for."""
        for page in self._pages("instances", _query(search), None if limit < 0 else limit):
            yield from page["items"]

    def show(self, instance_id: int) -> InstancePage:
        """One instance: state, why, parameters, runs."""
        return self._server.get(f"instances/{instance_id}")

    def why(self, instance_id: int) -> WhyDocument:
        """Why it is not running, in one sentence."""
        return self._server.get(f"instances/{instance_id}/why")

    def chain(self, instance_id: int) -> WhyChain:
        """Why it is not running, link by link down to the cause."""
        return self._server.get(f"instances/{instance_id}/chain")

    def code(self, instance_id: int) -> RunCode:
        """The code that it runs, with the values of its parameters; secrets stay names."""
        return self._server.get(f"instances/{instance_id}/code")

    def over_dates(self, instance_id: int) -> OverDates:
        """Its task and time on other bizdates of its backfill, or of the schedule."""
        return self._server.get(f"instances/{instance_id}/over-dates")

    def history(self, instance_id: int) -> InstanceHistory:
        """What people did to it, and its runs."""
        return self._server.get(f"instances/{instance_id}/history")

    def log(self, instance_id: int, run_number: int | None = None, offset: int = 0) -> OpenLog | str:
        """The log of a run, to be read piece by piece; of an instance that ran no code, the line that says so."""
        from retrofill.client.logs import open_log

        return open_log(self._server, instance_id, run_number, offset)

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
        """Some lines of the log of a run; the last ones, where nothing says which. At most a megabyte."""
        where = {"since": since, "until": until, "at": at, "line": line}
        query = {"run": run_number, **where, "count": count}
        return self._server.get(f"instances/{instance_id}/log/lines", query)

    def find_in_log(
        self,
        instance_id: int,
        text: str = "",
        run_number: int | None = None,
        since: int = 0,
        is_error: bool = False,
        limit: int = 100,
    ) -> LogFinds:
        """Lines of a run's log that hold a text, or tell of an error; `next` says where a long search goes on."""
        query = {"run": run_number, "text": text, "since": since, "error": is_error or None, "limit": limit}
        return self._server.get(f"instances/{instance_id}/log/finds", query)

    def lineage(self, instance_id: int) -> InstanceLineage:
        """The tables that it reads and writes."""
        return self._server.get(f"instances/{instance_id}/lineage")

    def dag(self, instance_id: int, up: int = 1, down: int = 1) -> DagDocument:
        """What it waits for and what waits for it, level by level."""
        return self._server.get(f"instances/{instance_id}/dag", {"up": up, "down": down})

    def states(self, instance_ids: Sequence[int]) -> dict[int, str]:
        """The states of those that are seen."""
        if not instance_ids:
            return {}
        found = self._server.ask("instances/states", {"ids": [*instance_ids]})["items"]
        return {one["id"]: one["state"] for one in found}

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
        """What an act on instances would do, counted before it is done."""
        above = None if upstream is None else [*upstream]
        how = {"latest": latest, "with_self": with_self, "tasks": [*tasks], "upstream": above}
        body = {"act": act, "ids": [*ids], **how, "priority": priority, "group": group}
        return self._server.ask("instances/foresee", body)

    def unattended(self, instance_ids: Collection[int] | None = None) -> Sequence[int]:
        """Instances that count as running though nobody carries them out."""
        ids = None if instance_ids is None else [*instance_ids]
        return [] if ids == [] else self._server.ask("instances/unattended", {"ids": ids})["items"]

    # Acts

    def stop(self, ids: Sequence[int], comment: str = "") -> Sequence[ItemResult]:
        """Ask for the end of running instances."""
        return self._batch("stop", ids, comment)

    def rerun(
        self, ids: Sequence[int], comment: str = "", ignore_dependencies: bool = False, latest: bool = False
    ) -> Sequence[ItemResult]:
        """Run ended instances again, in order."""
        return self._batch("rerun", ids, comment, ignore_dependencies=ignore_dependencies, latest=latest)

    def rerun_descendants(
        self,
        ids: Sequence[int],
        comment: str = "",
        with_self: bool = False,
        tasks: Sequence[str] = (),
        latest: bool = False,
    ) -> Sequence[ItemResult]:
        """Run the ended descendants again, in dependency order."""
        how = {"with_self": with_self, "tasks": [*tasks], "latest": latest}
        return self._batch("rerun-descendants", ids, comment, **how)

    def running_below(
        self, ids: Sequence[int], with_self: bool = False, tasks: Sequence[str] = ()
    ) -> Sequence[int]:
        """Of these instances and their descendants, those for which a rerun would be refused."""
        body = {"ids": [*ids], "with_self": with_self, "tasks": [*tasks]}
        return self._server.ask("instances/running-below", body)["items"]

    def set_successful(self, ids: Sequence[int], comment: str = "") -> Sequence[ItemResult]:
        """Take failed instances as successful."""
        return self._batch("set-successful", ids, comment)

    def freeze(self, ids: Sequence[int], comment: str = "") -> Sequence[ItemResult]:
        """They and what waits for them stand still."""
        return self._batch("freeze", ids, comment)

    def unfreeze(self, ids: Sequence[int], comment: str = "") -> Sequence[ItemResult]:
        """Back to the state that they were frozen from."""
        return self._batch("unfreeze", ids, comment)

    def remove_waits(
        self, ids: Sequence[int], upstream: Sequence[int] | None, comment: str = ""
    ) -> Sequence[ItemResult]:
        """Let instances wait no longer for upstream ones."""
        above = None if upstream is None else [*upstream]
        return self._batch("remove-waits", ids, comment, upstream=above)

    def set_priority(self, ids: Sequence[int], priority: int, comment: str = "") -> Sequence[ItemResult]:
        """Set the priority with which instances queue."""
        return self._batch("priority", ids, comment, priority=priority)

    def set_resource_group(self, ids: Sequence[int], group: str, comment: str = "") -> Sequence[ItemResult]:
        """Let instances take a slot of another resource group."""
        return self._batch("resource-group", ids, comment, group=group)

    def _batch(self, act: str, ids: Sequence[int], comment: str, **how: Any) -> Sequence[ItemResult]:
        body = {"ids": [*ids], "comment": comment, **how}
        return item_results(self._server.act("POST", f"instances/{act}", body))


def _query(search: InstanceSearch) -> dict[str, Any]:
    return {
        "backfill": search.backfills,
        "task": search.tasks,
        "bizdate": search.bizdates,
        "state": search.states,
        "auto": search.auto or None,
        "cursor": search.after,
        "task_part": search.task_part,
        "group": search.groups,
        "held_up": search.held_up or None,
    }
