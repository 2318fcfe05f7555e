"""When a backfill is expected to end (BF-2).

The plan is played through three times: with the usual, a fast and a slow run time of every
task. A plan too large to be played is played for its first bizdates, twice: what the second
time needs longer, for the bizdates that it has more, is what the others need, in proportion
to their work. Assumed is that nothing fails, and that nothing else is started later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.estimating.run_times import RunTimes
from retrofill.domain.estimating.simulation import Played, Simulation
from retrofill.domain.estimating.starting_point import Competitor, StartingPoint
from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.planning.start_times import StartTimes
from retrofill.domain.time.windows import NEVER, OpenTimes

if TYPE_CHECKING:
    from retrofill.domain.arrays import LongArray

MOST_PLAYED = 12_000  # instances that are played one by one
_STRETCHES = 60  # of a load
HUGE = 30_000  # of two bizdates of every group: beyond, fast and slow runs are not played


@dataclass(frozen=True, slots=True)
class Load:
    """How many slots of a resource group a plan holds over its expected time.

    Attributes:
        slots: that it may use.
        peak: the most that it holds at a time.
        from_ms, step_ms: where the first stretch of time begins, and how long each is.
        used: the mean of each stretch.
    """

    resource_group: str
    slots: int
    peak: int
    from_ms: int
    step_ms: int
    used: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to expect; instants in ms since 1970.

    Attributes:
        at_ms: the moment at which this was estimated.
        first_ms: when the first instance takes a slot; None where none can.
        end_ms: the usual end; None where it is unknown, or where nothing can run.
        low_ms, high_ms: the end if every run is a fast one, or a slow one.
        least_ms: where the end is unknown: the end if tasks without a run yet took no time.
        unknown_tasks: full names of tasks that run in the backfill and never ran before.
        longest_task: the one with the most run time in all; None where nothing is known.
        longest_share: its share of all run time, 0 to 1.
        rivals: instances of others that hold or want the same slots now, and are reckoned with.
        is_extrapolated: the plan was not played to its end.
        load: of the resource group that it holds longest, as far as it was played; None where nothing runs.
        runs: of its instances, those played, as `Played` has them.
    """

    at_ms: int
    first_ms: int | None = None
    end_ms: int | None = None
    low_ms: int | None = None
    high_ms: int | None = None
    least_ms: int | None = None
    unknown_tasks: tuple[str, ...] = ()
    longest_task: str | None = None
    longest_share: float = 0.0
    rivals: int = 0
    is_extrapolated: bool = False
    load: Load | None = field(default=None, compare=False)
    runs: Sequence[tuple[int, int, int]] = field(default=(), compare=False)


def slots_for_backfills(catalog: Catalog) -> dict[str, int]:
    """Slots by resource group, without those that are reserved for auto triggered instances (RUN-6)."""
    return {
        name: max(group.slots - group.reserved_for_auto, 0) for name, group in catalog.resource_groups.items()
    }


def in_the_way(rivals: Sequence[Competitor], catalog: Catalog) -> tuple[Competitor, ...]:
    """Rivals without the auto triggered ones that sit on reserved slots (RUN-6), those that run first."""
    left = Counter({name: group.reserved_for_auto for name, group in catalog.resource_groups.items()})
    found = []
    for rival in sorted(rivals, key=lambda rival: not rival.is_running):
        if rival.is_auto and left[rival.resource_group] > 0:
            left[rival.resource_group] -= 1
        else:
            found.append(rival)
    return tuple(found)


def seconds_per_run(plan: Plan, times: Mapping[str, RunTimes]) -> float | None:
    """The mean time of a run over all runs of the plan; None unless every task has run before."""
    counts = plan.running_counts
    if any(count and task.name not in times for task, count in zip(plan.tasks, counts, strict=True)):
        return None
    total = sum(
        times[task.name].usual_ms * count for task, count in zip(plan.tasks, counts, strict=True) if count
    )
    return total / 1000 / sum(counts) if sum(counts) else None


