"""A plan as it stands beside the form: counts, its dates, groups, how long it would take, what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from retrofill.domain.texts import Text
from retrofill.domain.words import many, names
from retrofill.web import looks
from retrofill.web.creating.remedies import Remedy, remedies_of, title_of

if TYPE_CHECKING:
    from retrofill.services.operation_center.previews import Preview
    from retrofill.services.reading.documents import Estimate, Load, PlannedTask, PlanSummary
    from retrofill.web.creating.typed import Typed

_WIDTH, _HEIGHT = 320, 48
_MOST_BARS = 80
_MOST_ROWS = 300
_WHY = {
    "intermediate": "it lies between tasks that run",
    "blacklisted": "left out",
    "no_permission": "you may not backfill it",
    "mode": "by its mode",
}
_MOST_WORDS = 240  # characters of a finding
_MOST_LANES = 100  # the width of a lane
_SHARE = 0.5  # of all run time, from which on a single task is worth naming
_MOST_FILLED_IN = 500  # tasks of a plan of which an instance is shown: it is found among all of its date
_LEVELS = ("risk", "warning", "info")


class Bar(NamedTuple):
    """Some bizdates that follow each other: what runs, and above it what passes without running."""

    x: float
    width: float
    run: float
    rest: float
    title: str


class Lane(NamedTuple):
    """A group of dates, as a part of all dates."""

    x: float
    width: float
    text: str


class Expectation(NamedTuple):
    """How long it would take, and what that leaves out."""

    text: str
    more: str


class Stretch(NamedTuple):
    """Slots that are held for a while."""

    x: float
    width: float
    height: float


@dataclass(frozen=True)
class LoadView:
    """Slots over time, in a box of 320 x 44."""

    steps: Sequence[Stretch]
    words: str
    begins: str
    ends: str


@dataclass(frozen=True)
class FindingView:
    """A finding with what can be done about it here."""

    level: str
    title: str
    message: str
    hint: Text
    remedies: Sequence[Remedy]

    @property
    def is_cut(self) -> bool:
        """Whether its sentence is too long to be read at a glance."""
        return len(self.message) > _MOST_WORDS

    @property
    def short(self) -> str:
        return f"{self.message[: _MOST_WORDS - 30].rstrip()} …" if self.is_cut else self.message


class TaskRow(NamedTuple):
    """How many instances of a task really run, and what becomes of the others."""

    task: str
    runs: int
    words: str


@dataclass(frozen=True)
class PlanView:
    """What would be created.

    Attributes:
        rest: instances that pass without running, by what they are, in words.
        rows: tasks by name; of so many more there is none.
        submit: what the button says.
        first: an instance with its parameters; None where it may not be seen.
    """

    digest: str
    tasks: int
    bizdates: int
    instances: int
    runs: int
    rest: Sequence[str]
    bars: Sequence[Bar]
    lanes: Sequence[Lane]
    expected: Expectation
    load: LoadView | None
    findings: Sequence[FindingView]
    counted: str
    rows: Sequence[TaskRow]
    more: int
    first: Mapping[str, Any] | None
    checks: Sequence[str]
    notes: Sequence[str]
    is_refused: bool

    @property
    def submit(self) -> str:
        if self.is_refused:
            return "Save without running"
        return f"Create and run {many(self.runs, 'instance')}"


def view_of(preview: Preview, typed: Typed, zone: ZoneInfo, now: datetime) -> PlanView:
    """A preview as it is shown to somebody in a zone."""
    plan = preview.document
    kinds = plan["kinds"]
    dates = sorted(plan["by_bizdate"])
    return PlanView(
        digest=preview.digest,
        tasks=plan["task_count"],
        bizdates=len(dates),
        instances=plan["instance_count"],
        runs=kinds["runs"],
        rest=_rest(kinds),
        bars=bars(plan, dates),
        lanes=lanes(plan["groups"], dates),
        expected=expectation(plan.get("estimate"), zone, now),
        load=load_view(plan.get("load"), zone, now),
        findings=[
            FindingView(
                one["level"], title_of(one), one["message"], one["hint"], remedies_of(one, typed, plan)
            )
            for one in plan["findings"]
        ],
        counted=_counted(plan),
        rows=[_row(one) for one in plan["tasks"][:_MOST_ROWS]],
        more=max(len(plan["tasks"]) - _MOST_ROWS, 0),
        first=next(preview.instances(), None) if plan["task_count"] <= _MOST_FILLED_IN else None,
        checks=preview.checks_to_ask,
        notes=preview.notes,
        is_refused=preview.is_refused,
    )


def _rest(kinds: Mapping[str, int]) -> list[str]:
    """`38 pass without running` and the like, of what there is."""
    words = {
        "dry_runs": "pass without running",
        "off_days": "are off days",
        "virtual": "are virtual",
        "frozen": "are frozen",
    }
    return [f"{kinds[kind]:,} {text}" for kind, text in words.items() if kinds.get(kind)]


def _row(task: PlannedTask) -> TaskRow:
    if task["dry_run"]:
        return TaskRow(task["task"], 0, f"{task['instances']:,} pass: {_WHY[task['dry_run']]}")
    nouns = {
        "off_days": "off day",
        "virtual": "virtual instance",
        "frozen": "frozen instance",
        "dry_runs": "dry run",
    }
    counts: Mapping[str, Any] = task
    return TaskRow(
        task["task"],
        task["runs"],
        ", ".join(many(counts[kind], noun) for kind, noun in nouns.items() if counts.get(kind)),
    )


def _counted(plan: PlanSummary) -> str:
    """`2 risks, 1 warning`."""
    counts = {level: sum(one["level"] == level for one in plan["findings"]) for level in _LEVELS}
    nouns = {"risk": "risk", "warning": "warning", "info": "note"}
    return ", ".join(many(count, nouns[level]) for level, count in counts.items() if count)


# Dates


def bars(plan: PlanSummary, dates: Sequence[str]) -> list[Bar]:
    """In order of the dates, with a gap where some are left out; of many dates several together."""
    each = -(-len(dates) // _MOST_BARS)
    runs = plan["runs_by_bizdate"]
    parts = [part for stretch in _stretches(dates) for part in _cut(stretch, each)]
    gaps = len(_stretches(dates)) - 1
    room = _WIDTH - gaps * 8
    step = room / max(len(parts), 1)
    tallest = max((sum(plan["by_bizdate"][one] for one in part) for part in parts), default=1)
    found, x, before = [], 0.0, ""
    for part in parts:
        if before and not _follows(before, part[0]):
            x += 8
        total = sum(plan["by_bizdate"][one] for one in part)
        run = sum(runs.get(one, 0) for one in part)
        found.append(
            Bar(
                round(x, 2),
                round(max(step * 0.86, 0.5), 2),
                round(run / tallest * _HEIGHT, 1),
                round((total - run) / tallest * _HEIGHT, 1),
                f"{looks.days(part[0], part[-1])}: {run:,} run, {total - run:,} pass",
            )
        )
        x, before = x + step, part[-1]
    return found


def _stretches(dates: Sequence[str]) -> list[list[str]]:
    """Dates that follow each other without a gap."""
    found: list[list[str]] = [[one] for one in dates[:1]]
    for before, one in pairwise(dates):
        if _follows(before, one):
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _follows(before: str, one: str) -> bool:
    return date.fromisoformat(before) + timedelta(days=1) == date.fromisoformat(one)


def _cut(dates: Sequence[str], size: int) -> list[Sequence[str]]:
    return [dates[start : start + size] for start in range(0, len(dates), size)]


def lanes(groups: Sequence[Sequence[str]], dates: Sequence[str]) -> list[Lane]:
    """Each group in running order, where its dates lie among all."""
    place = {one: number for number, one in enumerate(dates)}
    found = []
    for group in groups:
        places = [place[one] for one in group if one in place] or [0]
        first, last = min(places), max(places)
        width = (last - first + 1) / max(len(dates), 1) * _MOST_LANES
        text = _short(group[0]) if len(group) == 1 else f"{_short(group[0])} – {_short(group[-1])}"
        found.append(
            Lane(
                round(first / max(len(dates), 1) * _MOST_LANES, 1),
                round(width, 1),
                f"{text} · {len(group):,}",
            )
        )
    return found


def _short(bizdate: str) -> str:
    it = date.fromisoformat(bizdate)
    return f"{it.day} {it:%b}"


# Time


def expectation(estimate: Estimate | None, zone: ZoneInfo, now: datetime) -> Expectation:
    """When it would be done, in words."""
    if estimate is None:
        return Expectation("How long it takes is not known", "")
    unknown, least = estimate["unknown_tasks"], estimate["at_least_seconds"]
    if unknown:
        rest = f"; the others take at least {looks.took(least)}" if least else ""
        return Expectation(
            "How long it takes is not known yet", f"no successful run yet of {names(unknown)}{rest}"
        )
    if estimate["seconds"] is None or estimate["end_at"] is None:
        return Expectation("It would never be done", "nothing of it can run as it stands")
    end = looks.moment(estimate["end_at"], zone, now)
    text = f"About {looks.took(estimate['seconds'])}, done by {end.text} {end.zone}"
    return Expectation(text, "; ".join(_details(estimate)))


def _details(estimate: Estimate) -> list[str]:
    found = ["from earlier runs, if nothing fails and nothing else starts"]
    low, high = estimate["low_seconds"], estimate["high_seconds"]
    if low is not None and high is not None and looks.took(low) != looks.took(high):
        found.insert(0, f"{looks.took(low)} to {looks.took(high)}")
    if estimate["rivals"]:
        found.append(
            f"counted in: {many(estimate['rivals'], 'instance')} of others that hold or want its slots now"
        )
    if _SHARE <= estimate["longest_share"] < 1:
        found.append(f"{estimate['longest_task']} has {estimate['longest_share']:.0%} of the run time")
    if estimate["is_extrapolated"]:
        found.append("extrapolated from the first bizdates")
    return found


def load_view(load: Load | None, zone: ZoneInfo, now: datetime) -> LoadView | None:
    """Slots over the expected time; None where it is not known."""
    if load is None:
        return None
    most = max(load["slots"], load["peak"], 1)
    width = _WIDTH / max(len(load["used"]), 1)
    steps = [
        Stretch(round(number * width, 2), round(width, 2), round(used / most * 36, 1))
        for number, used in enumerate(load["used"])
    ]
    begins = datetime.fromisoformat(load["from_at"])
    ends = begins + timedelta(seconds=load["step_seconds"] * len(load["used"]))
    first, last = (looks.moment(one.isoformat(), zone, now) for one in (begins, ends))
    words = f"slots of {load['resource_group']}, at most {load['peak']:,} of {load['slots']:,}"
    return LoadView(steps, words, first.text, last.text)
