"""Is everything in order? What `doctor` looks at, one thing after the other, each whatever the others came to.

Of what is foreign nothing is named: whoever sees only some workspaces is told of their own backfills and instances.
The machine and its disks, and whatever takes the longer the more there is (every page of the store, every counter),
are looked at for system administrators alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError, shown
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.words import many, names
from retrofill.services.operation_center.desk import Desk
from retrofill.services.ports.health import Found

if TYPE_CHECKING:
    from retrofill.services.ports.leadership import Leader
    from retrofill.services.ports.records import OpenBackfill
    from retrofill.services.reading.known_hosts import KnownHost
    from retrofill.services.reading.unattended import Offers
    from retrofill.services.reading.view import View

_SETTLE_SECONDS = 1.0
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
_GOES_ON = ("active", "planned", "checking")
_Looks = Callable[[], Iterator[Found]]


class Examination(Desk):
    """One look at a deployment, in the name of one actor."""

    def all(self) -> Iterator[Found]:
        """Everything, also of a store that is too broken to be opened."""
        parts = self._parts
        yield from _looked_at("project", self._project)
        if self._actor.is_system_administrator:
            yield from _looked_at("disk", parts.premises.disk)
        yield from self._store_first()
        if self._actor.is_system_administrator:
            yield from _looked_at("secrets", parts.premises.secrets)
            yield from _looked_at("webhooks", parts.premises.webhooks)
            yield from _looked_at("logs", parts.premises.files)

    def _store_first(self) -> Iterator[Found]:
        try:
            is_deployed = self._parts.deployed is not None
        except RetrofillError as error:
            yield Found("store", False, Text("{text}. {hint}", text=error.text, hint=error.hint))
            return
        except Exception as error:  # of a database, whichever it is
            yield Found("store", False, f"{error}.")
            return
        if not is_deployed:
            yield Found("store", True, "nothing is deployed yet")
            return
        obstacle = self._parts.store.obstacle()
        yield Found("writing", obstacle is None, obstacle or "nobody stands in the way")
        thorough = (("store", self._condition), ("counters", self._counters))
        for name, looks in (
            *(thorough if self._actor.is_system_administrator else ()),
            ("backfills", self._halves),
            ("clock", self._times),
            ("work", self._work),
            ("starts", self._starts),
            ("hosts", self._hosts),
            ("nights", self._nights),
        ):
            yield from _looked_at(name, partial(self._on_view, looks))
        yield from self._at_work()

    def _on_view(self, looks: Callable[[View], Iterator[Found]]) -> Iterator[Found]:
        with self.view(RetrofillError("nothing is deployed")) as view:
            yield from looks(view)

    def _at_work(self) -> Iterator[Found]:
        premises = self._parts.premises
        yield from _looked_at("scheduler", self._scheduler)
        yield from _looked_at("machines", premises.machines)
        yield from _looked_at("standstill", self._standstill)
        yield from _looked_at("runner", premises.runner)
        yield from _looked_at("runs", self._runs)

    def _project(self) -> Iterator[Found]:
        try:
            count = len(self._parts.folder.catalog.tasks)
            yield Found("project", True, f"{many(count, 'task')}, no errors")
        except RetrofillError as error:
            yield Found("project", False, error.text)

    # The ledger

    def _condition(self, view: View) -> Iterator[Found]:
        return self._parts.store.condition(view.reader)

    def _counters(self, view: View) -> Iterator[Found]:
        from retrofill.services.upkeep.consistency import drift, schedule_drift

        wrong: list[str] = []
        for opened in view.reader.open_backfills():
            record = view.reader.find_backfill(opened.id) if opened.phase == "active" else None
            wrong = wrong or ([] if record is None else drift(view.reader, view.graphs, record))
        wrong = wrong or schedule_drift(view.reader, view.graphs)
        if not wrong:
            agree = "agree with the states of all open backfills and of the schedule"
            yield Found("counters", True, agree)
        else:
            yield Found("counters", False, wrong[0])

    def _halves(self, view: View) -> Iterator[Found]:
        reader, is_at_work = view.reader, self._parts.store.is_being_created
        created = [r for r in reader.in_phase("creating") if not is_at_work(r.id)]
        unasked = [r for r in reader.in_phase("checking") if not is_at_work(r.id)]
        deleted = reader.retention.half_deleted()
        halves = [
            *([f"{len(created)} half created; the next scheduler removes them"] if created else []),
            *([f"{len(unasked)} whose checks nobody asks; the next scheduler does"] if unasked else []),
            *([f"{len(deleted)} half deleted; retention goes on with them"] if deleted else []),
        ]
        yield Found("backfills", True, "; ".join(halves) or "none is half created")

    def _times(self, view: View) -> Iterator[Found]:
        yield self._clock(view)
        open_ones = self._open(view)
        oldest = None if not open_ones else view.reader.find_backfill(open_ones[0].id)
        age = "" if oldest is None else f"backfill {oldest.id}, since {shown_instant(oldest.created_ms)}"
        yield Found("oldest open", True, age or "no backfill is open")
        last_ms = view.reader.retention.last_run_ms()
        is_late = last_ms is not None and last_ms < view.now_ms - 3 * _DAY_MS and self._parts.watch.starts()
        when = "it has never run" if last_ms is None else f"it went through at {shown_instant(last_ms)}"
        yield Found("retention", not is_late, f"{when}, though a scheduler runs" if is_late else when)

    def _clock(self, view: View) -> Found:
        from retrofill.services.upkeep.clocks import trouble_with

        trouble = trouble_with(view.reader.clock.check(view.now_ms))
        if trouble is not None:
            return Found("clock", False, trouble)
        newest_ms = view.reader.health.newest_ms() or 0
        if newest_ms <= view.now_ms + _MINUTE_MS:
            return Found("clock", True, f"it is {shown_instant(view.now_ms)}")
        ahead = f"the store has something of {shown_instant(newest_ms)}, which is later than now"
        return Found("clock", False, ahead)

    def _open(self, view: View) -> list[OpenBackfill]:
        """Open backfills that the actor sees, the oldest first."""
        opened = sorted(view.reader.open_backfills(), key=lambda one: one.id)
        if view.access.is_unlimited:
            return opened
        records = {one.id: view.reader.find_backfill(one.id) for one in opened}
        return [one for one in opened if (r := records[one.id]) is not None and view.access.sees_backfill(r)]

    def _work(self, view: View) -> Iterator[Found]:
        """Whether somebody runs what is open."""
        opened = [one for one in self._open(view) if not one.stopped]
        held = [str(one.id) for one in opened if one.paused]
        ids = [one.id for one in opened if not one.paused and one.phase in _GOES_ON]
        waiting = f"; {many(len(held), 'backfill')} paused: {names(held)}" if held else ""
        if not ids:
            yield Found("work", True, f"no backfill waits for a scheduler{waiting}")
            return
        found = f"{many(len(ids), 'backfill')} open: {names([str(i) for i in ids])}"
        if self._parts.watch.starts():
            yield Found("work", True, f"{found}{waiting}")
            return
        told = Text(
            "{found}, and no scheduler runs; {wait} or {scheduler.start}",
            found=found,
            wait=Step("backfill.wait", id=ids[0]),
        )
        yield Found("work", False, told)

    def _starts(self, view: View) -> Iterator[Found]:
        """Whether the machine lets instances start (RUN-3)."""
        failed = view.reader.failed_starts.waiting()
        rows = {row.id: row for row in view.reader.instances([one.instance_id for one in failed])}
        seen = [
            one
            for one in failed
            if (row := rows.get(one.instance_id)) is not None and view.access.sees_instance(row)
        ]
        if not seen:
            yield Found("starts", True, "no instance waits because it could not be started")
            return
        first = seen[0]
        yield Found(
            "starts",
            False,
            f"{many(len(seen), 'instance')} could not be started and will be tried again with growing pauses "
            f"(instance {first.instance_id}, {many(first.tries, 'time')}: {first.message})",
        )

    def _hosts(self, view: View) -> Iterator[Found]:
        """Whether what runs elsewhere is attended to; nothing where nothing does."""
        from retrofill.services.reading.known_hosts import KnownHosts
        from retrofill.services.reading.unattended import find_unattended, offers_of

        groups = [group for group in self._parts.in_force.resource_groups.values() if not group.is_local]
        hosts = KnownHosts(view.reader, self._parts.watch)
        troubles = find_unattended(view, hosts)
        for one in troubles:
            yield Found("hosts", False, one.text)
        if troubles or not groups:
            return
        offers = offers_of(view.reader)
        words = [_group_words(group.name, hosts.serving(group.name), offers) for group in groups]
        yield Found("hosts", True, "; ".join(words))

    def _nights(self, view: View) -> Iterator[Found]:
        """Whether every night was made, once any was (AUTO-3)."""
        from retrofill.services.running.missed import find_missed

        if view.reader.generations.is_held():
            yield Found("nights", True, Text("the schedule is paused; {schedule.resume} lets it go on"))
            return
        schedule = self._parts.schedule()
        missed = find_missed(view.reader, view.graphs, schedule, view.sees)
        if missed is not None:
            first, *more = missed.sentences()
            then = Text("{first} {then}", first=first, then=more[0]) if more else first
            yield Found("nights", False, then)
            return
        last, due = view.reader.generations.last_night(), schedule.due(view.reader).made
        if last is None or not due or self._parts.watch.starts(auto=True):
            made = "none was made yet" if last is None else f"made up to bizdate {last}"
            yield Found("nights", True, made)
            return
        count = f"{many(len(due), 'night')} {'is' if len(due) == 1 else 'are'} due"
        told = Text("{count}, and no {scheduler.start} runs that makes them", count=count)
        yield Found("nights", False, told)

    # Who works

    def _scheduler(self) -> Iterator[Found]:
        leader = self._parts.watch.leader()
        words = "none runs" if leader is None else f"runs{self._where(leader)}"
        yield Found("scheduler", True, words)

    def _where(self, leader: Leader) -> str:
        """As which process, and on which of several machines; nobody's but system administrators'."""
        if not self._actor.is_system_administrator:
            return ""
        if self._parts.watch.host is None:
            return f" {leader.as_process}"
        since = f" since {shown_instant(leader.since_ms)}" if leader.since_ms is not None else ""
        return f" {leader.as_process} on {shown(leader.host)}{since}"

    def _standstill(self) -> Iterator[Found]:
        from retrofill.services.operation_center.work import WorkDesk

        found = WorkDesk(self._parts, self._actor).standstills()
        words = "; ".join(one["text"] for one in found)
        yield Found("standstill", not found, words or "no process of ours stands still")

    def _runs(self) -> Iterator[Found]:
        count, alone = self._open_runs()
        leads = self._parts.watch.leader() is not None
        if alone and leads:
            time.sleep(_SETTLE_SECONDS)  # an end that is known is noted within moments
            count, alone = self._open_runs()
        if alone and leads:
            which = next((f"instance {one}" for one in alone if one is not None), "an instance of others")
            yield Found("runs", False, f"{which} counts as running, and no supervisor carries it out")
            return
        ended = f"; {len(alone)} have ended, which the next scheduler notes" if alone else ""
        yield Found("runs", True, f"{count} open{ended}")

    def _open_runs(self) -> tuple[int, list[int | None]]:
        """How many the ledger holds to be running, and instances of old ones that no supervisor carries out.

        None in place of an instance that the actor does not see.
        """
        watch = self._parts.watch
        living = watch.living_runs()
        with self.view(RetrofillError("nothing is deployed")) as view:
            late_ms, runs = view.now_ms - _MINUTE_MS, view.reader.open_runs()
            alone = [
                run.instance_id
                for run in runs
                if run.started_ms < late_ms
                and run.host == watch.host
                and f"{run.instance_id}.{run.number}.{run.token}" not in living
            ]
            seen = {row.id for row in view.reader.instances(alone) if view.access.sees_instance(row)}
        return len(runs), [one if one in seen else None for one in alone]


def _group_words(group: str, serving: Sequence[KnownHost], offers: Mapping[str, Offers]) -> str:
    heard = [host for host in serving if host.presence.is_heard]
    taken, slots = sum(host.running for host in heard), sum(host.slots or 0 for host in heard)
    waits = f", {len(offers[group].ids)} offered" if group in offers else ""
    return f"{group}: {many(len(heard), 'host')}, {taken} of {many(slots, 'slot')} taken{waits}"


def _looked_at(name: str, looks: _Looks) -> Iterator[Found]:
    """What was found; where something is too broken to be looked at, that, and the next one has its turn."""
    try:
        yield from looks()
    except Exception as error:
        reason = str(error).partition("\n")[0] or "no reason is known"
        yield Found(name, False, f"cannot be looked at: {reason} ({type(error).__name__})")
