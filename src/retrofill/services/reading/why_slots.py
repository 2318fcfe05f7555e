"""What keeps a ready instance from a slot: what the next tick would find (RUN-1, RUN-5, RUN-6, OPS-9).

Of others only ids and states are named: they may be anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.slots import Lack, free_slots, lack
from retrofill.domain.words import many
from retrofill.services.ports.records import InstanceRecord
from retrofill.services.reading.reasons import Why, reason_of

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.ports import Reader

_NAMED = 3  # in a sentence; all of them are listed


def lacks_a_slot(
    reader: Reader, current: Catalog | None, row: InstanceRecord, most: int | None, is_shared: bool
) -> Why:
    """Why it has none yet.

    Args:
        current: what is deployed.
        most: how many instances of its task may run at a time.
        is_shared: whether other machines can have the store.
    """
    running = [other for other, _ in reader.running()]
    own = [other for other in running if other.task_id == row.task_id]
    group = current.resource_groups.get(row.resource_group) if current is not None else None
    if group is None:
        return reason_of(
            "no_group",
            f"The resource group {row.resource_group} is gone from the project; declare it again and deploy.",
        )
    if not (group.is_local or is_shared):
        return reason_of(
            "store_of_one_machine",
            f"Resource group {group.name} runs on other machines (executor {group.executor}), which cannot reach the "
            "store: it is a file of this one. Keep the store on PostgreSQL, or leave `executor` out and deploy.",
        )
    first = _auto_first(reader, row, own) if row.backfill_id is not None else _rival(row, own)
    if first is not None:
        return first
    used = [other for other in running if other.resource_group == group.name]
    of_backfills = [other for other in used if other.backfill_id is not None]
    free = free_slots(group.slots, group.reserved_for_auto, len(used), len(of_backfills))
    match lack(row, free, len(own), most, is_written=False):
        case Lack.TASK_LIMIT:
            return _taken(
                "task_limit",
                f"Its task runs at most {many(most or 0, 'instance')} at a time (max_parallel_instances); now",
                own,
            )
        case Lack.SLOT:
            which = "The only slot" if group.slots == 1 else f"All {group.slots} slots"
            verb = "is" if group.slots == 1 else "are"
            return _taken("slots", f"{which} of resource group {group.name} {verb} taken, by", used)
        case Lack.UNRESERVED_SLOT:
            return _taken(
                "reserved",
                f"Resource group {group.name} keeps {group.reserved_for_auto} of {many(group.slots, 'slot')} for "
                "auto triggered instances; the others are taken, by",
                of_backfills,
            )
    return reason_of("starting", f"It is about to start in resource group {group.name}.")


def _auto_first(reader: Reader, row: InstanceRecord, own: Iterable[InstanceRecord]) -> Why | None:
    """RUN-5 and RUN-7, of a backfill instance."""
    autos = [other for other in own if other.backfill_id is None]
    if autos:
        return _taken("auto_first", "An auto triggered instance of its task runs, and goes first:", autos)
    if row.task_id in reader.generations.ready_tasks() and not reader.generations.is_held():
        return reason_of("auto_first", "An auto triggered instance of its task is ready, and goes first.")
    writers = [other for other in own if other.partition == row.partition]
    if writers:
        text = f"Backfill {writers[0].backfill_id} runs the same task and time, which only one may write at a time:"
        return _taken("same_partition", text, writers)
    return None


def _rival(row: InstanceRecord, own: Iterable[InstanceRecord]) -> Why | None:
    """RUN-5 and RUN-7, of an auto triggered instance."""
    rivals = [other for other in own if other.partition == row.partition]
    if not rivals:
        return None
    backfill = f"Backfill {rivals[0].backfill_id}"
    return _taken("rival", f"{backfill} runs the same task and time, and has to end first:", rivals)


def _taken(code: str, text: str, by: Sequence[InstanceRecord]) -> Why:
    more = f" and {len(by) - _NAMED} more" if len(by) > _NAMED else ""
    ids = ", ".join(f"instance {other.id}" for other in by[:_NAMED])
    return reason_of(code, f"{text} {ids}{more}.", tuple({"id": o.id, "state": o.state} for o in by))
