"""What does nothing is no success: plans and tasks of off days, dry runs and nothing at all."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from domain.catalogs import make_catalog, make_task, random_catalog, random_policy
from domain.plans import plan_of
from retrofill.domain.catalog.definitions import RunMode
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.planning.plan import Kind, Plan, build
from retrofill.domain.planning.tallies import kinds_in_words
from retrofill.domain.selection.choice import Choice, DryRunReason, NothingToRunError
from retrofill.domain.time.windows import parse_time_range
from retrofill.domain.verification.findings import Finding
from retrofill.domain.verification.idleness import check_runs, idle_tasks

DAILY = "0 2 * * *"


def idle(plan: Plan) -> Finding | None:
    found = list(idle_tasks(plan))
    assert len(found) < 2
    return found[0] if found else None


def test_a_year_without_its_day_is_nothing() -> None:
    """SEL-6: 364 off days are an error that names the nearest bizdate with a run."""
    plan = plan_of(make_catalog(make_task("w.year", "0 3 1 1 *")), "2024-01-01..2024-12-30")
    with pytest.raises(NothingToRunError) as caught:
        check_runs(plan)
    assert "of 365 instances none would run its code (365 off days)" in caught.value.message
    assert "nearest bizdate with a run is 2023-12-31" in caught.value.message
    check_runs(plan_of(make_catalog(make_task("w.year", "0 3 1 1 *")), "2023-12-31"))


def test_virtual_tasks_and_dry_runs_alone_are_nothing() -> None:
    """SEL-6: and it says of how many; a frozen task will run when it is unfrozen."""
    gate = make_task("w.gate", DAILY, type=TaskType.VIRTUAL)
    dry = make_task("w.dry", DAILY, mode=RunMode.DRY_RUN)
    with pytest.raises(NothingToRunError, match=r"\(1 dry run, 1 of virtual tasks\)"):
        check_runs(plan_of(make_catalog(gate, dry), "2026-01-01"))
    check_runs(plan_of(make_catalog(gate, make_task("w.frozen", DAILY, mode=RunMode.PAUSED)), "2026-01-01"))
    frozen_gate = make_catalog(make_task("w.gate", DAILY, type=TaskType.VIRTUAL, mode=RunMode.PAUSED))
    with pytest.raises(NothingToRunError):
        check_runs(plan_of(frozen_gate, "2026-01-01"))


def test_a_chosen_task_of_which_nothing_runs_is_told() -> None:
    """VER-1 `nothing_runs`: beside others that run, each with its reason."""
    catalog = make_catalog(
        make_task("w.a", DAILY),
        make_task("w.dry", DAILY, mode=RunMode.DRY_RUN),
        make_task("w.gate", DAILY, type=TaskType.VIRTUAL),
        make_task("w.late", "0 9 * * *"),
        make_task("w.month", "0 2 1 * *"),
    )
    found = idle(plan_of(catalog, "2026-01-05..2026-01-09", time_range=parse_time_range("00:00-04:00")))
    assert found is not None
    assert found.tasks == ("w.dry", "w.late", "w.month")
    assert "w.dry is in mode dry_run" in found.message
    assert "w.late has no scheduled time in the time range" in found.message
    assert "has off days only, and the nearest bizdate with a run is 2025-12-31" in found.message
    assert idle(plan_of(make_catalog(catalog.tasks["w.a"]), "2026-01-05")) is None


def test_dry_runs_between_tasks_are_told_elsewhere() -> None:
    """SEL-6: an intermediate one is not chosen."""
    catalog = make_catalog(make_task("w.a", DAILY), make_task("w.b", DAILY, "w.a"))
    plan = build(
        catalog,
        Choice(("w.a", "w.b"), {"w.b": DryRunReason.INTERMEDIATE}),
        plan_of(catalog, "2026-01-01").policy,
    )
    assert idle(plan) is None


def test_tallies_count_every_instance_by_its_kind() -> None:
    """VER-1: against looking at each of them."""
    for seed in range(100):
        chance = Random(seed)
        catalog, policy = random_catalog(chance), random_policy(chance)
        names = list(catalog.tasks)
        dry = {name: DryRunReason.BLACKLISTED for name in names[1:] if chance.random() < 0.2}
        try:
            plan = build(catalog, Choice(tuple(names), dry), policy)
        except NothingToRunError:
            continue
        expected: Counter[tuple[int, int]] = Counter()
        runs: Counter[str] = Counter()
        for i, bizdate in enumerate(plan.dates):
            for place in np.nonzero(plan.present(i))[0].tolist():
                kind = int(plan.kinds(i)[place])
                expected[int(plan.task_of[place]), kind] += 1
                runs[bizdate.isoformat()] += kind == Kind.RUN
        found = {(t, k): n for t, row in enumerate(plan.tallies.tolist()) for k, n in enumerate(row) if n}
        assert found == dict(expected), seed
        assert {d.isoformat(): n for d, n in plan.runs_by_bizdate.items() if n} == {
            d: n for d, n in runs.items() if n
        }


def test_kinds_in_words() -> None:
    """VER-1: silent where everything runs."""
    none = {"runs": 3, "dry_runs": 0, "off_days": 0, "virtual": 0, "frozen": 0}
    assert kinds_in_words(none) == ""
    assert kinds_in_words({**none, "runs": 1, "off_days": 6}) == "1 really runs, 6 off days"
    assert (
        kinds_in_words({**none, "runs": 0, "dry_runs": 1, "virtual": 2})
        == "0 really run, 1 dry run, 2 virtual"
    )
