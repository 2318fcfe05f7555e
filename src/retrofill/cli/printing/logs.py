"""Printing the log of a run, as it is or as it grows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from retrofill.cli.driving import alone, say_alone
from retrofill.cli.session import say_json
from retrofill.domain.errors import shown
from retrofill.domain.time.milliseconds import instant_of
from retrofill.executors.logs import reading as logs
from retrofill.executors.logs.masking import Masking
from retrofill.services.ports.records import InstanceRecord, RunRecord
from retrofill.services.ports.running import RunRef

if TYPE_CHECKING:
    from retrofill.bootstrap.project import Project
    from retrofill.services.ports import Reader

_LOOK_SECONDS = 0.1
_PIECE = 256 << 10
_TAIL = 16 << 10  # bytes in which the last line is looked for
_SCREEN = 200  # characters of it


def print_log(project: Project, row: InstanceRecord, run: RunRecord, follow: bool, output: str) -> None:
    """Write the log to stdout; with `follow`, until the run has ended.

    A terminal gets control characters escaped, so that a log cannot reprogram it; a file or a
    pipe gets the bytes as they are. As JSON, a log is a list of pieces, `{offset, missing, text}`.
    Secrets are masked also while the run goes on (SEC-3). One piece is held in memory at a time.
    """
    printing = _Printing(project, run, Masking(_secrets(project, row)), _WRITERS[output]())
    while True:
        has_ended = not follow or _has_ended(project, run)
        # Asked before the last piece is read: what it wrote at its end is there then.
        is_unheard = not has_ended and bool(alone(project, {row.id}))
        printing.go_on()
        if has_ended or is_unheard:
            printing.end()
            break
        time.sleep(_LOOK_SECONDS)
    if is_unheard:
        say_alone(project, [{"id": row.id, "state": "running"}])


class _Printing:
    """How far a log has been printed."""

    def __init__(self, project: Project, run: RunRecord, masking: Masking, writer: _Writer) -> None:
        self._runs = project.runs_directory
        self._ref = RunRef(run.instance_id, run.number, run.token, run.boot_id)
        self._removed_ms = run.log_removed_ms
        self._masking = masking
        self._writer = writer
        self._offset = 0
        self._missing = 0  # before what is written next
        self._written = 0  # offset of what is written next

    def go_on(self) -> None:
        """Print what is there and was not printed yet."""
        while True:
            part = self._read()
            if not part.data:
                return
            if part.missing:
                self._write(self._masking.flush())
                self._missing, self._written = part.missing, part.offset
            self._write(self._masking.feed(part.data))
            self._offset = part.next_offset

    def _read(self) -> logs.Part:
        try:
            return logs.read(self._runs, self._ref, self._offset, _PIECE)
        except logs.NoLogError as error:
            if self._removed_ms is None:
                hint = f"`retrofill instance why {self._ref.instance_id}` says what became of it."
                raise logs.NoLogError(error.text, hint) from None
            day = f"{instant_of(self._removed_ms):%Y-%m-%d}"
            raise logs.NoLogError(
                f"the log of run {self._ref.run_number} of instance {self._ref.instance_id} "
                f"was deleted by retention on {day}",
                "The setting `log_days` says how long logs are kept.",
            ) from None

    def end(self) -> None:
        """Print what could have been the beginning of a secret, and is none."""
        self._write(self._masking.flush())
        self._writer.end()

    def _write(self, data: bytes) -> None:
        if data:
            self._writer.write(self._written, self._missing, data)
            self._written += len(data)
            self._missing = 0
            sys.stdout.flush()


class _Writer(Protocol):
    """A form of output; what it writes is flushed by its caller."""

    def write(self, offset: int, missing: int, data: bytes) -> None: ...

    def end(self) -> None: ...


class _Text:
    """The log itself; a line says where something is missing."""

    def write(self, offset: int, missing: int, data: bytes) -> None:
        if missing:
            data = f"\n[{missing} bytes of the log were cut out here]\n".encode() + data
        if sys.stdout.isatty():
            text = data.decode("utf-8", "replace")
            sys.stdout.write("".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text))
        else:
            sys.stdout.buffer.write(data)

    def end(self) -> None:
        pass


class _Lines:
    """One JSON object a piece and line."""

    def write(self, offset: int, missing: int, data: bytes) -> None:
        say_json(_piece(offset, missing, data))

    def end(self) -> None:
        pass


class _Document:
    """A JSON array of the pieces, written as they come."""

    def __init__(self) -> None:
        self._before = "["

    def write(self, offset: int, missing: int, data: bytes) -> None:
        sys.stdout.write(self._before)
        say_json(_piece(offset, missing, data))
        self._before = ","

    def end(self) -> None:
        sys.stdout.write("[]\n" if self._before == "[" else "]\n")


_WRITERS: dict[str, Callable[[], _Writer]] = {"text": _Text, "jsonl": _Lines, "json": _Document}


def _piece(offset: int, missing: int, data: bytes) -> dict[str, object]:
    return {"offset": offset, "missing": missing, "text": data.decode("utf-8", "replace")}


def last_line(project: Project, reader: Reader, row: InstanceRecord, run: RunRecord) -> str:
    """The last line of a run's log that is not empty, masked and as long as a line on a screen; "" without one."""
    ref = RunRef(run.instance_id, run.number, run.token, run.boot_id)
    try:
        part = logs.read_tail(project.runs_directory, ref, _TAIL)
    except logs.NoLogError:
        return ""
    masking = Masking(_secrets_of(project, reader, row))
    text = (masking.feed(part.data) + masking.flush()).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    return shown(lines[-1]) if len(lines[-1]) <= _SCREEN else f"{shown(lines[-1][:_SCREEN])}..."


def _secrets(project: Project, row: InstanceRecord) -> tuple[str, ...]:
    """The values that the instance's log must not show, as far as this process knows them."""
    with project.store.read() as reader:
        return _secrets_of(project, reader, row)


def _secrets_of(project: Project, reader: Reader, row: InstanceRecord) -> tuple[str, ...]:
    from retrofill.services.instances.outlines import Outlines
    from retrofill.services.instances.run_specs import RunSpecs

    context = Outlines(reader, project.graphs).of(row)
    specs = RunSpecs(project.directory, project.secret, "")
    # What an earlier run could see, too: it may have run what another version says.
    return tuple({*specs.secrets(row, context), *specs.secrets(row._replace(code_version_id=None), context)})


def _has_ended(project: Project, run: RunRecord) -> bool:
    """Whether it has, or never began: then its number is another run's by now."""
    with project.store.read() as reader:
        found = [one for one in reader.runs(run.instance_id) if one.token == run.token]
    return not found or found[0].ended_ms is not None
