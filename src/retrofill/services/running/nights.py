"""The regular schedule: which nights are due, which were missed, and what a deploy owes (AUTO-1..4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.planning.moves import first_night_sentences
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.time.milliseconds import instant_of, ms_of
from retrofill.domain.time.nights import DueNights, due_nights, next_night, night_of
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.running.generating import Generating

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Reader, Store


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """When nights are made, in minutes after midnight, and how many missed ones (AUTO-1, AUTO-3)."""

    generation_minute: int
    catch_up_nights: int


class NightMaker:
    """Sees to it that auto triggered instances are made in one store."""

    def __init__(self, store: Store, graphs: GraphCache, clock: Clock, settings: ScheduleSettings) -> None:
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self.settings = settings  # a scheduler changes them when a deploy does
        self.making = Generating(store, graphs, clock)
        self._was_held = False

    def repair(self) -> None:
        """Remove what a crash left half written, and go on where one left off after that."""
        self.making.repair()

    def make_due(
        self, was_down: bool, on_missed: Callable[[list[date]], None] = lambda _: None
    ) -> list[date]:
        """Make the nights that are due, oldest first; their bizdates.

        Args:
            was_down: no scheduler ran until now, so that all due nights count as missed (AUTO-3).
            on_missed: told of nights that are too far back, which are noted and never made.
        """
        with self._store.read() as reader:
            if self._is_doubted(reader):
                return []
            if reader.generations.is_held():
                self._was_held = True
                return []
            most = self.settings.catch_up_nights
            # A scheduler that runs makes its night even where missed ones are not made.
            due = self._due(reader, most if was_down or self._was_held else max(most, 1))
            ahead = [day for day in reader.generations.missed() if not self._has_come(reader, day)]
        self._was_held = False
        if ahead:  # missed by a clock that was ahead: their night is yet to come
            with self._store.transaction() as tx:
                tx.generations.forget_missed(ahead)
        if due.missed:
            with self._store.transaction() as tx:
                tx.generations.miss([bizdate.isoformat() for bizdate in due.missed], self._clock.now_ms())
            on_missed(list(due.missed))
        for bizdate in due.made:
            self.making.make_night(bizdate)
        return list(due.made)

    def make_owed(self) -> dict[date, int]:
        """Make what the last deploy owes (AUTO-1); how many instances by bizdate."""
        with self._store.read() as reader:
            if self._is_doubted(reader):
                return {}
        return self.making.make_owed(lambda reader: self.due(reader).made)

    def notes_of_deploy(self, sees: Callable[[str], bool] = lambda _: True) -> list[str]:
        """What the deployed version means for the first night after it, where slots have changed (AUTO-2)."""
        with self._store.read() as reader:
            current, last = self._graphs.current(reader), reader.generations.last_night()
            if current is None or last is None:
                return []
            made = self._graphs.catalog(reader, reader.generations.night_versions(last)[last])
        return list(first_night_sentences(made, current, date.fromisoformat(last), sees))

    def due(self, reader: Reader) -> DueNights:
        """What a scheduler that starts now would make, and what it would not (AUTO-3)."""
        if self._is_doubted(reader):
            return DueNights((), ())
        return self._due(reader, self.settings.catch_up_nights)

    def _has_come(self, reader: Reader, bizdate: str) -> bool:
        catalog = self._graphs.current(reader)
        now = instant_of(self._clock.now_ms())
        return catalog is not None and self.moment_of(catalog, date.fromisoformat(bizdate)) <= now

    def _is_doubted(self, reader: Reader) -> bool:
        """TIME-8: which date it is nobody knows for sure."""
        return reader.clock.check(self._clock.now_ms()).expected_ms is not None

    def _due(self, reader: Reader, most: int) -> DueNights:
        catalog, since_ms = self._graphs.current(reader), reader.first_deployed_ms()
        if catalog is None or since_ms is None:
            return DueNights((), ())
        now, minute, zones = (
            instant_of(self._clock.now_ms()),
            self.settings.generation_minute,
            _timezones(catalog),
        )
        # What a wrong clock has made of dates to come keeps nobody from making those before.
        newest = (next_night(now, minute, zones) - ONE_DAY).isoformat()
        last = reader.generations.last_night(newest)
        known = [*(day for day in reader.generations.missed() if day <= newest), *([last] if last else ())]
        return due_nights(
            now,
            minute,
            zones,
            since=instant_of(since_ms),
            last=max(map(date.fromisoformat, known), default=None),
            most=most,
        )

    def moment_of(self, catalog: Catalog, bizdate: date) -> datetime:
        """When a bizdate's instances are made, aware UTC."""
        return night_of(bizdate, self.settings.generation_minute, _timezones(catalog))

    def next_ms(self) -> int | None:
        """When the next night is, None before the first deploy and while the schedule is held."""
        with self._store.read() as reader:
            return self.next_of(reader)

    def next_of(self, reader: Reader) -> int | None:
        """The same as one view of the ledger tells it."""
        found = self.next_night_of(reader)
        return None if found is None else ms_of(found[1])

    def next_night_of(self, reader: Reader) -> tuple[str, datetime] | None:
        """The bizdate of which instances are made next, and when."""
        catalog = self._graphs.current(reader)
        if catalog is None or reader.generations.is_held():
            return None
        zones, minute = _timezones(catalog), self.settings.generation_minute
        bizdate = next_night(instant_of(self._clock.now_ms()), minute, zones)
        return bizdate.isoformat(), night_of(bizdate, minute, zones)

    def pause(self, user: str, comment: str = "") -> bool:
        """Pause the schedule: no night is made and nothing of it starts; whether that is new."""
        return self._hold(user, True, comment)

    def resume(self, user: str, comment: str = "") -> bool:
        """Take back a pause; whether there was one. Missed nights are made by the scheduler (AUTO-3)."""
        return self._hold(user, False, comment)

    def _hold(self, user: str, held: bool, comment: str) -> bool:
        with self._store.transaction() as tx:
            if tx.generations.is_held() == held:
                return False
            tx.generations.hold(held)
            action = "pause-schedule" if held else "resume-schedule"
            tx.record(self._clock.now_ms(), user, action, comment=comment)
        self._store.wake()
        return True


def _timezones(catalog: Catalog) -> frozenset[str]:
    return frozenset(w.timezone for w in catalog.workspaces.values()) or frozenset((catalog.timezone,))
