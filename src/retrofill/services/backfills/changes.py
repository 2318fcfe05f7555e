"""Changes of how a backfill runs while it runs: groups, window, priority, resource group, failures (BF-3, POL-14).

Instances, their ids and what they wait for stay as they were made. What changes is the
stored policy, and with it what ticks ask it for from then on: holds, places in the queue,
which date follows which. A scheduler in another process notices at its next tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.errors import UnknownNameError, WrongStateError, did_you_mean, shown
from retrofill.domain.people.roles import Actor
from retrofill.domain.planning.changes import Changes, differences
from retrofill.domain.planning.groups import regroup, to_runs
from retrofill.domain.planning.plan import Plan
from retrofill.domain.planning.policy import Barrier, Policy, Regrouped
from retrofill.domain.running.filters import READY
from retrofill.domain.running.results import ChangeReport
from retrofill.domain.running.steering import Steer, judge
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import instant_of
from retrofill.domain.words import many
from retrofill.services.backfills.backfill_rows import first_start_ms
from retrofill.services.backfills.tags import Check, expecting
from retrofill.services.instances.backfill_graph import BackfillGraph
from retrofill.services.instances.backfill_status import note_end, standing
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.instances.holds import holds_of
from retrofill.services.instances.passing_over import passes_over
from retrofill.services.instances.pausing import pause_if_too_many
from retrofill.services.instances.propagation import Propagation
from retrofill.services.instances.queue_places import QueuePlaces
from retrofill.services.instances.stored import analysis_of, policy_of, text_of
from retrofill.services.people.access import Access
from retrofill.services.ports.records import BackfillRecord
from retrofill.services.ports.store import MOST_ROWS

if TYPE_CHECKING:
    from retrofill.services.ports import Clock, Ledger, Reader, Store

_ANYHOW = expecting(None)


class BackfillChanges:
    """Changes of backfills, in the name of one actor.

    Args:
        check: refuses a backfill that is not as it is expected to be, in the transaction that changes it.
    """

    def __init__(
        self, store: Store, graphs: GraphCache, clock: Clock, actor: Actor, check: Check = _ANYHOW
    ) -> None:
        self._check = check
        self._store = store
        self._graphs = graphs
        self._clock = clock
        self._actor = actor

    def change(self, backfill_id: int, changes: Changes, comment: str = "") -> ChangeReport:
        """Change a backfill (BF-3).

        What runs goes on as it is. Ready instances move to their new place in the queue after the
        commit, in steps; the commit says that they are owed, so that a scheduler completes them after a crash.

        Raises:
            NotPermittedError: the actor may not operate all of it (SEC-4).
            WrongStateError: it has ended for good, has no instances, or its groups cannot change.
            UnknownNameError: no such backfill, or resource group.
            ClockRangeError, PriorityError: a value in a wrong form.
        """
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            access = Access(tx, self._graphs, self._actor)
            record = access.get_backfill(backfill_id)
            access.check_steer(record, "change")
            self._check(record)
            closed = holds_of([record], instant_of(now_ms)).window_closed
            judge(Steer.CHANGE, standing(tx, record, backfill_id in closed), backfill_id)
            catalog = self._graphs.catalog(tx, record.version_id)
            before = policy_of(record)
            after = changes.applied_to(before, catalog.timezone)
            check_group(after, catalog)
            if record.phase == "planned":
                plan = self._change_planned(tx, record, after, changes.groups, now_ms)
            else:
                plan = self._change_active(tx, record, after, changes.groups, now_ms)
            found = differences(before, plan.policy)
            if found:
                words = "; ".join(map(str, found)) + (f". {comment}" if comment else "")
                tx.record(now_ms, self._actor.name, "change", backfill_id, comment=words)
            moves = record.phase == "active" and _places(changes)
            if moves:
                tx.owe_places(backfill_id, now_ms)
        if moves:
            _place_anew(self._store, self._graphs, backfill_id, now_ms, self._clock.now_ms())
        self._store.wake()
        return ChangeReport(
            found, notes_of(plan, self._actor.sees) if changes.values.get("resource_group") else ()
        )

    def _change_planned(
        self, tx: Ledger, record: BackfillRecord, policy: Policy, groups: int | None, now_ms: int
    ) -> Plan:
        """SEL-4: nothing is made yet, so the plan itself changes, and with the window its start."""
        policy = replace(policy, groups=groups or policy.groups)
        plan = self._graphs.plan_of(tx, record._replace(policy=text_of(policy)))
        dealt = [[bizdate.isoformat() for bizdate in group] for group in plan.groups]
        tx.set_backfill(
            record.id,
            policy=text_of(policy),
            analysis=text_of({**analysis_of(record), "groups": dealt}),
            start_ms=first_start_ms(plan, now_ms),
        )
        return plan

    def _change_active(
        self, tx: Ledger, record: BackfillRecord, policy: Policy, groups: int | None, now_ms: int
    ) -> Plan:
        context = self._graphs.make(tx, record)
        at_once: list[int] = []
        if groups is not None and groups != policy.wanted_groups:
            policy, at_once = deal_anew(tx, context.plan, policy, groups, record.id)
        text = text_of(policy)
        tx.set_backfill(record.id, policy=text)
        record = record._replace(policy=text)
        self._graphs.follow([record])
        context = self._graphs.make(tx, record)
        if groups is not None:
            numbers = context.plan.grouping.numbers
            moved = {d.position: numbers[d.position] for d in tx.dates(record.id)}
            tx.set_groups(record.id, moved)
        self._reach(tx, context, at_once, now_ms)
        if record.ended_ms is None:
            pause_if_too_many(tx, record, record.failures, now_ms)
            record = tx.find_backfill(record.id) or record
        holds = holds_of(tx.open_backfills(), instant_of(now_ms))
        note_end(tx, record, now_ms, holds)
        return context.plan

    def _reach(self, tx: Ledger, context: BackfillGraph, positions: list[int], now_ms: int) -> None:
        """Let new groups begin. Dry runs are left to the scheduler, which passes only so many at once."""
        propagation = Propagation(tx, context, now_ms, held=True)
        for position in positions:
            tx.reach(context.backfill_id, position)
            propagation.reached(position, context.ids_of_date(position))
        if passes_over(context):
            dates = tx.dates(context.backfill_id)
            propagation.look_at_dates(d.position for d in dates if d.reached and d.successful < d.total)
        propagation.propagate()


def finish_changes(store: Store, graphs: GraphCache, clock: Clock) -> None:
    """Move what a change still owes that was killed between its commit and the last of its steps."""
    with store.read() as reader:
        owed = [one for one in reader.owed_places() if reader.find_backfill(one[0]) is not None]
    for backfill_id, at_ms in owed:
        _place_anew(store, graphs, backfill_id, at_ms, clock.now_ms())


def _place_anew(store: Store, graphs: GraphCache, backfill_id: int, owed_ms: int, now_ms: int) -> None:
    """Move what is ready to where it queues now; what becomes ready later goes there by itself.

    Args:
        owed_ms: the moment of the change that owes it.
    """
    with store.read() as reader:
        context = graphs.get(reader, backfill_id)
        placing = QueuePlaces(context, now_ms)
        last = context.first_id + context.plan.n * len(context.plan.dates) - 1
        ready = reader.instance_range(context.first_id, last, READY)
        places = [
            (row.id, *place)
            for row in ready
            if (place := placing.of(row)) != (row.priority, row.resource_group)
        ]
    for start in range(0, len(places), MOST_ROWS):
        with store.transaction() as tx:
            tx.place(places[start : start + MOST_ROWS])
        store.give_way()
    with store.transaction() as tx:
        tx.settle_places(backfill_id, owed_ms)


def _places(changes: Changes) -> bool:
    """Whether instances queue elsewhere after these changes."""
    return not changes.values.keys().isdisjoint(("priority", "resource_group"))


def check_group(policy: Policy, catalog: Catalog) -> None:
    name = policy.resource_group
    if name is not None and name not in catalog.resource_groups:
        near = did_you_mean(name, catalog.resource_groups)
        raise UnknownNameError(
            f'there is no resource group "{shown(name)}"{near}',
            Text("{resource_group.list} shows all of them."),
        )


def deal_anew(
    tx: Reader, plan: Plan, policy: Policy, groups: int, backfill_id: int
) -> tuple[Policy, list[int]]:
    """The policy with other groups, and the dates that these reach at once."""
    if policy.barrier is Barrier.TASK:
        raise WrongStateError(
            Text(
                "the groups of backfill {id} cannot change: with {option.barrier=task} every date has begun, and what "
                "its instances wait for was made with them",
                id=backfill_id,
            ),
            "Stop it, and create another for the dates that are left.",
        )
    dates = tx.dates(backfill_id)
    reached = {date.position for date in dates if date.reached}
    if len(reached) == len(dates):
        raise WrongStateError(
            f"every bizdate of backfill {backfill_id} has begun, so none is left to deal into other groups",
            "How many instances run at once is a matter of slots and of `max_parallel_instances`.",
        )
    complete = {date.position for date in dates if date.reached and date.successful == date.total}
    new, at_once = regroup(plan.grouping, groups, reached, complete, plan.date_before)
    return replace(policy, regrouped=Regrouped(groups, to_runs(new.chains))), at_once


def notes_of(plan: Plan, sees: Callable[[str], bool]) -> tuple[str, ...]:
    """POL-10: which tasks keep their own resource group; foreign ones are counted, not named (SEC-2)."""
    name = plan.policy.resource_group
    keep = [task.name for task in plan.tasks if plan.resource_group(task) != name]
    if not keep:
        return ()
    seen = [task for task in keep if sees(task)]
    named = f": {', '.join(seen)}" if seen else ""
    verb = (
        "keeps its own resource group, because its workspace is"
        if len(keep) == 1
        else ("keep their own resource groups, because their workspaces are")
    )
    return (f"{many(len(keep), 'task')} {verb} not bound to {name}{named}.",)
