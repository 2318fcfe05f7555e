"""Logs as people read them: masked, piece by piece, and the line that stands for one where nothing ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, WrongStateError, shown
from retrofill.domain.running.masking import Masking
from retrofill.domain.running.states import Reason, State
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.ports.logs import LogAwayError, LogPart, NoLogError
from retrofill.services.ports.running import RunRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Reader
    from retrofill.services.ports.logs import Logs
    from retrofill.services.ports.records import InstanceRecord, RunRecord
    from retrofill.services.reading.view import View

    Look = Callable[[], AbstractContextManager[Reader]]

_PIECE = 256 << 10
_TAIL = 16 << 10  # bytes in which the last line is looked for
_SCREEN = 200  # characters of it


class OpenLog:
    """The log of one run, as far as it has been read; one piece is held in memory at a time.

    Secrets are masked also while the run goes on (SEC-3), and where pieces meet.

    Args:
        offset: of the first byte that is given out.

    Attributes:
        instance_id, run_number: which run it is.
    """

    def __init__(
        self,
        logs: Logs,
        run: RunRecord,
        secrets: tuple[str, ...],
        look: Look,
        offset: int = 0,
    ) -> None:
        self.instance_id, self.run_number = run.instance_id, run.number
        self._logs, self._run, self._look = logs, run, look
        self._ref = ref_of(run)
        self._masking = Masking(secrets)
        self._begin = offset
        self._start = max(0, offset - self._masking.longest)  # a value may lie across where it begins
        self._offset = self._start
        self._missing = 0  # before what is given out next
        self._given = self._offset  # offset of what is given out next

    def has_ended(self) -> bool:
        """Whether the run has, or never began: then its number is another run's by now."""
        with self._look() as reader:
            found = [one for one in reader.runs(self._run.instance_id) if one.token == self._run.token]
        return not found or found[0].ended_ms is not None

    def pieces(self) -> Iterator[tuple[int, int, bytes]]:
        """What is there and was not given out yet: offset, how many bytes before it were cut out, bytes.

        Raises:
            NoLogError: the run never began, or its log has expired.
        """
        while True:
            part = self._read()
            if not part.data:
                return
            if part.missing:
                yield from self.rest()
                self._missing, self._given = part.missing, part.offset
            yield from self._give(self._masking.feed(part.data))
            self._offset = part.next_offset

    def rest(self) -> Iterator[tuple[int, int, bytes]]:
        """At the end, what could have been the beginning of a secret, and is none."""
        yield from self._give(self._masking.flush())

    def _give(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        early = min(max(self._begin - self._given, 0), len(data))
        self._given, data = self._given + early, data[early:]
        if data:
            yield self._given, self._missing, data
            self._given += len(data)
            self._missing = 0

    def _read(self) -> LogPart:
        try:
            return self._logs.read(self._ref, self._offset, _PIECE)
        except LogAwayError:
            if self._offset > self._start and not self.has_ended():
                return LogPart(self._offset, b"", 0, self._offset)  # who follows it goes on when it is back
            raise
        except NoLogError as error:
            raise without_log(self._run, error) from None


def without_log(run: RunRecord, error: NoLogError) -> NoLogError:
    """What became of a log that is not to be had, as far as it is known."""
    if run.log_removed_ms is not None:
        day = f"{instant_of(run.log_removed_ms):%Y-%m-%d}"
        return NoLogError(
            f"the log of run {run.number} of instance {run.instance_id} was deleted by retention on {day}",
            "The setting `log_days` says how long logs are kept.",
        )
    if isinstance(error, LogAwayError):
        return error
    if run.host is not None:
        message = f"{error.message} here; it lives on {shown(run.host)}"
        return NoLogError(message, "Ask for it on that machine.")
    why = Step("instance.why", id=run.instance_id)
    return NoLogError(error.message, Text("{why} says what became of it.", why=why))


def run_of(view: View, row: InstanceRecord, number: int | None) -> RunRecord | None:
    """A run by its number, or the last one; None where there was none yet.

    Raises:
        UnknownNameError: it has no run of this number.
    """
    runs = view.reader.runs(row.id)
    if number is None:
        return runs[-1] if runs else None
    for run in runs:
        if run.number == number:
            return run
    known = ", ".join(str(run.number) for run in runs) or "none"
    raise UnknownNameError(
        f"instance {row.id} has no run {number}; its runs are: {known}", "Leave its number out for the last."
    )


def instead_of_a_log(view: View, row: InstanceRecord) -> str:
    """The one line that stands for the log of an instance that ran no code (RUN-2).

    Raises:
        WrongStateError: it has not run yet.
    """
    if row.state != State.SUCCESSFUL:
        raise WrongStateError(
            f"instance {row.id} has not run yet, so it has no log",
            Text("{why} says why.", why=Step("instance.why", id=row.id)),
        )
    plan = view.outlines.of(row).plan_of(row.id)
    reasons = {name: str(reason) for name, reason in plan.dry_runs.items()}
    return log_line(row, reasons, view.task_names[row.task_id])


def log_line(row: InstanceRecord, dry_run_reasons: Mapping[str, str], task: str) -> str:
    """What is said of an instance that has succeeded without running code."""
    if row.reason == Reason.OFF_DAY:
        return "Off day: the schedule leaves this date out, so nothing was run.\n"
    if row.reason == Reason.SET_SUCCESSFUL:
        return "Set successful by hand; nothing was run.\n"
    if row.kind == "virtual":
        return "Virtual task: it has no code and succeeds at once.\n"
    why = {
        "blacklisted": "it is on the backfill's blacklist",
        "intermediate": "it was not chosen, but lies between tasks that run",
        "no_permission": "the backfill's creator may not run it",
    }.get(dry_run_reasons.get(task, ""), "its task is in mode dry_run")
    return f"Dry run: {why}, so nothing was run.\n"


def last_line(view: View, logs: Logs, specs: RunSpecs, row: InstanceRecord, run: RunRecord) -> str:
    """The last line of a run's log that is not empty, masked and as long as a line on a screen; "" without one."""
    try:
        part = logs.read_tail(ref_of(run), _TAIL)
    except NoLogError:
        return ""
    masking = Masking(secrets_of(view, specs, row))
    text = (masking.feed(part.data) + masking.flush()).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    return shown(lines[-1]) if len(lines[-1]) <= _SCREEN else f"{shown(lines[-1][:_SCREEN])}..."


def secrets_of(view: View, specs: RunSpecs, row: InstanceRecord) -> tuple[str, ...]:
    """The values that the instance's log must not show, as far as this process knows them."""
    context = view.outlines.of(row)
    # What an earlier run could see, too: it may have run what another version says.
    return tuple({*specs.secrets(row, context), *specs.secrets(row._replace(code_version_id=None), context)})


def ref_of(run: RunRecord) -> RunRef:
    return RunRef(run.instance_id, run.number, run.token, run.boot_id)
