"""What a host asks of the deployment whose runs it carries out: beside the store, or through a server.

A run that a scheduler has started for other machines is *offered*: it is open, holds its slot, and lives nowhere
yet. A host *claims* it, in the ledger, where one host wins. Whatever told the host of the offer, a broker's message
or a look at the ledger, is a hint: told twice, late or never, it starts nothing twice and loses nothing (decision 0035).

Everything is one question, the `exchange`, so that a round costs one transaction and can be asked again: what a host
reports stays reported, and what it has claimed without hearing so is given to it when it says what it `holds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from retrofill.domain.errors import WrongStateError

if TYPE_CHECKING:
    from retrofill.services.ports.running import RunEnd, RunRef, RunSpec


class HostRefusedError(WrongStateError):
    """Mend what the message names, then start the worker again."""

    code = "host_refused"


class Offer(NamedTuple):
    """A run that lives nowhere yet."""

    instance_id: int
    run_number: int
    token: str


class OwnRun(NamedTuple):
    """A run that lives at a host; `on_lost`: it starts elsewhere when it is taken for lost (RUN-3)."""

    ref: RunRef
    on_lost: bool


@dataclass(frozen=True, slots=True)
class HostStatus:
    """What a host says of itself.

    Attributes:
        name: the word of its folder of runs (`executors.local.hosts`); nobody else has it.
        boot_id: of its machine.
        label: what people call the machine.
        executor: how it hears of offers: `pull`, `celery`, ...
        groups: the resource groups whose runs it takes.
        slots: how many runs it carries out at once, at most.
        version: of Retrofill there.
        folder: the project's folder as it is called there; relative paths of tasks are below it.
        interpreter: what runs python tasks there, where no setting says.
        logs_at: `http://HOST:PORT` where its logs can be read; empty: nowhere.
    """

    name: str
    boot_id: str
    label: str
    executor: str
    groups: tuple[str, ...]
    slots: int
    version: str
    folder: str
    interpreter: str
    logs_at: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a host tells, and asks for.

    Attributes:
        now_ms: by its own clock, so that times of another clock can be told from ours.
        ends: of its runs, since the last exchange that was answered.
        free: how many more runs it takes now.
        named: offers that it was told of; it claims those, before others.
        min_age_ms: it claims offers that nobody told it of when they are as old as this; None: none.
        holds: every run that it holds, after an exchange that was not answered, and now and then; else None.
    """

    now_ms: int
    ends: Sequence[RunEnd] = ()
    free: int = 0
    named: Sequence[Offer] = ()
    min_age_ms: int | None = 0
    holds: Sequence[RunRef] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host is to do.

    Attributes:
        starts: claimed now, or before without having been heard: to be started.
        stops: runs of its own that somebody wants stopped.
        over: of those that it holds, what the ledger takes for ended: to be ended, nobody waits for it.
        is_draining: it is to take no more; asked so by a person.
        lost_after_ms: without an exchange for so long its runs are taken for lost (RUN-3).
        left: offers of its groups that were left, so that it may ask again at once.
    """

    starts: list[RunSpec] = field(default_factory=list)
    stops: list[RunRef] = field(default_factory=list)
    over: list[RunRef] = field(default_factory=list)
    is_draining: bool = False
    lost_after_ms: int = 120_000
    left: int = 0


class Hosting(Protocol):
    """The deployment, as its hosts see it."""

    def exchange(self, status: HostStatus, exchange: Exchange) -> Answer:
        """Report, claim, and hear what is to be done. Says, too, that the host is there.

        Raises:
            StoreUnavailableError: not now; whether it was done is not known, so the next one says what it holds.
            HostRefusedError: never, as it is: another version, a token that was revoked.
        """
        ...

    def own(self, status: HostStatus) -> list[OwnRun]:
        """The open runs that live there, for who has just begun to see to them.

        Raises:
            StoreUnavailableError: not now.
            HostRefusedError: never, as it is.
        """
        ...

    def content(self, sha256: str) -> bytes:
        """A file of a version (CAT-9).

        Raises:
            KeyError: there is none.
            StoreUnavailableError: not now.
        """
        ...

    def leave(self, status: HostStatus) -> None:
        """The host is gone for good as far as it knows: it holds nothing, and comes back as a new one or by itself."""
        ...
