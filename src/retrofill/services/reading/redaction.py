"""Documents without what their reader may not know: the names of tasks of other workspaces (SEC-2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from retrofill.services.people.access import ANOTHER

if TYPE_CHECKING:
    from retrofill.services.people.access import Access
    from retrofill.services.ports.records import BackfillRecord, InstanceRecord
    from retrofill.services.reading.documents import Analysis, BackfillRow, FirstEstimate
    from retrofill.services.reading.reasons import Why


def shown_row(access: Access, record: BackfillRecord, row: BackfillRow) -> BackfillRow:
    """A backfill's row; a name that was made from that of a task which may not be named is not shown."""
    listed = access.listed_tasks(record)
    if listed is None:
        return row
    first = _shown_estimate(row["first_estimate"], listed)
    return {**row, "name": access.shown_name(record), "first_estimate": cast("FirstEstimate | None", first)}


def shown_analysis(access: Access, record: BackfillRecord, document: Mapping[str, Any]) -> Analysis:
    """A backfill's analysis, without the tasks that may not be named; counts stay."""
    listed = access.listed_tasks(record)
    if listed is None:
        return cast("Analysis", dict(document))
    hidden = {row["task"] for row in document["tasks"]} - listed
    dry_runs = {
        reason: kept
        for reason, tasks in document["dry_runs"].items()
        if (kept := [task for task in tasks if task in listed])
    }
    shown = {
        **document,
        "tasks": [row for row in document["tasks"] if row["task"] in listed],
        "dry_runs": dry_runs,
        "estimate": _shown_estimate(document.get("estimate"), listed),
        **_shown_answers(document, hidden),
        "findings": [_shown_finding(access, finding, hidden, listed) for finding in document["findings"]],
    }
    return cast("Analysis", shown)


def _shown_finding(
    access: Access, finding: Mapping[str, Any], hidden: Collection[str], listed: Collection[str]
) -> dict[str, Any]:
    unseen = {task for task in finding["tasks"] if task not in listed and not access.sees(task)}
    return {
        **finding,
        "message": _without(finding["message"], unseen.union(hidden)),
        "tasks": [task for task in finding["tasks"] if task not in unseen],
    }


def shown_why(access: Access, row: InstanceRecord, found: Why) -> Why:
    """An explanation without the names of tasks that may not be named."""
    if access.is_unlimited:
        return found
    hidden = access.hidden_tasks(row)
    return replace(
        found,
        text=found.text.with_strings(lambda text: _without(text, hidden)),
        blockers=tuple(one for one in found.blockers if one.get("task") not in hidden),
        cause=None if found.cause is None or found.cause.get("task") in hidden else found.cause,
    )


def _without(text: str, hidden: Collection[str]) -> str:
    """A sentence in which tasks that may not be named are not named."""
    if not hidden:
        return text
    names = "|".join(re.escape(name) for name in sorted(hidden, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])(?:{names})(?![\w-])", ANOTHER, text)


def _shown_answers(document: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    """What extension checks answered, where there were any; their sentences may name tasks too."""
    if "checks" not in document:
        return {}
    return {"checks": [one | {"message": _without(one["message"], hidden)} for one in document["checks"]]}


def _shown_estimate(found: Mapping[str, Any] | None, listed: Collection[str]) -> dict[str, Any] | None:
    """An estimate in JSON that names no task but those that may be named."""
    if found is None:
        return None
    longest, unknown = found["longest_task"], found["unknown_tasks"]
    return {
        **found,
        "longest_task": longest if longest is None or longest in listed else ANOTHER,
        "unknown_tasks": list(dict.fromkeys(task if task in listed else ANOTHER for task in unknown)),
    }
