"""Errands: what somebody asks for and does not wait for, and what became of it.

An errand is a row before anything is done, so that it outlives the process that was asked: whoever serves carries it
out, one at a time, and whoever comes after takes up what was left. The backfill that it makes is noted in the
transaction that adds it, so that it never makes two.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from retrofill.domain.errors import RetrofillError, UnknownNameError, WrongStateError, shown
from retrofill.domain.running.searches import DateInstanceSearch
from retrofill.domain.running.states import State
from retrofill.services.operation_center.desk import Desk
from retrofill.services.ports.records import ErrandRecord

if TYPE_CHECKING:
    from retrofill.domain.inputs import Given
    from retrofill.domain.running.results import ItemResult
    from retrofill.services.ports import Ledger
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord
    from retrofill.services.reading.documents import Errand
    from retrofill.services.reading.view import View

_KEPT_MS = 30 * 24 * 3600 * 1000
_CREATE, _RERUN = "create", "rerun"
_ENDED = (State.FAILED.value, State.SUCCESSFUL.value)


class Unattended(NamedTuple):
    """An errand that nobody carries out, and in whose name it is to be."""

    id: str
    user: str


class ErrandActs(Desk):
    def ask_for_backfill(self, given: Given, comment: str = "", is_paused: bool = False) -> str:
        """Ask for a backfill; the errand's id. Errors as `backfills.plan`, which it is held to at once and when it is made.

        Args:
            given: as in `backfills.plan`.
            is_paused: nothing of it starts until somebody resumes it.

        Raises:
            WrongStateError: nothing is deployed.
        """
        from retrofill.services.operation_center.backfill_plans import BackfillPlans

        BackfillPlans(self._parts, self._actor).plan(given)
        return self._add(_CREATE, {"given": dict(given), "comment": comment, "is_paused": is_paused})

    def ask_for_rerun(
        self,
        dates: Sequence[tuple[int, int]],
        search: Mapping[str, Any],
        comment: str = "",
        below: bool = False,
    ) -> str:
        """Ask for a rerun of ended instances of some bizdates of backfills, in order; the errand's id.

        Args:
            dates, search: as in `DateInstanceSearch`; of the states only those that are ended count.
            below: also what waits for them.

        Raises:
            UnknownNameError: one of the dates is not there, as far as the actor knows.
            WrongStateError: no ended instance fits, or nothing is deployed.
        """
        asked = {"dates": [*dates], "search": dict(search), "comment": comment, "below": below}
        if not self._ended(asked):
            raise WrongStateError(
                "no ended instance of these dates fits", "Look at the states of the instances."
            )
        return self._add(_RERUN, asked)

    def carry_out(self, errand_id: str) -> None:
        """Do what an errand of one's own asks for, unless it has been done; what hinders it is noted.

        Raises:
            UnknownNameError: the actor has none with this id.
            StoreBusyError: another process has been at it for a minute.
        """
        store, clock = self._parts.store, self._parts.clock
        with store.creating(_mark(errand_id)):
            with self.view(_unknown(errand_id)) as view:
                record = self._own(view, errand_id)
            if record.ended_ms is not None:
                return
            try:
                failure = self._create(record) if record.kind == _CREATE else self._rerun(record)
            except RetrofillError as error:
                failure = f"{error.message}. {error.hint}"
            with store.transaction() as tx:
                tx.errands.end(errand_id, clock.now_ms(), failure)

    # Inside

    def _add(self, kind: str, request: dict[str, Any]) -> str:
        parts = self._parts
        if parts.deployed is None:
            raise _nothing_deployed()
        now_ms, errand_id = parts.clock.now_ms(), secrets.token_hex(16)
        with parts.store.transaction() as tx:
            tx.errands.forget(now_ms - _KEPT_MS)
            tx.errands.add(ErrandRecord(errand_id, kind, self._actor.name, json.dumps(request), now_ms))
        return errand_id

    def _own(self, view: View, errand_id: str) -> ErrandRecord:
        record = view.reader.errands.find(errand_id)
        if record is None or record.user_name != self._actor.name:
            raise _unknown(errand_id)
        return record

    def _create(self, record: ErrandRecord) -> str | None:
        """Why there is no backfill that can run; None where there is one."""
        from retrofill.services.operation_center.backfill_plans import BackfillPlans, noting, store_backfill

        backfill_id, asked = record.backfill_id, json.loads(record.request)
        if backfill_id is None:
            preview = BackfillPlans(self._parts, self._actor).plan(asked["given"])

            def noted(tx: Ledger, made: int) -> None:
                tx.errands.note_backfill(record.id, made)
                noting(self._parts, self._actor, asked["comment"])(tx, made)
                self._hold(tx, made, asked)

            backfill_id = store_backfill(self._parts, self._actor, preview, noted=noted)
        with self._parts.store.read() as reader:
            made = reader.find_backfill(backfill_id)
        if made is None:
            return "the server ended while it made the instances, and nothing of the backfill is left"
        return _refusal(made)

    def _hold(self, tx: Ledger, backfill_id: int, asked: Mapping[str, Any]) -> None:
        """A new backfill shall wait."""
        from retrofill.domain.running.steering import FLAGS, Steer

        now_ms, user = self._parts.clock.now_ms(), self._actor.name
        if asked["is_paused"]:
            tx.set_backfill(backfill_id, **FLAGS[Steer.PAUSE])
            tx.record(now_ms, user, Steer.PAUSE.value, backfill_id)

    def _rerun(self, record: ErrandRecord) -> str | None:
        """Why not everything that was asked for runs again; None where it does."""
        from retrofill.services.operations.operations import Operations

        asked, parts = json.loads(record.request), self._parts
        # What has started since was rerun before a crash, or by somebody else: something did fit when it was asked for.
        ids = [row.id for row in self._ended(asked) if (row.started_ms or 0) < record.created_ms]
        if not ids:
            return None
        operations = Operations(parts.store, parts.graphs, parts.clock, self._actor)
        if asked["below"]:
            results = operations.rerun_descendants(ids, asked["comment"], include_self=True)
        else:
            results = operations.rerun(ids, asked["comment"])
        return _refusals(results)

    def _ended(self, asked: Mapping[str, Any]) -> list[InstanceRecord]:
        """What fits."""
        from retrofill.services.reading.date_instances import find_date_instances
        from retrofill.services.reading.dates import get_date

        found = []
        with self.view(_nothing_deployed()) as view:
            for backfill_id, position in asked["dates"]:
                bizdate = get_date(view, backfill_id, position).date.bizdate
                search = DateInstanceSearch(
                    **{
                        "states": _ENDED,
                        **asked["search"],
                        "bizdate": bizdate,
                        "dates": [(backfill_id, position)],
                    }
                )
                found += [row for row in find_date_instances(view, search) if row.state in _ENDED]
        return found


class ErrandDesk(ErrandActs):
    # Questions

    def show(self, errand_id: str) -> Errand:
        """What became of an errand of one's own.

        Raises:
            UnknownNameError: the actor has none with this id.
        """
        with self.view(_unknown(errand_id)) as view:
            record = self._own(view, errand_id)
            made = None if record.backfill_id is None else view.reader.find_backfill(record.backfill_id)
            ended = "done" if record.failure is None else "failed"
            return {
                "id": record.id,
                "kind": record.kind,
                "state": "under_way" if record.ended_ms is None else ended,
                "failure": record.failure,
                "backfill": record.backfill_id,
                "bizdates": 0 if made is None else _date_count(view, made),
            }

    def unattended(self) -> list[Unattended]:
        """Errands of one's own that nobody carries out; to system administrators all."""
        store = self._parts.store
        with self.view_if_deployed() as view:
            left = [] if view is None else view.reader.errands.unended()
        return [
            Unattended(one.id, one.user_name)
            for one in left
            if (self._actor.is_system_administrator or one.user_name == self._actor.name)
            and not store.is_being_created(_mark(one.id))
        ]


def _date_count(view: View, record: BackfillRecord) -> int:
    from retrofill.services.reading.dates import dates_of

    return len(dates_of(view, record))


def _refusal(record: BackfillRecord) -> str | None:
    """What verification or a check found against a backfill."""
    from retrofill.services.instances.stored import analysis_of

    if record.phase != "refused":
        return None
    against = [f["message"] for f in analysis_of(record)["findings"] if f["level"] == "risk"]
    return f"backfill {record.id} failed its check: {'; '.join(against[:5])}"


def _refusals(results: Sequence[ItemResult]) -> str | None:
    refused = [one for one in results if one.error is not None]
    if not refused:
        return None
    return f"{len(refused)} of {len(results)} instances were not rerun; the first: {refused[0].error}"


def _mark(errand_id: str) -> str:
    return f"errand-{errand_id}"


def _unknown(errand_id: str) -> UnknownNameError:
    return UnknownNameError(
        f"you have asked for nothing under the id {shown(errand_id[:64])}",
        "Errands are forgotten after 30 days.",
    )


def _nothing_deployed() -> WrongStateError:
    from retrofill.domain.texts import Text

    return WrongStateError("nothing is deployed yet", Text("{project.deploy} publishes the folder."))
