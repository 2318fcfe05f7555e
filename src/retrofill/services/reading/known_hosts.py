"""The hosts of a deployment at one moment: what they said of themselves, whether they are heard of, what lives there.

A host has a name that no other has, and a label by which people call it. Machines that schedule, or stand by, are hosts
as well: they carry out what groups of executor `local` run, and say nothing more of themselves.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import LOCAL
from retrofill.domain.errors import shown
from retrofill.domain.running.presence import Presence, presence_of
from retrofill.domain.words import duration, names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import HostRecord, RunRecord
    from retrofill.services.ports.watching import Watch


@dataclass(frozen=True, slots=True)
class KnownHost:
    """One of them.

    Attributes:
        groups: the resource groups whose instances it takes.
        slots: how many it carries out at once; None: as many as their groups have.
        silent_ms: since it was heard of last; None: it was never.
        running: open runs that live there.
    """

    name: str
    label: str
    executor: str
    groups: tuple[str, ...]
    slots: int | None
    presence: Presence
    silent_ms: int | None
    running: int
    record: HostRecord | None

    @property
    def title(self) -> str:
        """What sentences call it."""
        return shown(self.label)

    @property
    def free(self) -> int:
        """How many more it may take now."""
        if self.presence is not Presence.THERE or self.slots is None:
            return 0
        return max(self.slots - self.running, 0)

    @property
    def silence(self) -> str:
        """For how long it was not heard of, in words."""
        return "never heard of" if self.silent_ms is None else f"not heard of for {_length(self.silent_ms)}"


class KnownHosts:
    """All of them.

    Args:
        watch: knows which are heard of.
    """

    def __init__(self, reader: Reader, watch: Watch) -> None:
        self._reader, self._watch = reader, watch

    @cached_property
    def all(self) -> list[KnownHost]:
        """By label, or by name where several have that; without machines that schedule no more, where nothing lives."""
        records = {record.name: record for record in self._reader.hosting.all()}
        machines = [name for name, left_ms in self._left.items() if left_ms >= 0 or self._running.get(name)]
        found = [self._known(name, records.get(name)) for name in dict.fromkeys([*records, *machines])]
        labels = Counter(host.label for host in found)
        told_apart = [host if labels[host.label] == 1 else replace(host, label=host.name) for host in found]
        return sorted(told_apart, key=lambda host: (host.label, host.name))

    def of(self, run: RunRecord) -> KnownHost | None:
        """Where an open run lives; None: nowhere yet, or on the one machine that has the store."""
        return None if run.host is None else self._by_name.get(run.host)

    def called(self, word: str) -> list[KnownHost]:
        """Those whose name or label it is."""
        by_name = [host for host in self.all if host.name == word]
        return by_name or [host for host in self.all if host.record and host.record.label == word]

    def serving(self, group: str) -> list[KnownHost]:
        """Those that take instances of a resource group and have not left."""
        return [host for host in self.all if group in host.groups and host.presence is not Presence.LEFT]

    @property
    def is_shared(self) -> bool:
        """Whether other machines can have the store at all."""
        return self._watch.host is not None

    @property
    def lost_after_ms(self) -> int:
        """Without a sign of life for so long, the runs of one are lost."""
        return self._watch.lost_after_ms

    @cached_property
    def _by_name(self) -> dict[str, KnownHost]:
        return {host.name: host for host in self.all}

    @cached_property
    def _left(self) -> dict[str, int]:
        return {host.name: host.left_ms for host in self._watch.hosts()}

    @cached_property
    def _running(self) -> Counter[str | None]:
        return Counter(run.host for run in self._reader.open_runs())

    def _known(self, name: str, record: HostRecord | None) -> KnownHost:
        left_ms, lost_after_ms = self._left.get(name), self.lost_after_ms
        is_draining, has_left = (
            (False, False) if record is None else (bool(record.draining), record.left_ms is not None)
        )
        return KnownHost(
            name,
            name if record is None else record.label or name,
            LOCAL if record is None else record.executor,
            () if record is None else groups_of(record),
            None if record is None else record.slots,
            presence_of(left_ms, lost_after_ms, is_draining, has_left),
            None if left_ms is None else max(lost_after_ms - left_ms, 0),
            self._running[name],
            record,
        )


def groups_of(record: HostRecord) -> tuple[str, ...]:
    """The resource groups that a host takes instances of."""
    return tuple(json.loads(record.groups))


def named(hosts: Iterable[KnownHost]) -> str:
    """Their labels, in a sentence."""
    return names([host.title for host in hosts])


def _length(milliseconds: int) -> str:
    return duration(milliseconds / 1000)
