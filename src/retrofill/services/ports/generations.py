"""Generations of auto triggered instances: what a night, or a deploy, made at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from retrofill.domain.running.filters import ALL_INSTANCES, InstanceFilter
from retrofill.domain.running.states import State
from retrofill.services.ports.records import GenerationRecord, InstanceRecord, Outcome


class Generations(Protocol):
    """Of the ledger; the methods from `add` on need a write transaction."""

    def have_any(self) -> bool:
        """Whether there is any auto triggered instance to think of."""
        ...

    def between(self, first: str, last: str) -> list[GenerationRecord]:
        """Generations of these bizdates (ISO, inclusive), without empty ones and those being made, oldest first."""
        ...

    def holding(self, instance_id: int) -> GenerationRecord | None:
        """The generation that the instance is of."""
        ...

    def unfinished(self) -> list[GenerationRecord]:
        """What a crash left half made."""
        ...

    def last_night(self, until: str = "9999") -> str | None:
        """The newest bizdate, up to that one, whose night was made."""
        ...

    def night_versions(self, first: str) -> dict[str, int]:
        """By bizdate from the first on, the version that its night was made from."""
        ...

    def missed(self) -> list[str]:
        """Bizdates whose night came and will not be made (AUTO-3), oldest first."""
        ...

    def done_on(self, bizdate: str) -> set[tuple[int, int]]:
        """(task id, slot) of what has really run successfully on a bizdate, whoever asked for it."""
        ...

    def owing_version(self) -> int | None:
        """The version whose deploy still owes instances (AUTO-1)."""
        ...

    def ids_between(self, first_id: int, last_id: int) -> list[int]:
        """Ids of the instances that exist in this range."""
        ...

    def successful_between(self, first_id: int, last_id: int) -> list[int]:
        """Ids of the Successful instances in this range."""
        ...

    def unfinished_slots(self, bizdate: str, task_ids: Sequence[int]) -> list[tuple[int, int]]:
        """(task id, slot) of those of these tasks that start by themselves, or run."""
        ...

    def find_instance(self, task_id: int, bizdate: str, slot: int) -> int | None:
        """The id of the auto triggered instance of a task at a slot."""
        ...

    def ready_tasks(self) -> list[int]:
        """Tasks with an auto triggered instance that only lacks a slot (RUN-5)."""
        ...

    def counts(self, first: str, last: str) -> list[tuple[str, str, int, int | None]]:
        """(bizdate, state, number of instances, when the last of these ended) of bizdates from first to last."""
        ...

    def in_state(self, bizdate: str, state: State, limit: int) -> list[InstanceRecord]:
        """Auto triggered instances of a bizdate in one state, by the time of their end."""
        ...

    def instances(self, bizdate: str, asked: InstanceFilter = ALL_INSTANCES) -> list[InstanceRecord]:
        """The auto triggered instances of a bizdate."""
        ...

    def outcomes(self, bizdates: Collection[str], task_ids: Collection[int]) -> list[Outcome]:
        """What has become of the auto triggered instances of these tasks on these bizdates, in no order.

        Costs what it gives, and a look for each task on each bizdate.
        """
        ...

    def bizdates(self, limit: int, before: str | None = None) -> list[str]:
        """Bizdates with auto triggered instances, newest first; -1 for all."""
        ...

    def is_held(self) -> bool:
        """Whether the schedule is paused: nothing is made, nothing of it starts."""
        ...

    def add(self, record: GenerationRecord) -> int:
        """Insert with an id that none has had before, whatever `record.id` says (CAT-3)."""
        ...

    def set_phase(self, generation_id: int, phase: str) -> None: ...

    def delete(self, generation_id: int) -> None:
        """Remove the row of a generation whose instances are gone."""
        ...

    def miss(self, bizdates: Sequence[str], at_ms: int) -> None:
        """Note nights that will not be made."""
        ...

    def forget_missed(self, bizdates: Sequence[str]) -> None:
        """Forget that these nights were missed."""
        ...

    def forget_old_missed(self, before_ms: int) -> None:
        """Forget nights that were noted before then."""
        ...

    def owe(self, version_id: int) -> None:
        """Note that the deploy of a version owes instances."""
        ...

    def settle(self, version_id: int) -> None:
        """Note that it owes none any more; nothing where a newer one owes some."""
        ...

    def hold(self, held: bool) -> None:
        """Pause the schedule, or let it go on."""
        ...


class FrozenTasks(Protocol):
    """Tasks that a command has frozen (AUTO-4, SEC-4)."""

    def names(self) -> frozenset[str]:
        """Full names."""
        ...

    def set(self, names: Collection[str], frozen: bool) -> None: ...
