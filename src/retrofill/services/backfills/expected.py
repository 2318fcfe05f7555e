"""What is stored of a backfill's expected end, for whoever looks (BF-2).

An estimate is a simulation; it is made when something changes and kept in a column, so that a
list reads it. `expecting` writes it; this module imports nothing that simulates.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retrofill.domain.running.expected import Expected
from retrofill.services.instances.backfill_status import took_seconds

if TYPE_CHECKING:
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import BackfillRecord, OpenBackfill

NOTHING_MOVED = (0, 0, 0, 0)


def expected(reader: Reader, backfill_id: int) -> Expected | None:
    """What is stored; None where nothing was estimated yet."""
    return as_expected(reader.times.expected(backfill_id))


def as_expected(text: str | None) -> Expected | None:
    """What is stored, of its text."""
    if text is None:
        return None
    end_ms, at_ms, policy, moved = json.loads(text)
    return Expected(end_ms, at_ms, policy, tuple(moved))


def checksum(policy: str) -> int:
    """Tells whether somebody has changed a stored policy."""
    import zlib

    return zlib.crc32(policy.encode())


def basis(reader: Reader, record: BackfillRecord | OpenBackfill) -> tuple[int, tuple[int, ...]]:
    """Where a backfill stands: while this is the same, an estimate holds."""
    _, successful, failed, running, frozen = reader.progress(record.id)
    return checksum(record.policy), (successful, failed, running, frozen)


def first_estimate(text: str | None, record: BackfillRecord, has_succeeded: bool) -> dict[str, Any] | None:
    """The estimate stored with a backfill, of its text; once it has succeeded, with how far that was off.

    `off_percent` is the estimated length less the true one, in percent of the true one, which leaves
    out when nothing could go on until somebody stepped in; null as long as it is not known.
    """
    if text is None:
        return None
    found: dict[str, Any] = json.loads(text)
    off = None
    true_seconds = took_seconds(record)
    if has_succeeded and true_seconds and found["seconds"] is not None:
        off = round((found["seconds"] - true_seconds) / true_seconds * 100, 1)
    return {**found, "off_percent": off}
