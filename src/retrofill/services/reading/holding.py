"""Instances that hold slots: for how long such a run usually takes, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.services.reading.instances import InstanceReader
from retrofill.services.reading.task_lists import usual_seconds
from retrofill.services.reading.whereabouts import whereabouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.services.ports.records import InstanceRecord, RunRecord
    from retrofill.services.reading.documents import HeldSlot
    from retrofill.services.reading.known_hosts import KnownHosts
    from retrofill.services.reading.view import View


def held_slots(
    view: View, hosts: KnownHosts, pairs: Sequence[tuple[InstanceRecord, RunRecord]]
) -> list[HeldSlot]:
    """The one that is held longest first.

    Args:
        pairs: instances that run and may be shown, each with its run.
    """
    reader = InstanceReader(view)
    pairs = sorted(pairs, key=lambda pair: (pair[0].started_ms or 0, pair[0].id))
    times = view.reader.times.recent({row.task_id for row, _ in pairs})
    now_ms = view.reader.hosting.now_ms() if any(run.is_offered for _, run in pairs) else 0
    found: list[HeldSlot] = []
    for row, run in pairs:
        host = hosts.of(run)
        found.append(
            {
                **reader.row(row),
                "host": run.host,
                "host_label": None if host is None else host.label,
                "offered": run.is_offered,
                "where": whereabouts(run, row.resource_group, False, hosts, now_ms - run.started_ms).short,
                "usual_seconds": usual_seconds(times.get(row.task_id)),
            }
        )
    return found
