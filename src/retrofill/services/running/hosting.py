"""What hosts report, claim and hear, beside the ledger: one exchange is one transaction, where there is anything to write.

A host is believed about its own runs and nothing else: what it reports of runs that do not live there, or claims of
groups that it does not take, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError, StoreUnavailableError
from retrofill.domain.running.outcomes import Outcome
from retrofill.services.instances.as_run import as_run
from retrofill.services.instances.outlines import Outlines
from retrofill.services.ports.hosting import Answer, Exchange, HostStatus, Offer, OwnRun
from retrofill.services.ports.records import HostRecord, ReportedEnd
from retrofill.services.ports.running import RunRef
from retrofill.services.ports.secrets import SecretUnavailableError

if TYPE_CHECKING:
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Ledger, Reader, Store
    from retrofill.services.ports.hosts import Hosts
    from retrofill.services.ports.records import RunRecord
    from retrofill.services.ports.running import RunEnd, RunSpec

_BEATS = 8  # in the time after which a host is given up
_LONGEST_PAUSE_MS = 15_000
_MOST = 200  # that one exchange claims


@dataclass(frozen=True, slots=True)
class Premises:
    """What an exchange needs of the deployment besides the ledger.

    Attributes:
        graphs: for one exchange.
        specs: makes what runs are given at a host with this folder and this interpreter.
        lost_after_ms: the setting `host_lost_minutes`.
    """

    graphs: Callable[[], GraphCache]
    specs: Callable[[HostStatus], RunSpecs]
    lost_after_ms: Callable[[], int]


class LedgerHosting:
    """The deployment as its hosts see it, for any number of them.

    Args:
        hosts: where beats are kept.
    """

    def __init__(self, store: Store, hosts: Hosts, premises: Premises) -> None:
        self._store = store
        self._hosts = hosts
        self._premises = premises
        self._noted: dict[str, HostStatus] = {}  # as they were written last
        self._beaten_ms: dict[str, int] = {}  # by the store's clock

    def exchange(self, status: HostStatus, exchange: Exchange) -> Answer:
        """One round of one host; see `ports.hosting`."""
        writes = bool(exchange.ends or exchange.named) or self._noted.get(status.name) != status
        if not writes:  # nobody is kept from writing by who only looks
            with self._store.read() as reader:
                now_ms = reader.hosting.now_ms()
                found = self._look(reader, status, exchange, now_ms)
        claimed: list[Offer] = []
        if writes or found.offers:
            with self._store.transaction(is_brief=True) as tx:
                now_ms = tx.hosting.now_ms()
                self._note(tx, status, now_ms)
                found = self._look(tx, status, exchange, now_ms)
                claimed = self._write(tx, status, exchange, found, now_ms)
            self._noted[status.name] = status
        self._beat(status.name, now_ms)
        if exchange.ends:
            self._hosts.reply()
        starts = self._specs(status, [*claimed, *found.unheard]) if claimed or found.unheard else []
        left = max(len(found.offers) - len(claimed), 0)
        return Answer(
            starts, found.stops, found.over, found.is_draining, self._premises.lost_after_ms(), left
        )

    def own(self, status: HostStatus) -> list[OwnRun]:
        """The open runs that live there; the host is there from now on."""
        with self._store.read() as reader:
            now_ms = reader.hosting.now_ms()
            outlines, found = Outlines(reader, self._premises.graphs()), []
            for run in reader.hosting.open_runs(status.name):
                row = reader.find_instance(run.instance_id)
                on_lost = row is not None and as_run(row, outlines.of(row)).task.rerun.on_lost
                found.append(OwnRun(_ref(run), on_lost))
        self._beat(status.name, now_ms)
        return found

    def content(self, sha256: str) -> bytes:
        with self._store.read() as reader:
            return reader.versions.content(sha256)

    def leave(self, status: HostStatus) -> None:
        with self._store.transaction(is_brief=True) as tx:
            tx.hosting.leave(status.name, tx.hosting.now_ms())
        self._noted.pop(status.name, None)

    # One exchange

    def _look(self, reader: Reader, status: HostStatus, exchange: Exchange, now_ms: int) -> _Found:
        hosting = reader.hosting
        record = hosting.find(status.name)
        is_draining = record is not None and bool(record.draining)
        stops = [_ref(run) for run in hosting.stopping(status.name)]
        over, unheard = self._compare(reader, status, exchange) if exchange.holds is not None else ([], [])
        room = exchange.free - len(unheard)
        offers = [] if is_draining else _wanted(reader, status, exchange, room, now_ms)
        return _Found(offers, stops, over, unheard, is_draining, room)

    def _compare(
        self, reader: Reader, status: HostStatus, exchange: Exchange
    ) -> tuple[list[RunRef], list[Offer]]:
        """What it holds and the ledger does not, and the other way round."""
        own = {_offer(_ref(run)) for run in reader.hosting.open_runs(status.name)}
        holds = exchange.holds or ()
        known = {_offer(ref) for ref in (*holds, *(end.ref for end in exchange.ends))}
        return [ref for ref in holds if _offer(ref) not in own], sorted(own - known)

    def _write(
        self, tx: Ledger, status: HostStatus, exchange: Exchange, found: _Found, now_ms: int
    ) -> list[Offer]:
        if exchange.ends:
            tx.hosting.report(status.name, [_reported(end, now_ms, exchange.now_ms) for end in exchange.ends])
        claimed = found.offers[: found.room]
        if claimed:
            tx.hosting.claim(claimed, status.name, status.boot_id, now_ms)
        return claimed

    def _note(self, tx: Ledger, status: HostStatus, now_ms: int) -> None:
        if self._noted.get(status.name) != status:
            tx.hosting.note(_record(status, now_ms))

    def _beat(self, name: str, now_ms: int) -> None:
        pause_ms = min(self._premises.lost_after_ms() // _BEATS, _LONGEST_PAUSE_MS)
        if not 0 <= now_ms - self._beaten_ms.get(name, -pause_ms) < pause_ms:
            self._hosts.beat(name)
            self._beaten_ms[name] = now_ms

    # What is given to runs

    def _specs(self, status: HostStatus, claimed: Iterable[Offer]) -> list[RunSpec]:
        """Specifications of what was claimed; what none can be made for has ended by that."""
        made, failed = [], []
        with self._store.read() as reader:
            outlines, specs = Outlines(reader, self._premises.graphs()), self._premises.specs(status)
            rows = {row.id: row for row in reader.instances(offer.instance_id for offer in claimed)}
            for offer in claimed:
                row = rows[offer.instance_id]
                try:
                    made.append(specs.make(row, outlines.of(row), offer.token, status.boot_id))
                except (SecretUnavailableError, StoreUnavailableError) as error:
                    failed.append(_failed(offer, Outcome.NOT_STARTED, error))
                except RetrofillError as error:  # as a version that cannot be read any more
                    failed.append(_failed(offer, Outcome.EXITED, error))
        if failed:
            self._report(status, failed)
        return made

    def _report(self, status: HostStatus, ends: Sequence[ReportedEnd]) -> None:
        with self._store.transaction(is_brief=True) as tx:
            now_ms = tx.hosting.now_ms()
            tx.hosting.report(status.name, [end._replace(ended_ms=now_ms) for end in ends])
        self._hosts.reply()


@dataclass(frozen=True, slots=True)
class _Found:
    offers: list[Offer]
    stops: list[RunRef]
    over: list[RunRef]
    unheard: list[Offer]
    is_draining: bool
    room: int  # for claims, besides what it has claimed without hearing so


def _wanted(reader: Reader, status: HostStatus, exchange: Exchange, room: int, now_ms: int) -> list[Offer]:
    """What it may claim now, best first; one more than it takes, so that it hears that something was left."""
    if room <= 0:
        return []
    most = min(room, _MOST) + 1
    found = reader.hosting.named(exchange.named, status.groups) if exchange.named else []
    if exchange.min_age_ms is not None:
        known = set(found)
        aged = reader.hosting.offers(status.groups, now_ms - exchange.min_age_ms, most)
        found += [offer for offer in aged if offer not in known]
    return found[:most]


def _failed(offer: Offer, outcome: Outcome, error: RetrofillError) -> ReportedEnd:
    return ReportedEnd(*offer, outcome.value, None, None, None, 0, error.message)


def _reported(end: RunEnd, now_ms: int, clock_ms: int) -> ReportedEnd:
    """By the store's clock, whatever the host's says: it tells how long ago something was.

    Args:
        clock_ms: what the host's clock said now.
    """

    def at(seconds: float) -> int:
        return now_ms - max(clock_ms - round(seconds * 1000), 0)

    started_ms = None if end.started_at is None else at(end.started_at)
    return ReportedEnd(
        *_offer(end.ref),
        outcome=end.outcome,
        exit_code=end.exit_code,
        signal=end.signal,
        started_ms=started_ms,
        ended_ms=at(end.ended_at),
        message=end.message,
    )


def _record(status: HostStatus, now_ms: int) -> HostRecord:
    groups = json.dumps(list(status.groups))
    what = (status.executor, groups, status.slots, status.version, status.logs_at)
    return HostRecord(status.name, status.label, *what, now_ms)


def _ref(run: RunRecord) -> RunRef:
    return RunRef(run.instance_id, run.number, run.token, run.boot_id)


def _offer(ref: RunRef) -> Offer:
    return Offer(ref.instance_id, ref.run_number, ref.token)
