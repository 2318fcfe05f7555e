"""What becomes of a restored store before anybody uses it: everything is held, nothing counts as running.

The machine on which the backup was made may still be there and go on; so nothing starts until a
person says so, and what ran then is lost: its processes, if there are any, are not ours, and
its token is never used again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError
from retrofill.domain.running.states import State
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.words import many
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.ports import RunEnd, RunRef, RunSpec
from retrofill.services.running.scheduler import Scheduler

if TYPE_CHECKING:
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Clock, Ledger, Store

_ACTION = "restore"
_FOR_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Held:
    """What a restored store does not go on with by itself: ids."""

    has_schedule: bool  # the schedule is held: there is something of it
    backfills: tuple[int, ...]  # paused now, by this
    instances: tuple[int, ...]  # ran when the backup was made
    again: tuple[int, ...]  # of these, what runs anew by itself once it is resumed (RUN-3: `on_lost`)


def hold_everything(store: Store, clock: Clock, specs: RunSpecs, user: str, made_ms: int) -> Held:
    """Hold the schedule, pause every unfinished backfill, end what ran as lost, and forget alerts that were on their way.

    Args:
        store: nobody else has it open.
        made_ms: when the backup was made.
    """
    return _hold(store, clock, specs, user, f"restored from a backup of {shown_instant(made_ms)}")


def hold_copy(
    store: Store, clock: Clock, specs: RunSpecs, user: str, say: Callable[[str | Text], None]
) -> None:
    """Hold what a copied folder would go on with beside the original, and let it be a store of its own (RUN-8).

    It touches no process: what runs belongs to the original. Where nothing can be written, as on a snapshot,
    it is left as it is, to be looked at.
    """
    try:
        with store.creating("copy"):
            if not store.is_copy():
                return  # another process was faster
            held = _hold(store, clock, specs, user, "the project's folder is a copy of another one")
            store.bind()
    except (RetrofillError, OSError):
        say("This folder is a copy, and nothing can be written in it: it can only be looked at.")
        return
    say(
        "This folder is a copy of another one, which may still be in use. So what it holds does not go on by itself: "
        f"the schedule is held, {many(len(held.backfills), 'unfinished backfill')} paused, and "
        f"{many(len(held.instances), 'instance')} that ran there lost here."
    )
    say(
        Text(
            "If this is the one that is to go on: {schedule.resume}, and {backfill.resume} for each backfill."
        )
    )


def _hold(store: Store, clock: Clock, specs: RunSpecs, user: str, comment: str) -> Held:
    now_ms = clock.now_ms()
    with store.transaction() as tx:
        paused = [one.id for one in tx.open_backfills() if not one.paused and not one.stopped]
        for backfill_id in paused:
            tx.set_backfill(backfill_id, paused=1)
            tx.record(now_ms, user, _ACTION, backfill_id, comment=comment)
        tx.generations.hold(True)
        has_schedule = tx.generations.have_any()
        running = [row.id for row, _ in tx.running()]
        _forget_alerts(tx, now_ms, comment)
    scheduler = Scheduler(store, _Lost(comment, now_ms), clock, specs, GraphCache(), starts=False)
    scheduler.start()
    while scheduler.tick().more:
        pass
    with store.read() as reader:
        again = [row.id for row in reader.instances(running) if row.state != State.FAILED]
    return Held(has_schedule, tuple(paused), tuple(running), tuple(again))


def _forget_alerts(tx: Ledger, now_ms: int, reason: str) -> None:
    """They may have been sent since."""
    while (alert := tx.outbox.claim(_FOR_EVER, _FOR_EVER)) is not None:
        tx.outbox.finish(alert, "given_up", now_ms, reason=reason)


class _Lost:
    """An executor for which every run is lost, whatever processes there are."""

    boot_id = ""
    host: str | None = None

    def __init__(self, why: str, now_ms: int) -> None:
        self._at = now_ms / 1000
        self._why = f"{why}; what it has done since is unknown"

    def start(self, runs: Sequence[RunSpec]) -> None:
        """Nothing is ever started."""
        if runs:
            raise AssertionError(runs)

    def poll(self) -> list[RunEnd]:
        return []

    def fileno(self) -> int:
        return -1

    def stop(self, ref: RunRef) -> None:
        """What has been asked to stop is lost already."""

    def adopt(self, refs: Sequence[RunRef]) -> list[RunEnd]:
        return [RunEnd(ref, "lost", None, None, None, self._at, self._why) for ref in refs]

    def close(self) -> None:
        """There is nothing to leave."""
