"""Running tasks: what starts, how it ended, and who carries both out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from retrofill.domain.catalog.definitions import IncludedFile


@dataclass(frozen=True, slots=True)
class RunRef:
    """Names one start of one run; `boot_id` is that of the machine when it was started."""

    instance_id: int
    run_number: int
    token: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class IncludedCode:
    """Files that a run finds laid out in `folder`: those that its workspace included in its version (CAT-9)."""

    version_id: int
    folder: str
    files: tuple[IncludedFile, ...]


@dataclass(frozen=True, slots=True)
class RunSpec:
    """All that a run needs. Values may be secrets: they must reach no command line and no journal."""

    ref: RunRef
    type: str  # shell | python | sql
    name: str
    code: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str
    timeout_seconds: int
    connection_url: str | None
    interpreter: str
    secrets: tuple[str, ...] = field(default=(), repr=False)  # values that its log must not show (SEC-3)
    connection: str = ""  # its name
    reads: tuple[str, ...] = ()  # tables, as declared
    writes: tuple[str, ...] = ()
    included: IncludedCode | None = None
    shell: str = ""  # what runs shell code without a first line `#!`: sh | bash | a path; empty: sh
    inherit: tuple[
        str, ...
    ] = ()  # further variables of the executor's own environment: names, beginnings as AWS_*
    code_file: str = ""  # where the code came from; empty for inline code
    on_lost: bool = False  # taken for lost it starts again, maybe elsewhere (RUN-3)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended: `outcome` is exited, stopped, timeout, lost or not_started; times in epoch seconds.

    `exit_code` and `signal` are the main process's, also of a run that was stopped; neither is
    known where it was lost or could not be started. `message` is one sentence, empty for success.
    """

    ref: RunRef
    outcome: str
    exit_code: int | None
    signal: int | None
    started_at: float | None
    ended_at: float
    message: str


class Executor(Protocol):
    """Starts runs at most once each, and tells how each one ended, exactly once."""

    boot_id: str
    host: str | None  # where what it starts lives; None: on the one machine that has the store

    def start(self, runs: Sequence[RunSpec]) -> None:
        """Start runs whose start is committed; does not wait for them."""
        ...

    def poll(self) -> list[RunEnd]:
        """The ends since the last poll; never blocks."""
        ...

    def fileno(self) -> int:
        """A descriptor that is readable when `poll` may have something."""
        ...

    def stop(self, ref: RunRef) -> None:
        """Ask for the end of a run's whole process tree; the end comes through `poll`."""
        ...

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        """Take over runs that an earlier scheduler has started here; the ends of those known to have ended.

        The others still run and end through `poll`. One that was never started is now kept from
        ever starting under its token (`not_started`).

        Args:
            refs: every run of this host that the ledger holds to be running; what is known of others is forgotten.
        """
        ...

    def close(self) -> None:
        """Leave; running runs go on."""
        ...