def estimate(
    plan: Plan,
    times: Mapping[str, RunTimes],
    now_ms: int,
    slots: Mapping[str, int],
    *,
    standing: StartingPoint | None = None,
    rivals: Sequence[Competitor] = (),
    most: int = MOST_PLAYED,
    with_spread: bool = True,
) -> Estimate:
    """Estimate the end of a plan, or of what is left of it.

    Args:
        times: of the plan's tasks that have run before, by full name.
        slots: per resource group, those that a backfill may use.
        standing: how far it has come; None: it has not begun.
        rivals: what else holds or wants slots now; what is not in the plan's groups is left out.
        most: instances to play one by one.
        with_spread: play fast and slow runs too, which takes three times as long.
    """
    if plan.policy.window is not None and OpenTimes(plan.policy.window).next_open(now_ms) > now_ms:
        rivals = [rival for rival in rivals if rival.is_running]  # what queues now is gone by then
    groups = {plan.resource_group(task) for task in plan.tasks}
    rivals = [rival for rival in rivals if rival.resource_group in groups]
    counted = [
        (task.name, count) for task, count in zip(plan.tasks, plan.running_counts, strict=True) if count
    ]
    unknown = tuple(name for name, _ in counted if name not in times)
    work = {name: count * times[name].usual_ms for name, count in counted if name in times}
    if counted and not work:
        return Estimate(now_ms, unknown_tasks=unknown, rivals=len(rivals))
    player = _Player(plan, times, now_ms, slots, standing or StartingPoint(), rivals, most)
    usual = player.play("usual_ms")
    longest = max(work, key=work.__getitem__, default=None)
    known = _known_end(usual.end_ms)
    is_known = not unknown and known is not None
    low, high = player.spread(usual) if is_known and with_spread else (None, None)
    return Estimate(
        now_ms,
        None if usual.first_ms == NEVER else usual.first_ms,
        known if is_known else None,
        low,
        high,
        known if unknown else None,
        unknown,
        longest,
        work[longest] / max(sum(work.values()), 1) if longest is not None else 0.0,
        len(rivals),
        player.is_cut,
        _load(usual, slots),
        usual.runs,
    )


