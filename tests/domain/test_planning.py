"""Plans agree with the rules, written down slowly (tests/domain/reference_planner.py)."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import reference_planner
from domain.catalogs import random_catalog, random_policy
from retrofill.domain.planning import Kind, Plan, build
from retrofill.domain.selection import Choice, DryRunReason, NothingToRunError


def instances_of(plan: Plan) -> dict[int, reference_planner.Instance]:
    """Every instance by its offset."""
    found = {}
    for date_index, bizdate in enumerate(plan.dates):
        for place in np.nonzero(plan.present(date_index))[0].tolist():
            name = plan.tasks[plan.task_of[place]].name
            found[date_index * plan.n + place] = (name, bizdate, int(plan.slot_of[place]))
    return found


def random_choice(chance: Random, names: list[str]) -> Choice:
    taking_part = sorted(chance.sample(names, chance.randint(max(1, len(names) - 2), len(names))))
    dry = [name for name in taking_part if chance.random() < 0.15]
    return Choice(tuple(taking_part), dict.fromkeys(dry, DryRunReason.BLACKLISTED))


def agree(chance: Random) -> None:
    """Compare everything that a plan says about its instances with the reference."""
    catalog, policy = random_catalog(chance), random_policy(chance)
    choice = random_choice(chance, list(catalog.tasks))
    expected = reference_planner.plan(catalog, set(choice.tasks), choice.dry_runs, policy)
    try:
        plan = build(catalog, choice, policy)
    except NothingToRunError:
        assert all(name in choice.dry_runs for name, _, _ in expected.waits)
        return
    by_offset = instances_of(plan)
    offset_of = {instance: offset for offset, instance in by_offset.items()}
    assert plan.instance_count == len(by_offset)
    assert set(offset_of) == set(expected.waits)
    assert [list(group) for group in plan.groups] == expected.groups
    for bizdate, count in plan.by_bizdate.items():
        assert count == sum(1 for _, d, _ in expected.waits if d == bizdate)
    edges = []
    for offset, instance in by_offset.items():
        date_index, place = divmod(offset, plan.n)
        above = plan.upstream(offset).tolist()
        assert len(above) == len(set(above))
        assert {by_offset[o] for o in above} == expected.waits[instance]
        assert plan.open_waits(date_index)[place] == len(above)
        assert set(plan.isolated_from(offset)) == expected.isolated_from[instance]
        assert bool(plan.isolated(date_index)[place]) == bool(expected.isolated_from[instance])
        assert Kind(plan.kinds(date_index)[place]).word == expected.kinds[instance]
        edges += [(o, offset) for o in above]
    offsets = np.array(sorted(by_offset), dtype=np.int64)
    assert sorted(plan.downstream(offsets).tolist()) == sorted(down for _, down in edges)
    for offset in chance.sample(sorted(by_offset), min(5, len(by_offset))):
        below = plan.downstream(np.array([offset], dtype=np.int64)).tolist()
        assert sorted(below) == sorted(down for up, down in edges if up == offset)


@pytest.mark.parametrize("block", range(4))
def test_thousands_of_random_backfills_agree_with_the_rules(block: int) -> None:
    """DEP-1..14, POL-3..5, SEL-8, TIME-2..4: waits, isolation, kinds and holes as the rules say."""
    for seed in range(block * 500, (block + 1) * 500):
        try:
            agree(Random(seed))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_random_backfill_agrees_with_the_rules(chance: Random) -> None:
    """DEP-1..14: the same, where a failure is made small."""
    agree(chance)
