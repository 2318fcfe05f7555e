"""Backfills at a server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from retrofill.client.desk import Desk, item_result, item_results
from retrofill.client.previews import Preview
from retrofill.domain.running.results import ChangeReport, ItemResult, StopResult
from retrofill.domain.running.searches import BackfillSearch

if TYPE_CHECKING:
    from retrofill.domain.inputs import Given
    from retrofill.domain.planning.changes import Changes
    from retrofill.services.reading.documents import (
        ActEffects,
        Alert,
        AlertObstacle,
        Analysis,
        BackfillDag,
        BackfillPage,
        BackfillRow,
        ChangePreview,
        CheckRound,
        ChoosableTask,
        CriticalPath,
        Failure,
        Forecast,
        GridDocument,
        OperationRow,
        Page,
        Progress,
        RowReason,
        TaskWays,
        TimeLeft,
        TimelineDocument,
        Trouble,
    )

_EVERYTHING = BackfillSearch()


class BackfillDesk(Desk):
    # Questions

    def list(
        self, search: BackfillSearch = _EVERYTHING, limit: int = 50, before: int | None = None
    ) -> Page[BackfillRow]:
        """Backfills that fit, newest first."""
        return self._page("backfills", {**search._asdict(), "cursor": before}, limit)

    def row(self, backfill_id: int) -> BackfillRow:
        """One backfill as a list shows it."""
        return self._server.get(f"backfills/{backfill_id}/row")

    def show(self, backfill_id: int) -> BackfillPage:
        """One backfill with what it was asked for, its dates and its first failures."""
        return self._server.get(f"backfills/{backfill_id}")

    def analysis(self, backfill_id: int) -> Analysis:
        """What verification found and what extension checks answered."""
        return self._server.get(f"backfills/{backfill_id}/analysis")

    def history(self, backfill_id: int) -> Sequence[OperationRow]:
        """What people did to it and to its instances."""
        return self._server.get(f"backfills/{backfill_id}/operations")["items"]

    def alerts(self, backfill_id: int) -> Sequence[Alert]:
        """The messages about it, and what became of them."""
        return self._server.get(f"backfills/{backfill_id}/alerts")["items"]

    def progress(self, backfill_id: int) -> Progress:
        """How far it has come."""
        return self._server.get(f"backfills/{backfill_id}/progress")

    def time_left(self, backfill_id: int) -> TimeLeft | None:
        """How long it will go on."""
        return self._server.get(f"backfills/{backfill_id}/time-left")

    def trouble(self, backfill_id: int) -> Trouble:
        """What holds it up, and how much of it."""
        return self._server.get(f"backfills/{backfill_id}/trouble")

    def reasons(self, backfill_id: int, ids: Sequence[int]) -> Sequence[RowReason]:
        """Why instances of it stand where they do."""
        return self._server.get(f"backfills/{backfill_id}/reasons", {"id": ids})["items"]

    def effects(
        self, backfill_id: int, act: str, only_failed: bool = False, latest: bool = False
    ) -> ActEffects:
        """What would come of an act on all of it."""
        asked = {"act": act, "only_failed": only_failed, "latest": latest}
        return self._server.get(f"backfills/{backfill_id}/effects", asked)

    def grid(self, backfill_id: int, positions: Collection[int] = ()) -> GridDocument:
        """The state of every instance, task by task and date by date."""
        return self._server.get(f"backfills/{backfill_id}/grid", {"position": [*positions]})

    def timeline(self, backfill_id: int) -> TimelineDocument:
        """What ran when."""
        return self._server.get(f"backfills/{backfill_id}/timeline")

    def forecast(self, backfill_id: int) -> Forecast | None:
        """What will run when."""
        return self._server.get(f"backfills/{backfill_id}/forecast")

    def critical_path(self, backfill_id: int) -> CriticalPath | None:
        """What its end hangs on."""
        return self._server.get(f"backfills/{backfill_id}/critical-path")

    def dag(self, backfill_id: int) -> BackfillDag:
        """Who waits for whom."""
        return self._server.get(f"backfills/{backfill_id}/dag")

    def first_failures(self, backfill_id: int) -> Sequence[Failure]:
        """The first three instances that failed by themselves."""
        return self._server.get(f"backfills/{backfill_id}/failures")["items"]

    # From what somebody asks for to a backfill

    def below(self, tasks: Sequence[str]) -> Sequence[ChoosableTask]:
        """These tasks, level 0, and all descendants of them that can be chosen, by level and name."""
        return [*self._server.get("backfills/choice/below", {"task": tasks})["items"]]

    def between(self, start: str, ends: Sequence[str]) -> TaskWays:
        """All that lies on the ways from a task to others, and who waits for whom of it."""
        found: TaskWays = self._server.get("backfills/choice/between", {"start": start, "end": ends})
        return found

    def plan(self, given: Given, now: datetime | None = None) -> Preview:
        """What a backfill would do; creates nothing."""
        return Preview.of(self._server, given, now)

    def ask_checks(self, preview: Preview) -> CheckRound:
        """What extension checks say to a plan that is not stored; waits for them."""
        return self._server.ask("backfills/plan/checks", preview.asked)

    def alert_obstacles(self, preview: Preview) -> Sequence[AlertObstacle]:
        """Why alerts that are asked for could not be sent as things are."""
        return self._server.ask("backfills/plan/alert-obstacles", preview.asked)["items"]

    def create(self, preview: Preview, expected: str | None = None, comment: str = "") -> int:
        """Store a backfill as it was shown, all or nothing; its id. One that is refused is stored without instances.

        Waits for extension checks, if there are any. An answer that is lost makes no second backfill.

        Args:
            expected: the digest of the plan that somebody has agreed to, `preview.digest`.
            comment: why; it is kept in the record.

        Raises:
            NotPermittedError: without the right to run one of its tasks.
            WrongStateError: nothing is deployed; or with code `plan_changed`, the plan is another one by now.
            ServerUnreachableError: nobody answers; whether it was made, `list` shows.
        """
        asked = {**preview.agreed(expected), "comment": comment}
        return self._server.create("backfills", asked)["id"]

    # Acts

    def pause(self, backfill_id: int, comment: str = "") -> bool:
        """Start nothing new, running instances end; whether that is new."""
        return not self._steer(backfill_id, "pause", comment)["unchanged"]

    def resume(self, backfill_id: int, comment: str = "") -> bool:
        """Take back a pause or a stop; whether there was one."""
        return not self._steer(backfill_id, "resume", comment)["unchanged"]

    def stop(self, backfill_id: int, comment: str = "") -> StopResult:
        """End what runs of it, and start nothing further."""
        stopped = self._steer(backfill_id, "stop", comment)
        return StopResult(tuple(map(item_result, stopped["items"])), stopped["whole"])

    def change(self, backfill_id: int, changes: Changes, comment: str = "") -> ChangeReport:
        """Change how it runs, also while it runs."""
        from retrofill.domain.planning.changes import Difference

        body = {**changes.given, "comment": comment}
        found = self._server.act("PATCH", f"backfills/{backfill_id}", body)
        differences = tuple(Difference(**one) for one in found["changed"])
        return ChangeReport(differences, tuple(found["notes"]))

    def preview_change(self, backfill_id: int, changes: Changes) -> ChangePreview:
        """What would come of a change; changes nothing."""
        return self._server.ask(f"backfills/{backfill_id}/change-preview", changes.given)

    def rerun(
        self,
        backfill_id: int,
        only_failed: bool = False,
        comment: str = "",
        ignore_dependencies: bool = False,
        latest: bool = False,
    ) -> Sequence[ItemResult]:
        """Run all its ended instances again, or those that failed, in order."""
        how = {"only_failed": only_failed, "ignore_dependencies": ignore_dependencies, "latest": latest}
        return item_results(self._steer(backfill_id, "rerun", comment, **how))

    def freeze(self, backfill_id: int, comment: str = "") -> Sequence[ItemResult]:
        """Freeze what has not started and does not wait for time or resources."""
        return item_results(self._steer(backfill_id, "freeze", comment))

    def unfreeze(self, backfill_id: int, comment: str = "") -> Sequence[ItemResult]:
        """Let every frozen instance of it go on."""
        return item_results(self._steer(backfill_id, "unfreeze", comment))

    def _steer(self, backfill_id: int, how: str, comment: str, **more: bool) -> Any:
        return self._server.act("POST", f"backfills/{backfill_id}/{how}", {"comment": comment, **more})
