"""(g) How good estimates are, and what they cost. In the process: nothing is run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import mean

from measuring import Line
from projects import LAYER_WIDTH, dates

from retrofill.domain.catalog.definitions import (
    Catalog,
    Dependency,
    DependencyKind,
    ResourceGroup,
    Task,
    Workspace,
)
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.estimating.estimate import estimate
from retrofill.domain.estimating.run_times import RunTimes, summarise
from retrofill.domain.estimating.simulation import Simulation
from retrofill.domain.estimating.starting_point import StartingPoint
from retrofill.domain.planning.plan import Plan, build
from retrofill.domain.planning.policy import Policy
from retrofill.domain.selection.choice import Choice
from retrofill.domain.time import cron
from retrofill.domain.time.bizdates import parse_range

_NOW_MS = 1_772_452_800_000
_SLOTS = {"default": 4}
_CASES = 40
_SAMPLES = 7
_COSTS = ((50, 365), (200, 365), (2_000, 366))
_DAILY = cron.parse("0 1 * * *")

Draw = Callable[[Random], int]


def run_quality() -> list[Line]:
    """Estimates from a history against ends that were drawn from the same distributions."""
    lines = []
    for shape, upstream in (
        ("chain of 10", _chain),
        ("30 beside each other", _none),
        ("20, two upstream", _two),
    ):
        for sigma in (0.2, 0.5, 1.0):
            lines += [_quality(shape, upstream, sigma, known) for known in (3, 32)]
    return lines


def _quality(shape: str, upstream: Callable[[int, Random], list[int]], sigma: float, known: int) -> Line:
    chance = Random(1)
    count = {_chain: 10, _none: 30, _two: 20}[upstream]
    errors: dict[str, list[float]] = {"mean": [], "median": [], "samples": []}
    within: dict[str, list[bool]] = {"mean": [], "samples": []}
    for _ in range(_CASES):
        plan = _plan(_catalog(count, lambda n: upstream(n, chance)), 10, chance.choice([1, 3]))
        draws = [_lognormal(chance.uniform(60, 600), sigma) for _ in plan.tasks]
        history = [[draw(chance) for _ in range(known)] for draw in draws]
        times = {task.name: summarise(runs) for task, runs in zip(plan.tasks, history, strict=True)}
        truth = _play(plan, _Drawn(draws, chance))
        found = estimate(plan, times, _NOW_MS, _SLOTS)
        assert found.end_ms is not None
        assert found.low_ms is not None
        assert found.high_ms is not None
        samples = sorted(
            _play(plan, _Drawn([_again(runs) for runs in history], chance)) for _ in range(_SAMPLES)
        )
        errors["mean"].append((found.end_ms - _NOW_MS) / truth - 1)
        errors["median"].append(_play(plan, [one.median_ms for one in times.values()]) / truth - 1)
        errors["samples"].append(samples[_SAMPLES // 2] / truth - 1)
        within["mean"].append(found.low_ms <= _NOW_MS + truth <= found.high_ms)
        within["samples"].append(samples[0] <= truth <= samples[-1])
    off = {name: mean(map(abs, values)) * 100 for name, values in errors.items()}
    bias = {name: mean(values) * 100 for name, values in errors.items()}
    return Line(
        f"{shape}, sigma {sigma}, {known} runs known: % off (bias), within the range",
        f"{off['mean']:.0f} ({bias['mean']:+.0f}), {mean(within['mean']):.0%}",
        f"median {off['median']:.0f} ({bias['median']:+.0f}); "
        f"samples {off['samples']:.0f} ({bias['samples']:+.0f}), {mean(within['samples']):.0%}",
        off["mean"] / off["median"],
        {"off_percent": off, "bias_percent": bias, "within": {k: mean(v) for k, v in within.items()}},
    )


def run_cost(repeats: int) -> list[Line]:
    """Processor time of an estimate, against that of the plan."""
    lines = []
    for count, days in _COSTS:
        catalog = _catalog(count, _layers)
        planning, estimating = [], []
        for _ in range(repeats):
            began = time.process_time()
            plan = _plan(catalog, days, 10)
            planned = time.process_time()
            estimate(plan, _histories(plan), _NOW_MS, _SLOTS)
            planning.append(planned - began)
            estimating.append(time.process_time() - planned)
        best, reference = min(estimating), min(planning)
        lines.append(
            Line(
                f"estimate {count:,} x {days} = {count * days:,} instances, s of processor time, least",
                f"{best:.2f}",
                f"plan {reference:.3f}",
                best / reference,
                {"estimate_seconds": estimating, "plan_seconds": planning},
            )
        )
    return lines


def _chain(number: int, _: Random) -> list[int]:
    return [number - 1] if number else []


def _none(_: int, __: Random) -> list[int]:
    return []


def _two(number: int, chance: Random) -> list[int]:
    return chance.sample(range(number), min(number, 2))


def _layers(number: int) -> list[int]:
    """As in `projects.layers`: three of the layer above."""
    layer, place = divmod(number, LAYER_WIDTH)
    return [(layer - 1) * LAYER_WIDTH + (place + step) % LAYER_WIDTH for step in (0, 1, 3)] if layer else []


def _catalog(count: int, upstream: Callable[[int], list[int]]) -> Catalog:
    tasks = {}
    for number in range(count):
        waits = tuple(Dependency(DependencyKind.SAME_CYCLE, f"w.t{above:04}") for above in upstream(number))
        name = f"w.t{number:04}"
        tasks[name] = Task(name, TaskType.SHELL, _DAILY, depends_on=waits)
    groups = {"default": ResourceGroup("default")}
    return Catalog("bench", workspaces={"w": Workspace("w")}, tasks=tasks, resource_groups=groups)


def _plan(catalog: Catalog, days: int, groups: int) -> Plan:
    return build(catalog, Choice(tuple(catalog.tasks)), Policy((parse_range(dates(days)),), groups=groups))


def _histories(plan: Plan) -> dict[str, RunTimes]:
    chance = Random(1)
    return {
        task.name: summarise([chance.randrange(10_000, 600_000) for _ in range(32)]) for task in plan.tasks
    }


class _Drawn(list[int]):
    """Run times by task, a new one at every look."""

    def __init__(self, draws: Sequence[Draw], chance: Random) -> None:
        super().__init__([0] * len(draws))
        self._draws, self._chance = draws, chance

    def __getitem__(self, task: int) -> int:  # type: ignore[override]
        return self._draws[task](self._chance)


def _lognormal(median_seconds: float, sigma: float) -> Draw:
    return lambda chance: int(1000 * median_seconds * math.exp(chance.gauss(0, sigma)))


def _again(runs: Sequence[int]) -> Draw:
    return lambda chance: chance.choice(runs)


def _play(plan: Plan, run_ms: Sequence[int]) -> int:
    """How long it takes, in ms."""
    last = [position for position in range(len(plan.dates)) if plan.next_in_group(position) is None]
    return Simulation(plan, run_ms, _NOW_MS, _SLOTS, StartingPoint(), (), last).play().end_ms - _NOW_MS