def _load(played: Played, slots: Mapping[str, int]) -> Load | None:
    """Of the group that is held longest, in stretches of equal length."""
    held = {group: sum(-at_ms * change for at_ms, change in use) for group, use in played.use.items() if use}
    group = max(held, key=held.__getitem__, default=None)
    if group is None or held[group] <= 0:
        return None
    at, change = np.array(sorted(played.use[group]), dtype=np.int64).T
    first_ms, step_ms = int(at[0]), max(-(-int(at[-1] - at[0]) // _STRETCHES), 1)
    holding = np.cumsum(change)
    count = -(-int(at[-1] - at[0]) // step_ms)
    bounds = first_ms + step_ms * np.arange(count + 1)
    since = np.concatenate(([0], np.cumsum(holding[:-1] * np.diff(at))))  # slots times ms
    area = np.diff(np.interp(bounds, at, since))
    # What begins and ends in the same moment holds a slot for no time.
    peak = int(holding[:-1][np.diff(at) > 0].max(initial=0))
    return Load(group, slots.get(group, 0), peak, first_ms, step_ms, tuple((area / step_ms).tolist()))


def _known_end(end_ms: int) -> int | None:
    return None if end_ms == NEVER else end_ms


class _Player:
    """Plays one plan at several speeds."""

    def __init__(
        self,
        plan: Plan,
        times: Mapping[str, RunTimes],
        now_ms: int,
        slots: Mapping[str, int],
        standing: StartingPoint,
        rivals: Sequence[Competitor],
        most: int,
    ) -> None:
        self._plan, self._times, self._now_ms = plan, times, now_ms
        self._slots, self._standing, self._rivals = slots, standing, rivals
        self._firsts, self._chains = _begun(plan, standing), plan.grouping.chains
        self._lasts = [chain[-1] for chain in self._chains]
        spans = [len(chain) - first for first, chain in zip(self._firsts, self._chains, strict=True)]
        each = max(sum(1 for span in spans if span > 0) * plan.n, 1)
        self._rounds = max(most // each, 2)  # bizdates of each group
        self.is_cut = sum(max(span, 0) for span in spans) * plan.n > most and max(spans) > self._rounds
        self._is_huge = 2 * each > HUGE

    def play(self, speed: str) -> Played:
        """The whole plan, with the run times of this name."""
        run_ms = self._run_ms(speed)
        if not self.is_cut:
            return self._play(run_ms, self._lasts)
        rounds = self._rounds
        fewer, more = self._stops((rounds + 1) // 2), self._stops(rounds)
        short, long = self._play(run_ms, fewer), self._play(run_ms, more)
        if long.end_ms == NEVER:
            return long
        measured = self._work(run_ms, fewer, more)
        rest = self._work(run_ms, more, self._lasts)
        window = self._plan.policy.window
        longer = OpenTimes(window).between(min(short.end_ms, long.end_ms), long.end_ms)
        more_ms = round(longer * rest / measured) if measured else 0
        end_ms = max(OpenTimes(window).after(long.end_ms, more_ms), self._last_start())
        return Played(long.first_ms, end_ms if more_ms else long.end_ms, long.use, long.runs)

    def spread(self, usual: Played) -> tuple[int, int]:
        """The end with fast and with slow runs; of a huge plan by the proportion of its work."""
        if not (self.is_cut and self._is_huge):
            ends = [self.play(speed).end_ms for speed in ("low_ms", "high_ms")]
        else:
            of_usual = max(self._mean_work("usual_ms"), 1)
            length = usual.end_ms - usual.first_ms
            ends = [
                usual.first_ms + round(length * self._mean_work(speed) / of_usual)
                for speed in ("low_ms", "high_ms")
            ]
        # Faster runs can make a plan longer: another instance gets the slot.
        return min(*ends, usual.end_ms), max(*ends, usual.end_ms)

    def _play(self, run_ms: LongArray, stops: Sequence[int]) -> Played:
        return Simulation(
            self._plan, run_ms.tolist(), self._now_ms, self._slots, self._standing, self._rivals, stops
        ).play()

    def _run_ms(self, speed: str) -> LongArray:
        """Per task; a task that never ran takes no time."""
        known = [self._times.get(task.name) for task in self._plan.tasks]
        return np.array([0 if one is None else getattr(one, speed) for one in known], dtype=np.int64)

    def _stops(self, rounds: int) -> list[int]:
        """The last date of each group if so many are played."""
        pairs = zip(self._firsts, self._chains, strict=True)
        return [chain[min(first + rounds, len(chain)) - 1] for first, chain in pairs]

    def _work(self, run_ms: LongArray, stops: Sequence[int], later: Sequence[int]) -> int:
        """Run time of the dates after these stops, up to later ones."""
        total = 0
        of_place = run_ms[self._plan.task_of]
        for stop, last, chain in zip(stops, later, self._chains, strict=True):
            for date_index in chain[chain.index(stop) + 1 : chain.index(last) + 1]:
                runs = (self._plan.kinds(date_index) == Kind.RUN) & self._plan.present(date_index)
                total += int(of_place[runs].sum())
        return total

    def _mean_work(self, speed: str) -> int:
        return int((self._run_ms(speed) * np.array(self._plan.running_counts)).sum())

    def _last_start(self) -> int:
        """Before this moment the last bizdate cannot begin wholly."""
        latest = max(range(len(self._plan.dates)), key=lambda i: self._plan.dates[i])
        return int(StartTimes(self._plan).starts(latest).max())


def _begun(plan: Plan, standing: StartingPoint) -> list[int]:
    """Per group, how many of its dates are done from its first one on."""
    found = []
    for chain in plan.grouping.chains:
        done = 0
        while done < len(chain) and chain[done] in standing.done:
            done += 1
        found.append(done)
    return found
