"""Filters of the domain as conditions of SQL, to be joined by AND, each with the values that it binds.

States, reasons and ids of ours stand in the text: there are few, and only so can partial indexes serve.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enum import StrEnum

    from retrofill.domain.running.filters import About, BackfillFilter, InstanceFilter, OperationFilter
    from retrofill.services.ports.start_filter import StartFilter

Condition = tuple[str, Sequence[object]]

_WITH_TASKS = (
    "id IN (SELECT backfill_id FROM backfill_task t JOIN task ON task.id = t.task_id WHERE task.name IN ({}))"
)
_WITH_TASK_IDS = "id IN (SELECT t.backfill_id FROM backfill_task t WHERE t.task_id IN (SELECT j.value FROM json_each(?) j))"
_STUCK = (
    "phase = 'active' AND ended_ms IS NOT NULL AND EXISTS (SELECT 1 FROM backfill_date d "
    "WHERE d.backfill_id = backfill.id AND d.successful + d.failed + d.frozen < d.total)"
)
# Without instances a backfill has no dates of its own yet; the analysis counts by bizdate.
_WITH_BIZDATES = (
    "(EXISTS (SELECT 1 FROM backfill_date d WHERE d.backfill_id = backfill.id AND d.bizdate BETWEEN ? AND ?)"
    " OR (phase IN ('planned', 'refused', 'checking', 'creating') AND EXISTS"
    " (SELECT 1 FROM json_each(analysis, '$.by_bizdate') WHERE key BETWEEN ? AND ?)))"
)


def where(*conditions: Condition) -> tuple[str, list[object]]:
    """The text after WHERE, and all that it binds; at least one condition."""
    return " AND ".join(text for text, _ in conditions), [value for _, bound in conditions for value in bound]


def of_backfills(asked: BackfillFilter) -> Iterator[Condition]:
    """On columns of `backfill`."""
    if asked.name_part is not None:
        yield "instr(lower(name), lower(?)) > 0", [asked.name_part]
    for name in ("created_by", "check_status", "phase"):
        if (value := getattr(asked, name)) is not None:
            yield f"{name} = ?", [value]
    if asked.bizdates is not None:
        yield _WITH_BIZDATES, [*asked.bizdates, *asked.bizdates]
    for names in asked.tasks:
        yield (_WITH_TASKS.format(", ".join("?" * len(names))) if names else "1 = 0"), list(names)
    if asked.created_from_ms is not None:
        yield "created_ms >= ?", [asked.created_from_ms]
    if asked.created_before_ms is not None:
        yield "created_ms < ?", [asked.created_before_ms]
    if asked.about is not None:
        yield _about(asked.about)
    if asked.is_open is not None:
        yield f"ended_ms IS {'' if asked.is_open else 'NOT '}NULL", []
    if asked.ids is not None:
        yield "id IN (SELECT j.value FROM json_each(?) j)", [json.dumps(sorted(asked.ids))]
    if asked.ended_from_ms is not None:
        yield "ended_ms >= ?", [asked.ended_from_ms]
    if asked.is_stuck:
        yield _STUCK, []


def _about(asked: About) -> Condition:
    parts = ["instr(lower(name), lower(?)) > 0"]
    bound: list[object] = [asked.name_part]
    if asked.id is not None:
        parts.append("id = ?")
        bound.append(asked.id)
    if asked.task_ids:
        parts.append(_WITH_TASK_IDS)
        bound.append(json.dumps(sorted(asked.task_ids)))
    return f"({' OR '.join(parts)})", bound


def of_instances(asked: InstanceFilter) -> Iterator[Condition]:
    """On columns of `instance`."""
    if asked.states is not None:
        yield one_of("state", asked.states), []
    if asked.task_ids is not None:
        yield f"task_id IN ({_listed(sorted(asked.task_ids))})", []
    if asked.backfill_id is not None:
        yield "backfill_id = ?", [asked.backfill_id]
    if asked.but_reason is not None:
        yield f"coalesce(reason, '') <> {_quoted(asked.but_reason)}", []
    if asked.due_before_ms is not None:
        yield "due_ms < ?", [asked.due_before_ms]


def of_operations(asked: OperationFilter) -> Iterator[Condition]:
    """On columns of `operation`."""
    for name in ("user", "action", "backfill_id", "instance_id", "task_id"):
        if (value := getattr(asked, name)) is not None:
            yield f'"{name}" = ?', [value]


def of_ready(wanted: StartFilter) -> str:
    """Conditions on ready instances that may start, each after an AND (RUN-1, RUN-5, RUN-7)."""
    parts = [but_backfills(wanted.held, wanted.auto), _not_in("task_id", wanted.full)]
    if not wanted.backfill:
        parts.append("AND backfill_id IS NULL")
    if wanted.taken:
        parts.append(f"AND (backfill_id IS NULL OR task_id NOT IN ({_listed(wanted.taken)}))")
    if wanted.yields:
        parts.append(
            "AND (backfill_id IS NULL OR NOT EXISTS (SELECT 1 FROM instance a INDEXED BY instance_auto_ready "
            "WHERE a.state = 'waiting_resources' AND a.backfill_id IS NULL AND a.task_id = instance.task_id))"
        )
    parts.append(_not_in("id", wanted.behind))
    return " ".join(part for part in parts if part)


def but_backfills(held: Sequence[int], auto: bool) -> str:
    """All backfills but these; auto triggered instances, which have none, if `auto`."""
    if not auto:
        return f"AND backfill_id IS NOT NULL {_not_in('backfill_id', held)}"
    return f"AND (backfill_id IS NULL OR backfill_id NOT IN ({_listed(held)}))" if held else ""


def one_of(column: str, words: Iterable[StrEnum]) -> str:
    """A column that holds one of these words of ours."""
    texts = sorted(map(_quoted, words))
    return f"{column} = {texts[0]}" if len(texts) == 1 else f"{column} IN ({', '.join(texts)})"


def _quoted(word: StrEnum) -> str:
    return f"'{word.value}'"


def _not_in(column: str, ids: Sequence[int]) -> str:
    return f"AND {column} NOT IN ({_listed(ids)})" if ids else ""


def _listed(ids: Iterable[int]) -> str:
    return ",".join(str(int(i)) for i in ids)
