"""How a task came to be what it is: the versions that changed it, and what differs between two of them (CAT-9)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from retrofill.domain.catalog.definitions import Dependency, Rerun, Task
from retrofill.domain.catalog.publishing import changed_fields, changes_between, words_of
from retrofill.domain.time.cron import Schedule
from retrofill.services.catalogs.document import load_task
from retrofill.services.reading.tasks import dependency_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import VersionRecord
    from retrofill.services.reading.documents import ChangedField, CodeLine

MOST_READ = 40  # versions that one question looks into
_AROUND = 3  # equal lines that are shown around a change
_BESIDES = {"name", "code"}


class Changed(NamedTuple):
    """A version that changed a task."""

    record: VersionRecord
    change: str
    what: tuple[str, ...]


class Changes(NamedTuple):
    """Newest first; `following` is the version before which to go on, None where there is none."""

    found: list[Changed]
    following: int | None


def versions_of(reader: Reader, name: str, limit: int, before: int | None) -> Changes:
    """The versions that changed a task.

    Args:
        before: only those that are older than this one.
    """
    records = reader.versions.latest(MOST_READ + 1, before)
    found: list[Changed] = []
    newer = reader.versions.task(records[0].id, name) if records else None
    for place, record in enumerate(records[:MOST_READ]):
        is_first = place + 1 == len(records)
        older = None if is_first else reader.versions.task(records[place + 1].id, name)
        if newer != older:
            found.append(_changed(record, name, older, newer))
            if len(found) == limit and not is_first:
                return Changes(found, record.id)
        newer = older
    return Changes(found, records[MOST_READ - 1].id if len(records) > MOST_READ else None)


def _changed(record: VersionRecord, name: str, older: str | None, newer: str | None) -> Changed:
    if older is None or newer is None:
        return Changed(record, "added" if older is None else "removed", ())
    return Changed(record, "changed", changes_between(load_task(name, older), load_task(name, newer)))


def find_task_in(reader: Reader, version: int, name: str) -> Task | None:
    """A task as a version has it, without reading the others of that version."""
    text = reader.versions.task(version, name)
    return None if text is None else load_task(name, text)


def changed_of(older: Task | None, newer: Task | None, sees: Callable[[str], bool]) -> Iterator[ChangedField]:
    """What is declared otherwise, but for the code; what a task that is not there would declare is nothing.

    Args:
        sees: whether the actor may know of another task.
    """
    for name in _differing(older, newer):
        before, after = (
            None if task is None else _shown(getattr(task, name), sees) or None for task in (older, newer)
        )
        if before != after:
            yield {"field": words_of(name), "before": before, "after": after}


def _differing(older: Task | None, newer: Task | None) -> Iterable[str]:
    names = (
        [one.name for one in fields(Task)] if older is None or newer is None else changed_fields(older, newer)
    )
    return [name for name in names if name not in _BESIDES]


def _shown(value: Any, sees: Callable[[str], bool]) -> str:
    """A declared value in words; empty where nothing is declared."""
    if value is None or value == () or value == "":
        return ""
    if isinstance(value, Schedule):
        return f"{value.text} ({value.words()})"
    if isinstance(value, Rerun):
        lost = ", also when a run is lost" if value.on_lost else ""
        return f"{value.mode}, {value.times} times, every {value.interval_seconds} s{lost}"
    if isinstance(value, Dependency):
        return dependency_words(value.kind, value.task) if not value.task or sees(value.task) else ""
    if isinstance(value, tuple):
        pairs = (f"{one[0]}={one[1]}" if isinstance(one, tuple) else _shown(one, sees) for one in value)
        return ", ".join(filter(None, pairs))
    return str(value.value if isinstance(value, Enum) else value)


def code_lines(before: str, after: str) -> list[CodeLine]:
    """Lines that went and came, each with a few around it; nothing where the code is the same."""
    old, new = before.splitlines(), after.splitlines()
    groups = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND)
    found: list[CodeLine] = []
    for group in groups:
        if found or group[0][1] > 0:
            found.append({"kind": "gap", "before": None, "after": None, "text": ""})
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += [_line("same", i1 + n, j1 + n, old[i1 + n]) for n in range(i2 - i1)]
                continue
            found += [_line("removed", i, None, old[i]) for i in range(i1, i2)]
            found += [_line("added", None, j, new[j]) for j in range(j1, j2)]
    return found


def _line(kind: str, before: int | None, after: int | None, text: str) -> CodeLine:
    return {
        "kind": kind,
        "before": None if before is None else before + 1,
        "after": None if after is None else after + 1,
        "text": text,
    }
