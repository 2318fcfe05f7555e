"""Why is it not running? One sentence that names the binding constraint (OPS-9).

The conditions are asked in the order in which an instance meets them on its way to a slot, of
the same functions that decide. Where others are waited for, the cause is looked for upstream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.domain.planning.groups import grouping_of
from retrofill.domain.running.filters import UNFINISHED, InstanceFilter
from retrofill.domain.running.states import Reason, State
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import instant_of
from retrofill.domain.words import many
from retrofill.services.instances.as_run import as_run, differs
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.outlines import Outlines, position_of
from retrofill.services.ports.records import BackfillRecord, InstanceRecord
from retrofill.services.reading.reasons import Why, reason_of
from retrofill.services.reading.whereabouts import whereabouts
from retrofill.services.reading.why_slots import lacks_a_slot

if TYPE_CHECKING:
    from retrofill.services.instances.graph import InstanceGraph
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Reader
    from retrofill.services.reading.known_hosts import KnownHosts

_NAMED = 3  # blockers named in a sentence; all of them are listed
_MOST_LOOKED_AT = 5_000  # instances on the way to a cause


_FAILURES = {
    Reason.STOPPED: "Somebody stopped it",
    Reason.TIMEOUT: "It ran longer than its timeout",
    Reason.LOST: "Its supervisor was killed, so it is not known whether its work was done",
    Reason.NOT_STARTED: "It could not be started",
    Reason.SIBLING_FAILED: "Another instance of the same task and bizdate failed before this one started",
}
_SUCCESSES = {
    Reason.DRY_RUN.value: "It succeeded as a dry run, without running its code.",
    Reason.OFF_DAY.value: "It succeeded without running: its schedule leaves this date out.",
    Reason.SET_SUCCESSFUL.value: "Somebody set it successful.",
}
# What failed or stands still explains more than what merely has not had its turn.
_WEIGHT: dict[str, int] = {
    State.FAILED: 0,
    State.FROZEN: 1,
    State.RUNNING: 2,
    State.WAITING_RESOURCES: 3,
    State.WAITING_TIME: 4,
}


def why(
    reader: Reader,
    graphs: GraphCache,
    row: InstanceRecord,
    now_ms: int,
    has_scheduler: bool,
    hosts: KnownHosts | None = None,
) -> Why:
    """Explain the state of an instance.

    Args:
        has_scheduler: whether one runs that would start it.
        hosts: where it may run; None: it is not asked for.
    """
    return _Explaining(reader, graphs, row, now_ms, has_scheduler, hosts).why()


def _once(start: str, message: str | None) -> str:
    """A failure and the message of its run, of which some say the same in other words."""
    if not message:
        return start
    if message.partition(";")[0] == "stopped":
        return start + message.removeprefix("stopped")
    return f"It {message}" if message.startswith("timed out") else f"{start}: {message}"


class _Explaining:
    """One question."""

    def __init__(
        self,
        reader: Reader,
        graphs: GraphCache,
        row: InstanceRecord,
        now_ms: int,
        has_scheduler: bool,
        hosts: KnownHosts | None,
    ) -> None:
        self._reader, self._graphs, self._row, self._hosts = reader, graphs, row, hosts
        self._now_ms, self._has_scheduler = now_ms, has_scheduler
        self._backfill: BackfillRecord | None = None
        if row.backfill_id is not None:
            self._backfill = reader.find_backfill(row.backfill_id)
        if self._backfill is not None:
            graphs.follow([self._backfill])
        self._around = Outlines(reader, graphs).of(row)

    @cached_property
    def _context(self) -> InstanceGraph:
        """The plan with its edges: only for what waits for others."""
        return self._graphs.of(self._reader, self._row)

    def why(self) -> Why:
        row = self._row
        if row.state == State.RUNNING:
            return self._running()
        if row.state == State.SUCCESSFUL:
            return reason_of("successful", _SUCCESSES.get(row.reason or "", "It has succeeded."))
        if row.state == State.FAILED:
            return self._failed()
        if row.state == State.FROZEN:
            return reason_of(
                "frozen",
                Text(
                    "It is frozen; {unfreeze} lets it go on.", unfreeze=Step("instance.unfreeze", id=row.id)
                ),
            )
        return self._held() or self._waits() or self._time() or self._window() or self._slot()

    def _running(self) -> Why:
        endings = {
            Reason.STOPPING.value: " and is being stopped",
            Reason.YIELDED_TO_AUTO.value: " and is being stopped, to make way for the auto triggered instance "
            "of the same task and time",
        }
        ending = endings.get(self._row.reason or "", "")
        unheard = "" if self._has_scheduler else "; no scheduler runs that would hear of its end"
        code, where = self._where()
        return reason_of(
            code, Text("It {where}{ending}{unheard}.", where=where, ending=ending, unheard=unheard)
        )

    def _where(self) -> tuple[str, Text]:
        """A word, and what follows "It "."""
        plain = Text("is running (run {run})", run=str(self._row.run_number))
        run = next(
            (one for one in self._reader.runs(self._row.id) if one.number == self._row.run_number), None
        )
        if run is None or self._hosts is None or (run.host is None and not run.is_offered):
            return "running", plain
        age_ms = self._reader.hosting.now_ms() - run.started_ms
        on_lost = as_run(self._row, self._around).task.rerun.on_lost
        found = whereabouts(run, self._row.resource_group, on_lost, self._hosts, age_ms)
        return found.code, found.text

    def _failed(self) -> Why:
        row = self._row
        if row.reason == Reason.SIBLING_FAILED:
            own = [
                sibling
                for sibling in self._reader.instances(self._context.siblings(row.id))
                if sibling.state == State.FAILED and sibling.reason != Reason.SIBLING_FAILED
            ]
            names = self._names(own) or "none is left"
            return reason_of("failed", f"{_FAILURES[Reason.SIBLING_FAILED]}: {names}.", self._blockers(own))
        runs = self._reader.runs(row.id)
        message = runs[-1].message if runs else None
        start = _FAILURES.get(Reason(row.reason), "Its code failed") if row.reason else "It failed"
        return reason_of(
            "failed", Text("{what}; {next}.", what=_once(start, message), next=self._what_to_do())
        )

    def _what_to_do(self) -> Text:
        """Only what this task allows, and only a log that there is."""
        number = self._row.id
        if as_run(self._row, self._around).task.rerun.mode != "never":
            rerun = Step("instance.rerun", id=number)
            further = Text("{rerun} runs it again{code}", rerun=rerun, code=self._with_other_code())
        else:
            further = Text(
                "its task may not be rerun (rerun mode never); {set} lets what waits for it go on",
                set=Step("instance.set_successful", id=number),
            )
        if self._row.reason == Reason.NOT_STARTED:
            return further
        log = Step("instance.log", id=number)
        return Text("{log} shows what it printed, {further}", log=log, further=further)

    def _with_other_code(self) -> Text:
        """OPS-2: a rerun runs what the instance was made from, unless it asks for the current version."""
        if not differs(self._row, self._around, self._graphs.current(self._reader)):
            return Text("")
        return Text(
            " as it was (version {old}), with {option.latest} as it is in version {new}",
            old=as_run(self._row, self._around).version_id,
            new=str(self._reader.current_version_id()),
        )

    def _held(self) -> Why | None:
        backfill = self._backfill
        if backfill is None:
            if self._reader.generations.is_held():
                return reason_of("paused", Text("The schedule is paused; {schedule.resume} lets it go on."))
            return None
        if not (backfill.stopped or backfill.paused):
            return None
        state = "stopped" if backfill.stopped else "paused"
        how = f"is {state}"
        if not backfill.stopped and backfill.paused_by:
            how = f"has paused by itself when {many(backfill.failures, 'instance')} had failed"
        resume = Step("backfill.resume", id=backfill.id)
        text = Text("Backfill {id} {how}; {resume} lets it go on.", id=backfill.id, how=how, resume=resume)
        return reason_of(state, text)

    def _waits(self) -> Why | None:
        row, backfill = self._row, self._backfill
        if row.state != State.NOT_RUN or row.ignores_waits:
            return None
        if row.reason == Reason.ISOLATED:
            missing = ", ".join(self._context.isolated_from(row.id)) or "an upstream task"
            where = "was left out of the backfill" if self._backfill else "was never made"
            return reason_of(
                "isolated",
                Text(
                    "It is isolated: every instance of {missing} that it waits for {where}, so it can never run; an "
                    "administrator can take that wait away with {remove}.",
                    missing=missing,
                    where=where,
                    remove=Step("instance.remove_wait", id=row.id, all=True),
                ),
            )
        if backfill is not None:
            position = position_of(backfill, row.id)
            if not self._reader.is_reached(backfill.id, position):
                return self._earlier_date(backfill, position)
        waits = self._reader.instances(self._upstream(row.id))
        open_waits = sorted((up for up in waits if up.state != State.SUCCESSFUL), key=_weight)
        if not open_waits:
            return None
        cause = self._cause(open_waits)
        circle = self._circle() if cause is None or cause.state == State.NOT_RUN else []
        if circle:
            return self._in_a_circle(circle)
        return reason_of(
            "upstream",
            f"It waits for {self._names(open_waits)}{self._cause_words(cause)}.",
            self._blockers(open_waits),
            self._blocker(cause) if cause else None,
        )

    def _earlier_date(self, backfill: BackfillRecord, position: int) -> Why:
        """Name the date that the group stands at, and what holds it up."""
        dates = self._reader.dates(backfill.id)
        groups = grouping_of(len(dates), self._around.plan_of(self._row.id).policy)
        earlier = groups.previous(position)
        while earlier is not None and not dates[earlier].reached:
            earlier = groups.previous(earlier)
        if earlier is None:
            return reason_of("earlier_date", "Its group of bizdates has not started.")
        date = dates[earlier]
        first = backfill.first_instance_id + backfill.stride * earlier
        unfinished = InstanceFilter(states=UNFINISHED)
        left = list(self._reader.instance_range(first, first + backfill.stride - 1, unfinished))
        left.sort(key=_weight)
        stuck = [other for other in left if other.state in (State.FAILED, State.FROZEN)]
        cause = stuck[0] if stuck else self._cause(left)
        text = (
            f"Group {date.group_number} is at bizdate {date.bizdate}, where {len(left):,} of "
            f"{many(date.total, 'instance')} {'has' if len(left) == 1 else 'have'} not succeeded"
        )
        if stuck:
            text += f": {self._names(stuck)}"
        elif cause is not None:
            text += f"; it stands at {self._name_whole(cause)}"
        named = stuck or ([cause] if cause else [])
        return reason_of(
            "earlier_date", f"{text}.", self._blockers(named), self._blocker(cause) if cause else None
        )

    def _cause(self, waiting: Sequence[InstanceRecord]) -> InstanceRecord | None:
        """Upstream of what is Not run, the instance that explains most; None where it is among these."""
        if not waiting or waiting[0].state != State.NOT_RUN:
            return None
        seen = {row.id for row in waiting}
        front = [row.id for row in waiting]
        best: InstanceRecord | None = None
        while front and len(seen) < _MOST_LOOKED_AT:
            above = {up for number in front for up in self._upstream(number)} - seen
            seen |= above
            rows = [row for row in self._reader.instances(sorted(above)) if row.state != State.SUCCESSFUL]
            best = min([*rows, *([best] if best else [])], key=_weight, default=None)
            if best is not None and best.state == State.FAILED:
                break
            front = [row.id for row in rows if row.state == State.NOT_RUN]
        return best

    def _upstream(self, instance_id: int) -> set[int]:
        """Ids that the instance waits for, without what it was told not to wait for (OPS-7)."""
        return set(self._context.upstream(instance_id)) - self._reader.interventions.removed_of(instance_id)

    def _circle(self) -> list[int]:
        """Ids of Not run instances that wait for each other, from this one up to the one that waits for it."""
        below: dict[int, int] = {}
        front = [self._row.id]
        while front and len(below) < _MOST_LOOKED_AT:
            following = []
            for number in front:
                for up in self._upstream(number):
                    if up == self._row.id:
                        path = [number]
                        while path[-1] != self._row.id:
                            path.append(below[path[-1]])
                        return path[::-1]
                    if up not in below:
                        below[up] = number
                        following.append(up)
            front = [row.id for row in self._reader.instances(following) if row.state == State.NOT_RUN]
        return []

    def _in_a_circle(self, circle: Sequence[int]) -> Why:
        rows = {row.id: row for row in self._reader.instances(circle)}
        path = [self._name(rows[number]) for number in (*circle, circle[0])]
        upstream = circle[1] if circle[1:] else circle[0]
        return reason_of(
            "loop",
            Text(
                "It waits for itself in a circle: {path}; an administrator can take one of these waits away with {remove}.",
                path=" <- ".join(path),
                remove=Step("instance.remove_wait", id=self._row.id, upstream=upstream),
            ),
            self._blockers(rows[number] for number in circle[1:]),
        )

    def _cause_words(self, cause: InstanceRecord | None) -> str:
        if cause is None:
            return ""
        return f", and in the end for {self._name_whole(cause)}"

    def _time(self) -> Why | None:
        row = self._row
        if row.state == State.WAITING_RESOURCES or (
            row.state == State.NOT_RUN and row.start_ms <= self._now_ms
        ):
            return None
        at = f"{instant_of(row.start_ms):%Y-%m-%d %H:%M:%S} UTC"
        if row.reason == Reason.RERUN_INTERVAL:
            return reason_of(
                "rerun_interval",
                f"Run {row.run_number - 1} failed; run {row.run_number} starts by itself at {at}.",
            )
        failed = self._reader.failed_starts.find(row.id) if row.reason == Reason.NOT_STARTED else None
        if failed is not None:
            since = f"{instant_of(failed.since_ms):%Y-%m-%d %H:%M:%S} UTC"
            return reason_of(
                "not_started",
                f"It could not be started, {many(failed.tries, 'time')} since {since} ({failed.message}); that is not "
                f"its task's failure, and it is tried again at {at}.",
            )
        return reason_of("time", f"It waits for its time, {at}.")

    def _window(self) -> Why | None:
        backfill = self._backfill
        if backfill is not None and self._row.resource_group:
            holds = holds_of([backfill], instant_of(self._now_ms))
            if backfill.id in holds.window_closed:
                opens = instant_of(holds.next_ms or self._now_ms)
                return reason_of(
                    "window",
                    f"The execution window of backfill {backfill.id} is closed; "
                    f"it opens at {opens:%Y-%m-%d %H:%M} UTC.",
                )
        if self._has_scheduler:
            return None
        how = Text("{scheduler.start} starts one")
        if backfill is not None:
            wait = Step("backfill.wait", id=backfill.id)
            how = Text("{wait} runs one until the backfill has ended", wait=wait)
        return reason_of(
            "no_scheduler", Text("Nothing hinders it but that no scheduler runs: {how}.", how=how)
        )

    def _slot(self) -> Why:
        most = self._around.task(self._row.id).max_parallel_instances
        is_shared = self._hosts is None or self._hosts.is_shared
        return lacks_a_slot(self._reader, self._graphs.current(self._reader), self._row, most, is_shared)

    def _names(self, rows: Sequence[InstanceRecord]) -> str:
        named = ", ".join(self._name_whole(row) for row in rows[:_NAMED])
        return f"{named} and {len(rows) - _NAMED} more" if len(rows) > _NAMED else named

    def _name_whole(self, row: InstanceRecord) -> str:
        return f"{self._name(row)} ({State(row.state).words}, bizdate {row.bizdate}, instance {row.id})"

    def _name(self, row: InstanceRecord) -> str:
        return f"{self._reader.task_name(row.task_id)} {row.scheduled_at:%Y-%m-%d %H:%M}"

    def _blockers(self, rows: Iterable[InstanceRecord]) -> tuple[dict[str, object], ...]:
        return tuple(self._blocker(row) for row in rows)

    def _blocker(self, row: InstanceRecord) -> dict[str, object]:
        return {
            "id": row.id,
            "task": self._reader.task_name(row.task_id),
            "bizdate": row.bizdate,
            "scheduled_at": row.scheduled_at.isoformat(),
            "state": row.state,
            "reason": row.reason,
        }


def _weight(row: InstanceRecord) -> tuple[int, int]:
    return _WEIGHT.get(row.state, 9), row.id
