"""Telling scalers of elastic resource groups what is wanted: beside the scheduler, so that none holds up a tick.

A scaler is told when what is wanted or present has changed, and every minute in any case: one that was not reached, or
has forgotten, is put right then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError
from retrofill.domain.running.presence import Presence
from retrofill.domain.running.scaling import Scale, scale_of
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.instances.holds import holds_of
from retrofill.services.reading.known_hosts import KnownHosts

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog, ResourceGroup
    from retrofill.services.ports import Clock, Reader, Store
    from retrofill.services.ports.scaling import HostOfGroup, ScaleNotice, Scaler
    from retrofill.services.ports.watching import Watch
    from retrofill.services.reading.known_hosts import KnownHost

_AGAIN_SECONDS = 60.0
_PAUSE_SECONDS = 1.0  # at least, between two looks
_LEAVING_SECONDS = 1.0  # that one which is being told has to come to its end


class _Told(NamedTuple):
    scale: Scale
    at: float


class Scaling:
    """Of one leader.

    Args:
        catalog: what is deployed now.
        watch: knows which hosts are heard of.
        say: tells people, once, why a scaler cannot be told.
        seconds: time that passes.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        catalog: Callable[[], Catalog],
        watch: Watch,
        scaler: Scaler,
        say: Callable[[str], object],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._watch = watch
        self._scaler = scaler
        self._say = say
        self._seconds = seconds
        self._told: dict[str, _Told] = {}
        self._faults: dict[str, str] = {}  # that people were told
        self._stirred = threading.Event()
        self._is_over = threading.Event()

    def stir(self) -> None:
        """Something has started, ended or become ready."""
        self._stirred.set()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Look beside whatever this thread does, until the end."""
        thread = threading.Thread(target=self._go_on, name="scaling", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._stirred.set()
            thread.join(_LEAVING_SECONDS)  # a scaler that hangs keeps no process from leaving

    def _go_on(self) -> None:
        while not self._is_over.is_set():
            try:
                self.look()
            except RetrofillError as error:  # the store cannot be asked just now
                self._note_fault("", error.message)
            self._is_over.wait(_PAUSE_SECONDS)
            self._stirred.wait(_AGAIN_SECONDS)
            self._stirred.clear()

    def look(self) -> None:
        """Tell every scaler that is to be told now."""
        catalog = self._catalog()
        elastic = [group for group in catalog.resource_groups.values() if group.scaler is not None]
        if not elastic:
            return
        with self._store.read() as reader:
            notices = [(group, notice) for group, notice in self._notices(reader, catalog.project, elastic)]
        for group, notice in notices:
            self._tell(group, notice)

    def _tell(self, group: ResourceGroup, notice: ScaleNotice) -> None:
        scale, told = Scale(notice["wanted"], notice["present"]), self._told.get(group.name)
        now = self._seconds()
        if told is not None and told.scale == scale and now - told.at < _AGAIN_SECONDS:
            return
        self._told[group.name] = _Told(scale, now)
        try:
            self._scaler.tell(group, notice)
        except RetrofillError as error:
            self._note_fault(
                group.name, f"the scaler of resource group {group.name} was not told: {error.message}"
            )
        else:
            self._faults.pop(group.name, None)

    def _note_fault(self, group: str, fault: str) -> None:
        if self._faults.get(group) != fault:
            self._faults[group] = fault
            self._say(fault)

    def _notices(
        self, reader: Reader, project: str, groups: Iterable[ResourceGroup]
    ) -> Iterator[tuple[ResourceGroup, ScaleNotice]]:
        held_backfills = holds_of(reader.open_backfills(), instant_of(self._clock.now_ms())).may_not_start
        queues = reader.queues(held_backfills, auto=not reader.generations.is_held())
        counted = {(group, state): count for group, state, count in queues}
        hosts = KnownHosts(reader, self._watch)
        for group in groups:
            serving = hosts.serving(group.name)
            held = counted.get((group.name, "running"), 0)
            waiting = counted.get((group.name, "waiting_resources"), 0)
            present = sum(host.slots or 0 for host in serving if host.presence is Presence.THERE)
            scale = scale_of(group.slots, held, waiting, present)
            yield (
                group,
                {
                    "project": project,
                    "resource_group": group.name,
                    "wanted": scale.wanted,
                    "present": scale.present,
                    "most": group.slots,
                    "held": held,
                    "waiting": waiting,
                    "hosts": [*map(_host, serving)],
                },
            )


def _host(host: KnownHost) -> HostOfGroup:
    return {
        "name": host.name,
        "label": host.label,
        "state": host.presence.value,
        "slots": host.slots or 0,
        "running": host.running,
    }
