"""Why an instance is not running, as its reader may be told (OPS-9)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from retrofill.domain.running.states import State
from retrofill.domain.texts import Text
from retrofill.services.reading.known_hosts import KnownHosts
from retrofill.services.reading.reasons import Why
from retrofill.services.reading.redaction import shown_why
from retrofill.services.reading.why import why

if TYPE_CHECKING:
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.ports.watching import Watch
    from retrofill.services.reading.documents import Blocker, WhyDocument
    from retrofill.services.reading.view import View

_RESTING = frozenset({State.SUCCESSFUL, State.FAILED, State.FROZEN})


def explained(view: View, watch: Watch, row: InstanceRecord) -> Why:
    """The sentence, and what it is about; also what stands still that would start or carry it out."""
    starts = watch.starts(auto=row.backfill_id is None)
    found = why(view.reader, view.graphs, row, view.now_ms, starts, KnownHosts(view.reader, watch))
    still = "" if row.state in _RESTING else _standing_still(watch, row)
    text = Text("{text}{still}", text=found.text, still=still)
    return shown_why(view.access, row, replace(found, text=text))


def why_document(row: InstanceRecord, state: str, found: Why) -> WhyDocument:
    """The document of `instance why`; `state` is as people see it (OPS-0)."""
    return {
        "id": row.id,
        "state": state,
        "reason": row.reason,
        "text": found.text,
        "blockers": cast("list[Blocker]", list(found.blockers)),
        "steps": list(found.text.steps),
    }


def _standing_still(watch: Watch, row: InstanceRecord) -> str:
    found = [
        one.words()
        for one in watch.standstills()
        if one.instance_id in (None, row.id) and (row.state == State.RUNNING or not one.run)
    ]
    return "".join(f" {words[0].upper()}{words[1:]}." for words in found)
