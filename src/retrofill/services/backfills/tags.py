"""A tag tells how somebody has set up a backfill: whoever acts on what they saw says which, and nobody else's act is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection

from retrofill.domain.errors import ChangedMeanwhileError
from retrofill.services.ports.records import BackfillRecord

Check = Callable[[BackfillRecord], None]


def tag_of(record: BackfillRecord) -> str:
    """Another one whenever somebody has changed, paused, resumed or stopped it; not for how far it has come.

    None comes back: what somebody has paused and resumed is another edition. A store that was put back to an older
    state counts editions anew, so what they say belongs to it.
    """
    texts = (record.id, record.edition, record.policy, record.paused, record.stopped, record.paused_by)
    from zlib import crc32  # who only looks needs no more than this

    return f"{record.id}.{record.edition}.{crc32(repr(texts).encode()):08x}"


def expecting(tags: Collection[str] | None) -> Check:
    """What refuses a backfill that is not as one of these tags says; None: however it is."""

    def check(record: BackfillRecord) -> None:
        if tags is not None and tag_of(record) not in tags:
            raise ChangedMeanwhileError(f"somebody has changed backfill {record.id} since you looked at it")

    return check
