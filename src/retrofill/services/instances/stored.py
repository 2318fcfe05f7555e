"""What a backfill was asked for and what was found, in the texts that its record holds.

The one place that opens or writes these texts. A text is decoded when it is first asked for, and once for as
long as it stays the same; what comes out is shared, so nobody changes it. What commands that only look
ask does without classes that take time to import.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrofill.domain.alerts import Told
    from retrofill.domain.planning.policy import Alert, Policy
    from retrofill.domain.selection.choice import Choice
    from retrofill.domain.selection.ways import Selection
    from retrofill.domain.time.windows import Window
    from retrofill.services.ports.records import BackfillRecord, OpenBackfill

    WithPolicy = BackfillRecord | OpenBackfill


def policy_of(record: WithPolicy) -> Policy:
    return _policy(record.policy)


def window_of(record: WithPolicy) -> Window | None:
    """Its execution window (POL-11)."""
    return None if _fields(record.policy).get("window") is None else policy_of(record).window


def alert_of(record: WithPolicy) -> Alert | None:
    """What its creator wants to be told (POL-9)."""
    return None if _fields(record.policy).get("alert") is None else policy_of(record).alert


def told_of(record: WithPolicy) -> Told:
    """Who is told what becomes of it (POL-9); older policies name no webhooks."""
    from retrofill.domain.alerts import Told

    fields = _fields(record.policy)
    return Told(alert_of(record), fields.get("notify"), tuple(fields.get("webhooks") or ()))


def max_failures_of(record: WithPolicy) -> int | None:
    """How many failures it bears (POL-14); older policies do not say."""
    found: int | None = _fields(record.policy).get("max_failures")
    return found


def selection_of(record: BackfillRecord) -> Selection:
    from retrofill.domain.selection import ways

    return ways.from_json(_fields(record.selection))


def choice_of(record: BackfillRecord) -> Choice:
    return _choice(record.choice)


def dry_runs_of(record: BackfillRecord) -> Mapping[str, str]:
    """Tasks that take part without running, with the reason (SEL-6)."""
    found: Mapping[str, str] = _fields(record.choice).get("dry_runs", {})
    return found


def running_tasks_of(record: BackfillRecord) -> list[str]:
    """Tasks that really run in it."""
    dry_runs = dry_runs_of(record)
    return [task for task in _fields(record.choice).get("tasks", ()) if task not in dry_runs]


def analysis_of(record: BackfillRecord) -> Mapping[str, Any]:
    """What verification found when it was created, or started (VER-1)."""
    return _fields(record.analysis)


def planned_dates_of(record: BackfillRecord) -> list[str]:
    """Its bizdates (ISO) in the order in which they run, also before it has dates of its own."""
    return [bizdate for group in analysis_of(record).get("groups", ()) for bizdate in group]


def text_of(value: Policy | Choice | Selection | Mapping[str, Any]) -> str:
    """How a record holds it."""
    from retrofill.domain.planning import options
    from retrofill.domain.planning.policy import Policy
    from retrofill.domain.selection import ways

    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    if isinstance(value, Policy):
        return json.dumps(options.to_json(value))
    return json.dumps(ways.to_json(value) if isinstance(value, ways.Selection) else value.to_json())


@lru_cache(256)
def _fields(text: str) -> Mapping[str, Any]:
    return MappingProxyType(json.loads(text))


@lru_cache(256)
def _policy(text: str) -> Policy:
    from retrofill.domain.planning import options

    return options.from_json(_fields(text))


@lru_cache(64)
def _choice(text: str) -> Choice:
    from retrofill.domain.selection.choice import Choice

    return Choice.from_json(_fields(text))
