"""A plan in numbers: the document of `backfill plan` and of the analysis of a backfill (VER-1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from retrofill.domain.planning.plan import Plan
from retrofill.domain.planning.tallies import KINDS
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.verification.findings import Finding


def summary(plan: Plan, findings: Iterable[Finding]) -> dict[str, Any]:
    """The plan in numbers, as it is stored with a backfill; counts include dry runs.

    `kinds` tells what the instances do, in all and per task: `runs` really run their code.
    """
    dry_runs: dict[str, list[str]] = defaultdict(list)
    tasks = []
    for task, count, tally in zip(plan.tasks, plan.counts, plan.tallies.tolist(), strict=True):
        reason = plan.dry_run_reason(task)
        if reason is not None:
            dry_runs[reason.value].append(task.name)
        tasks.append(
            {
                "task": task.name,
                "instances": count,
                "dry_run": None if reason is None else reason.value,
                **_kinds(tally),
            }
        )
    return {
        "tasks": tasks,
        "task_count": task_count(plan),
        "instance_count": plan.instance_count,
        "kinds": _kinds(plan.tallies.sum(axis=0).tolist()),
        "by_bizdate": {bizdate.isoformat(): count for bizdate, count in plan.by_bizdate.items()},
        "runs_by_bizdate": {bizdate.isoformat(): count for bizdate, count in plan.runs_by_bizdate.items()},
        "first_run_date": (min(plan.dates) + ONE_DAY).isoformat(),
        "last_run_date": (max(plan.dates) + ONE_DAY).isoformat(),
        "groups": [[bizdate.isoformat() for bizdate in group] for group in plan.groups],
        "dry_runs": dict(dry_runs),
        "findings": [finding.to_json() for finding in findings],
    }


def task_count(plan: Plan) -> int:
    """Tasks that get an instance, "Nodes" in a list of backfills; fewer than take part where some have none."""
    return sum(1 for count in plan.counts if count)


def _kinds(tally: list[int]) -> dict[str, int]:
    return dict(zip(KINDS, tally, strict=True))
